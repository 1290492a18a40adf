"""What a replica reports while it works."""

from pydantic import BaseModel, NonNegativeInt


class Tally(BaseModel):
    """Absolute counts of one chunk; a later tally of the chunk replaces an earlier one."""

    completed: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    prompt_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            completed=self.completed + other.completed,
            failed=self.failed + other.failed,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    @property
    def finished(self) -> int:
        return self.completed + self.failed


class EngineLoad(BaseModel):
    """What an engine has to do at a moment, and what it has done since it was loaded."""

    running: NonNegativeInt = 0
    """Requests in its batch."""
    waiting: NonNegativeInt = 0
    """Requests that it has and that are not in its batch."""
    kv_cache_usage: float | None = None
    """Share of its KV cache that is taken, 0 to 1; none where it has none of its own."""
    prompt_tokens: NonNegativeInt = 0
    """Of all prompts that it has read."""
    output_tokens: NonNegativeInt = 0
    """All that it has generated, also for requests that are not finished."""
