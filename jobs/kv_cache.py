"""The KV cache that vLLM needs for one request, and how long a request fits into one. Pure.

vLLM divides the cache into blocks of so many tokens, which all layers of a group share. Layers with
another window form groups of their own, and as blocks are all of one size, the groups are made
equally large and the last one is padded. At start vLLM refuses a ``max_model_len`` of which not
even one request fits (``vllm/v1/core/kv_cache_utils.py``, 0.32: ``get_kv_cache_groups``,
``_max_memory_usage_bytes_from_groups``, ``_check_enough_kv_cache_memory``); this repeats its
arithmetic.
"""

from collections import Counter
from dataclasses import dataclass
from math import ceil

from jobs.architecture import Architecture

# Of a model with two kinds of layers in about equal numbers vLLM makes two groups and pads the
# smaller, rather than many groups.
_ALMOST_EQUAL = 1.5


@dataclass(frozen=True, slots=True)
class Layout:
    """How vLLM keeps the cache on one GPU."""

    page_bytes: int
    """Of one block of one layer."""
    block_tokens: int
    group_layers: int
    """Layers that share a block, padding included."""
    groups: tuple[int | None, ...]
    """The window of each group."""
    in_flight: int
    """Tokens that may be computed before those out of a window are dropped."""
    layers: tuple[int | None, ...]

    @property
    def block_bytes(self) -> int:
        return self.page_bytes * self.group_layers

    @property
    def token_bytes(self) -> int:
        """Of a token in all layers, as long as no window has dropped it."""
        return self.page_bytes // self.block_tokens * len(self.layers)


def layout(
    architecture: Architecture,
    *,
    gpus: int,
    item_bytes: int,
    block_tokens: int,
    in_flight: int,
    hybrid: bool = True,
) -> Layout:
    """The cache of an engine on ``gpus``, in numbers of ``item_bytes``.

    Without ``hybrid``, layers with a window keep all tokens if others do.
    """
    if architecture.latent_dim is not None:
        state = architecture.latent_dim  # one vector for all heads, which every GPU has
    else:
        heads = max(1, architecture.kv_heads // gpus)
        state = heads * architecture.head_dim * 2
    windows = architecture.windows
    if not hybrid and None in windows:
        windows = (None,) * len(windows)
    count = Counter(windows)
    fewest, most = min(count.values()), max(count.values())
    group = most if most < fewest * _ALMOST_EQUAL else fewest
    groups = [window for window, layers in count.items() for _ in range(ceil(layers / group))]
    return Layout(
        page_bytes=state * item_bytes * block_tokens,
        block_tokens=block_tokens,
        group_layers=group,
        groups=tuple(groups),
        in_flight=in_flight,
        layers=windows,
    )


def needed(layout: Layout, length: int) -> int:
    """Bytes on each GPU without which vLLM refuses requests of ``length`` tokens: those of one
    request, and the block that it keeps back."""
    blocks = sum(_blocks(layout, window, length) for window in layout.groups)
    return (blocks + 1) * layout.block_bytes


def longest(layout: Layout, room: int, limit: int) -> int:
    """The longest request, in tokens and at most ``limit``, for which ``room`` bytes on each GPU
    are enough; 0: none."""
    shortest_refused = limit + 1
    longest_taken = 0
    while shortest_refused - longest_taken > 1:
        length = (shortest_refused + longest_taken) // 2
        if needed(layout, length) <= room:
            longest_taken = length
        else:
            shortest_refused = length
    return longest_taken


def capacity(layout: Layout, room: int, length: int) -> int:
    """Tokens in ``room`` bytes on each GPU, as vLLM counts them: of requests of ``length``."""
    blocks = room // layout.block_bytes
    each = sum(_blocks(layout, window, length) for window in layout.groups)
    return int(blocks / each * length)


def _blocks(layout: Layout, window: int | None, length: int) -> int:
    """Blocks of one request in a group."""
    if window is None:
        return ceil(length / layout.block_tokens)
    kept = min(window - 1 + layout.in_flight, length)
    # A window may begin in the middle of a block.
    return ceil(kept / layout.block_tokens) + 1
