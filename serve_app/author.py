"""Who sends a judgement: the name of the caller's key, or where the service asks for no key, a name
that a person gives their browser.

The latter is recorded and not trusted. A header can hold Latin letters only, so the name in it is
percent-encoded UTF-8.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

from serve_app.access.caller import CurrentCaller

_MOST_CHARACTERS = 100


def _author(
    caller: CurrentCaller,
    x_author: Annotated[
        str | None,
        Header(
            description="The name of the person who judges, percent-encoded; ignored where the "
            "call comes with a key, which has a name.",
            examples=["Ada%20Lovelace"],
            max_length=1000,
        ),
    ] = None,
) -> str | None:
    if caller is not None:
        return caller.name
    name = unquote(x_author or "")
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:_MOST_CHARACTERS] or None


Author = Annotated[str | None, Depends(_author)]
