"""Who sends a judgement: a name that a person gives their browser.

There is no authentication yet, so it is recorded and not trusted. A header can hold Latin letters
only, so the name in it is percent-encoded UTF-8.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

_MOST_CHARACTERS = 100


def _author(
    x_author: Annotated[
        str | None,
        Header(
            description="The name of the person who judges, percent-encoded.",
            examples=["Ada%20Lovelace"],
            max_length=1000,
        ),
    ] = None,
) -> str | None:
    name = unquote(x_author or "")
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:_MOST_CHARACTERS] or None


Author = Annotated[str | None, Depends(_author)]
