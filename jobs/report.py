"""A comparison as one HTML page that opens anywhere: no script, no file or address beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs import compare, verdicts
from jobs.analysis import ComparisonSort, Order

# Enough to see where models differ; all rows are in the other files.
SHOWN_ROWS = 200

# Everything that is put into the page is escaped: what models wrote stays text.
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


def page(
    benchmark_ids: Sequence[str],
    q: str | None = None,
    sort: ComparisonSort = ComparisonSort.DISAGREEMENT,
    order: Order = "asc",
) -> bytes:
    """Figures, verdicts and the first rows of a comparison."""
    shown = compare.compare(
        benchmark_ids, SHOWN_ROWS, 0, q, sort, order, diff_from=0, patience=None
    )
    found = verdicts.verdicts(benchmark_ids, patience=None)
    return (
        _templates.get_template("report.html")
        .render(
            comparison=shown,
            verdicts=found,
            names=dict(zip(found.benchmark_ids, found.names, strict=True)),
            made=datetime.now(UTC),
            q=q,
        )
        .encode()
    )
