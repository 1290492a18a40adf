"""The garbage collector of processes that load much, and then make many small things for long."""

import gc

# Python's own 700 suits programs with small heaps.
_NEW_OBJECTS = 10_000


def settle() -> None:
    """Call once all is loaded: what is there stays, and the collector need not look at it again.

    A replica spent two fifths of its time in the collector, as each request leaves some objects
    that live until its chunk is done, on top of the hundreds of thousands of its modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
