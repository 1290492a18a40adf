"""What to call benchmarks that stand side by side: their model, and where models repeat, what tells
them apart. Pure."""

from collections.abc import Sequence

import orjson

from jobs.schemas.benchmarks import Benchmark


def distinct(found: Sequence[Benchmark]) -> list[str]:
    """A name for each, none twice."""
    return [_name(one, [other for other in found if _same_model(one, other)]) for one in found]


def _name(one: Benchmark, namesakes: list[Benchmark]) -> str:
    if len(namesakes) == 1:
        return one.model_name
    overrides = [_overrides(other) for other in namesakes]
    apart = len(set(overrides)) == len(overrides)
    return f"{one.model_name} ({_overrides(one) if apart else one.benchmark_id})"


def _same_model(one: Benchmark, other: Benchmark) -> bool:
    return one.model_name == other.model_name


def _overrides(one: Benchmark) -> str:
    given = one.sampling.model_dump(exclude_none=True)
    said = [f"{name} {orjson.dumps(value).decode()}" for name, value in given.items()]
    return ", ".join(said) or "as requested"
