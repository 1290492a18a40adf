"""What was measured: figures with a value per repetition, as a Markdown table and as JSON."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from jobs import machine

# Beside what answers depend on: what speed does.
_PACKAGES = (*machine.PACKAGES, "pyarrow", "duckdb", "orjson", "jiter", "starlette", "uvloop")


@dataclass
class Figure:
    """One quantity, measured of one or several contenders in the same run.

    ``values`` has a value per repetition by contender. ``against`` names the contender that the
    others are divided by, repetition by repetition, so that what the machine did at the time
    touches both sides of a ratio.
    """

    part: str
    name: str
    unit: str
    values: dict[str, list[float]]
    against: str | None = None
    target: str = ""

    def ratio(self, contender: str) -> float | None:
        """Median of the contender's ratios to ``against``; none without one."""
        if self.against is None or contender == self.against:
            return None
        pairs = zip(self.values[contender], self.values[self.against], strict=False)
        ratios = [mine / its for mine, its in pairs if its]
        return statistics.median(ratios) if ratios else None

    def rows(self) -> Iterable[list[str]]:
        for contender, values in self.values.items():
            if not values:
                continue
            spread = f"{_short(min(values))}–{_short(max(values))}" if len(values) > 1 else ""
            ratio = self.ratio(contender)
            yield [
                self.part,
                self.name,
                contender,
                f"{_short(statistics.median(values))} {self.unit}".strip(),
                spread,
                "" if ratio is None else f"{ratio:.3f}",
                self.target,
            ]


_HEADER = ("Part", "Figure", "Of", "Median", "Range", "Ratio", "Target")


def markdown(figures: Iterable[Figure]) -> str:
    lines = [f"| {' | '.join(_HEADER)} |", "|---|---|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(row)} |" for figure in figures for row in figure.rows()]
    return "\n".join(lines) + "\n"


def name(folder: Path) -> Path:
    """Of the Markdown file of a run that begins now."""
    return folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.md"


def write(table: Path, figures: list[Figure], *, seed: int, repeat: int, quick: bool) -> None:
    """Write the Markdown file, and one as JSON beside it."""
    table.parent.mkdir(parents=True, exist_ok=True)
    code = machine.code()
    run: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "repeat": repeat,
        "quick": quick,
        "machine": machine.read().model_dump(),
        "versions": machine.versions(_PACKAGES),
        "code": code.model_dump() if code else None,
    }
    of_figures = [
        asdict(figure)
        | {"medians": {name: statistics.median(of) for name, of in figure.values.items() if of}}
        | {"ratios": {name: figure.ratio(name) for name in figure.values}}
        for figure in figures
    ]
    data = orjson.dumps(run | {"figures": of_figures}, option=orjson.OPT_INDENT_2)
    table.with_suffix(".json").write_bytes(data)
    machine_line = (
        f"{run['machine']['cpu']}, {run['machine']['cores']} cores, seed {seed}, "
        f"{repeat} repetitions, {', '.join(f'{n} {v}' for n, v in run['versions'].items())}"
    )
    table.write_text(f"{run['at']}: {machine_line}\n\n{markdown(figures)}")


def _short(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
