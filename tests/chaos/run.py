"""Kill anything at any time while benchmarks run, and count the rows.

    PYTHONPATH=.:tests python -m chaos.run --kills 100 --engine fake --seed 1

Prints a table of what was killed and what had to be asked again, and fails if a request is lost,
doubled or altered, if counts disagree, or if a process is left behind.
"""

import asyncio
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import pyarrow.parquet as pq
import typer
import yaml
from chaos.stage import Json, Stage, wait_until
from chaos.victims import FAKE, INTERRUPTING, REAL, WHOLE, Victim, find
from factories import model_entry
from integration.api import chat
from rich.console import Console
from rich.table import Table

from cluster.settings import REPOSITORY
from jobs.engine import FakeEngine
from jobs.replica import IN_FLIGHT_PER_SEQ
from jobs.schemas.models import ModelSpec

_REPLICAS = 2
_FAKE_MODEL = model_entry(
    model_id="fake/chaos",
    name="Fake",
    replicas=_REPLICAS,
    max_num_seqs=8,
    # Some 200 requests a second: a benchmark lasts for several kills.
    engine_args={"load_seconds": 1, "request_seconds": 0.16},
)
_REAL_MODEL = REPOSITORY / "configs" / "models" / "smollm2-135m-instruct.yaml"


@dataclass
class Kill:
    victim: Victim
    at: float
    asked_again: int = 0


@dataclass
class Report:
    """What a run showed."""

    engine: str
    seed: int
    bound: int
    """Requests that all engines can have at once."""
    kills: list[Kill] = field(default_factory=list)
    benchmarks: int = 0
    requests: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def allowed(self) -> int:
        """Most requests that the kills can have interrupted."""
        return sum(self.bound for kill in self.kills if kill.victim in INTERRUPTING)

    @property
    def asked_again(self) -> int:
        return sum(kill.asked_again for kill in self.kills)

    def table(self) -> Table:
        table = Table(title=f"{len(self.kills)} kills, {self.engine} engine, seed {self.seed}")
        for name in ("Killed", "Times", "Asked again", "In flight at most"):
            table.add_column(name, justify="left" if name == "Killed" else "right")
        for victim in Victim:
            kills = [kill for kill in self.kills if kill.victim is victim]
            if kills:
                most = len(kills) * self.bound if victim in INTERRUPTING else 0
                again = sum(kill.asked_again for kill in kills)
                table.add_row(victim.value, str(len(kills)), str(again), str(most))
        table.add_section()
        table.add_row("all", str(len(self.kills)), str(self.asked_again), str(self.allowed))
        return table


def chaos(
    stage: Stage,
    victims: Sequence[Victim],
    rng: random.Random,
    report: Report,
    *,
    requests: int,
    model_id: str,
    pause: tuple[float, float],
    say: Console,
) -> Report:
    """Kill ``victims`` one after the other while benchmarks run; then check everything."""
    prefix = f"{report.engine}-{report.seed}"
    asked = 0
    for number, victim in enumerate(victims, 1):
        while _live(stage) < 2:
            _run(stage, model_id, _requests(f"{prefix}-{asked}", requests))
            asked += 1
        # Most kills are to fall while requests are in flight, some while engines load.
        if rng.random() < 0.75:
            wait_until(lambda: _in_flight(stage), "requests in flight")
        time.sleep(rng.uniform(*pause))
        at = _kill(stage, victim, rng)
        kill = Kill(victim, at)
        report.kills.append(kill)
        # vLLM keeps no ledger of what it was asked; what had no answer then is asked again.
        if report.engine == "real" and victim in INTERRUPTING:
            kill.asked_again = _unanswered(stage)
        say.print(f"{number}/{len(victims)} killed: {victim.value}")
    wait_until(lambda: _live(stage) == 0, "every benchmark to end")
    _check(stage, report)
    return report


def _in_flight(stage: Stage) -> bool:
    return _live(stage) == 0 or any(one["phase"] == "running" for one in stage.benchmarks())


def _live(stage: Stage) -> int:
    ended = ("completed", "failed", "cancelled")
    return sum(one["status"] not in ended for one in stage.benchmarks())


