"""The benchmark of the benchmark runner: everything on one machine, in one run.

    make bench                        all parts, three repetitions
    make bench PARTS=engine QUICK=1   one part, small

Nothing is asserted on absolute time. The figures go to the terminal and to bench-results/, as a
Markdown table and as JSON.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from bench import engine, eta, figures, ingest, orchestration, reading, scaling, status
from bench.engine import Contest
from bench.figures import Figure
from bench.peers import Peer
from rich.console import Console

from cluster.settings import REPOSITORY

Part = Callable[..., Iterator[Figure]]

PARTS: dict[str, Part] = {
    "engine": engine.measure,
    "orchestration": orchestration.measure,
    "ingest": ingest.measure,
    "reading": reading.measure,
    "status": status.measure,
    "eta": eta.measure,
    "scaling": scaling.measure,
}


def main(
    parts: Annotated[str, typer.Option(help=f"Some of {', '.join(PARTS)}.")] = ",".join(PARTS),
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions, interleaved.")] = 3,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 20261126,
    quick: Annotated[bool, typer.Option(help="Smaller sizes, for a first look.")] = False,
    model: Annotated[
        Path, typer.Option(help="Of part engine: a registry entry, also one for GPUs.")
    ] = Contest().model,
    requests: Annotated[
        int | None, typer.Option(min=1, help="Of part engine: how many; 200 otherwise.")
    ] = None,
    longest: Annotated[
        int, typer.Option(min=8, help="Of part engine: tokens of the longest answer.")
    ] = Contest().longest,
    peers: Annotated[
        str, typer.Option(help="Of part engine: the others; ratios are to the first.")
    ] = ",".join(Peer),
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = (
        REPOSITORY / "bench-results"
    ),
) -> None:
    """Measure the chosen parts."""
    chosen = parts.split(",")
    if unknown := [name for name in chosen if name not in PARTS]:
        raise typer.BadParameter(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    contest = Contest(model, requests, longest, tuple(map(Peer, peers.split(","))))
    own: dict[str, dict[str, Any]] = {"engine": {"contest": contest}}
    # What was started is ended also when this is, as by `timeout`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say = Console(width=120)
    found: list[Figure] = []
    table = figures.name(out)
    for name in chosen:
        found += PARTS[name](repeat, seed, quick=quick, say=say, **own.get(name, {}))
        # Written after each part, so that an interrupted run keeps what it has measured.
        figures.write(table, found, seed=seed, repeat=repeat, quick=quick)
    say.print(figures.markdown(found), markup=False, soft_wrap=True)
    say.print(f"written: {table}")


if __name__ == "__main__":
    typer.run(main)
