"""Who makes a call, for the routes behind the gate."""

from typing import Annotated

from fastapi import Depends, Request

from serve_app.access.keys import Caller


def caller_of(request: Request) -> Caller | None:
    """Whose key it came with; none where the service asks for none."""
    found: Caller | None = getattr(request.state, "caller", None)
    return found


CurrentCaller = Annotated[Caller | None, Depends(caller_of)]