def _requests(prefix: str, count: int) -> list[Json]:
    return [
        chat(f"{prefix}-{i}", f"{prefix}-{i}: say something", max_tokens=8) for i in range(count)
    ]


def _run(stage: Stage, model_id: str, requests: list[Json]) -> None:
    lines = b"".join(orjson.dumps(one) + b"\n" for one in requests)
    files = {"file": ("chaos.jsonl", lines)}
    stored = stage.request("POST", "/admin/datasets/upload", files=files).json()
    asked = {"model_id": model_id, "dataset_id": stored["dataset_id"], "sampling": {}}
    stage.request("POST", "/admin/benchmarks/run", json=asked)


def _kill(stage: Stage, victim: Victim, rng: random.Random) -> float:
    """Returns the time of the kill."""
    whole = {
        Victim.NODE: stage.kill_node,
        Victim.HEAD: stage.kill_head,
        Victim.LAUNCHER: stage.kill_launcher,
        Victim.SERVICE: stage.kill_service,
    }
    if victim in whole:
        at = time.time()
        whole[victim]()
        return at
    while True:
        try:
            process = find(victim, stage.processes(), rng)
        except LookupError:
            time.sleep(0.1)
            continue
        process.kill()
        return time.time()


def _unanswered(stage: Stage) -> int:
    """Requests that journals say were handed to an engine and have no result."""
    benchmarks = stage.settings.data_folder / "storage" / "benchmarks"
    unanswered = 0
    for journal in benchmarks.glob("*/journals/*.jsonl"):
        lines = [orjson.loads(line) for line in journal.read_bytes().splitlines()]
        asked = {line["asked"] for line in lines if "asked" in line}
        unanswered += len(asked - {line["row_id"] for line in lines if "row_id" in line})
    return unanswered


def _check(stage: Stage, report: Report) -> None:
    """Every request of every benchmark once, with its own answer, and all counts agree."""
    for one in stage.benchmarks():
        report.benchmarks += 1
        report.requests += one["total"]
        problems = list(_problems(stage, one, report.engine))
        report.problems += [f"{one['benchmark_id']}: {problem}" for problem in problems]
    _count_again(stage, report)
    if report.asked_again > report.allowed:
        report.problems.append(
            f"{report.asked_again} requests were asked again; at most {report.allowed} were in "
            "flight at the kills"
        )


def _problems(stage: Stage, benchmark: Json, engine: str) -> list[str]:
    benchmark_id = benchmark["benchmark_id"]
    path = f"/admin/benchmarks/{benchmark_id}/results/download"
    exported = [orjson.loads(line) for line in stage.request("GET", path).text.splitlines()]
    path = f"/admin/datasets/{benchmark['dataset_id']}/requests"
    wanted: dict[str, Json] = {}
    while len(wanted) < benchmark["total"]:
        page = stage.request("GET", path, params={"limit": 1000, "offset": len(wanted)}).json()
        wanted |= {one["custom_id"]: one["body"] for one in page["requests"]}
    found = Counter(line["custom_id"] for line in exported)
    problems = []
    if benchmark["status"] != "completed":
        problems.append(f"{benchmark['status']}: {benchmark['error']}")
    if lost := wanted.keys() - found.keys():
        problems.append(f"{len(lost)} requests lost, such as {min(lost)}")
    if doubled := [custom_id for custom_id, times in found.items() if times > 1]:
        problems.append(f"{len(doubled)} requests doubled, such as {min(doubled)}")
    altered = [line["custom_id"] for line in exported if _altered(line, wanted, engine)]
    if altered:
        problems.append(f"{len(altered)} answers are not those of their requests: {altered[:3]}")
    folder = stage.settings.data_folder / "storage" / "benchmarks" / benchmark_id / "parts"
    in_parts = sum(pq.read_metadata(part).num_rows for part in folder.iterdir())
    counts = (benchmark["completed"] + benchmark["failed"], in_parts, len(exported))
    if set(counts) != {benchmark["total"]}:
        problems.append(f"SQL, parts and export have {counts} of {benchmark['total']} requests")
    return problems


