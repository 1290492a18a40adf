"""Functions that Numba compiles, which vLLM brings along, and keeps on disk.

Numba compiles a file anew when it changes, and not when another does that it takes something from.
So what compiled code uses has to be in the same file, or be an argument.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiled at its first call. It holds no interpreter, and may make no array."""
    # Counting references to arrays took as much time as all else.
    options = {"nogil": True, "_nrt": False}
    try:
        return cast(F, njit(cache=True, **options)(function))
    except RuntimeError:  # neither this folder nor the user's cache can be written
        return cast(F, njit(**options)(function))
