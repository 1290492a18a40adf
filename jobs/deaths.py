"""What to do about a request that may have killed its engine.

A request that crashes the engine (a bug in a kernel, memory) would crash every engine after it.
The journal says which requests were in the engine when a process died. One that was there often is
suspected and asked alone, with nothing else in the engine, so that it takes nobody with it; one
that dies alone again is given an error as its result, and the benchmark goes on.
"""

# Machines die by themselves too: two deaths may be chance, and asking alone is slow.
SUSPECTED_AFTER = 3
CONVICTED_AFTER = 2


def verdict(alone: int) -> str:
    """Why a request gets no answer whose engine died ``alone`` times with nothing else in it."""
    return (
        f"The engine died each of the {alone} times that this request was asked with nothing else "
        "in the engine. The job's log says how it died."
    )