def _altered(line: Json, wanted: dict[str, Json], engine: str) -> bool:
    body = line["response"]["body"] if line["response"] else {}
    if line["response"] is None or line["response"]["status_code"] != 200:
        return True
    if engine == "real":  # sampling is the model's affair; that it answered is ours
        return not body["choices"][0]["message"]["content"]
    fake = FakeEngine(ModelSpec.model_validate(_FAKE_MODEL | {"engine_args": {}}))
    answer = asyncio.run(fake.send("/v1/chat/completions", wanted[line["custom_id"]]))
    return body["choices"] != answer.body["choices"]


def _count_again(stage: Stage, report: Report) -> None:
    """From the fake engines' own ledger: what was asked more than once, and after which kill."""
    if not stage.ledger.exists():
        return
    seen: set[str] = set()
    for line in stage.ledger.read_text().splitlines():
        at, _pid, text = line.split(" ", 2)
        if text in seen:
            before = [kill for kill in report.kills if kill.at <= float(at)]
            if before:
                before[-1].asked_again += 1
            else:
                report.problems.append(f"asked twice before anything was killed: {text[:80]}")
        seen.add(text)


def plan(kills: int, among: Sequence[Victim], rng: random.Random) -> list[Victim]:
    """Each victim in turn, in an order of its own each time; of those after which everything has
    to start again, one each time."""
    rounds = itertools.cycle([victim for victim in among if victim in WHOLE] or [None])
    parts = [victim for victim in among if victim not in WHOLE]
    planned: list[Victim] = []
    while len(planned) < kills:
        whole = next(rounds)
        these = [*parts, whole] if whole else parts
        planned += rng.sample(these, len(these))
    return planned[:kills]


def play(
    folder: Path,
    victims: Sequence[Victim],
    rng: random.Random,
    report: Report,
    requests: int,
    say: Console,
) -> Report:
    """Start a service in ``folder``, kill ``victims``, end it; the report has what went wrong."""
    fake = report.engine == "fake"
    model: dict[str, Any] = yaml.safe_load(_REAL_MODEL.read_text())
    if fake:
        pace = _FAKE_MODEL["engine_args"] | {"ledger": str(folder / "ledger")}
        model = _FAKE_MODEL | {"engine_args": pace}
    replicas = model.get("replicas") or 1
    report.bound = replicas * IN_FLIGHT_PER_SEQ * ModelSpec.model_validate(model).max_num_seqs
    stage = Stage(folder, [model], two_nodes=True)
    try:
        stage.start()
        chaos(
            stage,
            victims,
            rng,
            report,
            requests=requests,
            model_id=model["model_id"],
            pause=(0.2, 3.0) if fake else (1.0, 20.0),
            say=say,
        )
    finally:
        report.problems += [f"left running: {one}" for one in stage.stop()]
    return report


def main(
    kills: Annotated[int, typer.Option(help="How many kills.")] = 100,
    engine: Annotated[str, typer.Option(help="fake, or real: vLLM with SmolLM2.")] = "fake",
    seed: Annotated[int | None, typer.Option(help="Of the order and the moments.")] = None,
    requests: Annotated[int, typer.Option(help="Requests of each benchmark.")] = 1500,
    only: Annotated[str, typer.Option(help="Victims, by commas; all of them.")] = "",
    keep: Annotated[bool, typer.Option(help="Keep the folder of the run.")] = False,
) -> None:
    """Kill processes at random while benchmarks run, and count the rows."""
    kind: Literal["fake", "real"] = "fake" if engine == "fake" else "real"
    seed = random.randrange(2**31) if seed is None else seed
    rng = random.Random(seed)
    among = (
        [Victim[name] for name in only.split(",")] if only else {"fake": FAKE, "real": REAL}[kind]
    )
    say = Console(width=120)
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
    say.print(f"seed {seed}, folder {folder}")
    report = Report(kind, seed, bound=0)
    try:
        play(folder, plan(kills, among, rng), rng, report, requests, say)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    say.print(report.table())
    say.print(f"{report.benchmarks} benchmarks, {report.requests} requests")
    for problem in report.problems:
        say.print(f"problem: {problem}", style="red")
    sys.exit(bool(report.problems))


if __name__ == "__main__":
    typer.run(main)
