"""Input that is broken, hostile or too much, against the real service behind HAProxy."""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from broken_json import BROKEN, DOUBTFUL
from disk import resize, small_disk
from integration.api import Api, candidates, chat

from cluster.session import Session, command, processes
from cluster.settings import Settings

pytestmark = pytest.mark.integration

PATH = "/admin/datasets/upload"
HEAD = b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
END = b"\r\n--xx--\r\n"
MULTIPART = {"content-type": "multipart/form-data; boundary=xx"}
MIB = 2**20
# More than the service gathers before it begins to store.
ROWS = b"".join(json.dumps(one).encode() + b"\n" for one in candidates(20_000))


@pytest.fixture(autouse=True)
def _nothing_is_left(api: Api, settings: Settings) -> Iterator[None]:
    """Whatever is refused or cut off leaves no file, and the service as it was."""
    before = present(settings)
    yield
    wait(lambda: present(settings) == before, f"still there: {present(settings) - before}")
    assert api.client.get("/ready").json()["ready"]


def present(settings: Settings) -> set[str]:
    """What lies in the folders that uploads write to, without the datasets that exist."""
    folders = settings.data_folder / "scratch", settings.data_folder / "storage" / "datasets"
    there = {path for folder in folders if folder.exists() for path in folder.iterdir()}
    return {path.name for path in there if not (path / "requests.parquet").exists()}


def wait(until: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert time.monotonic() < deadline, message
        time.sleep(0.1)


def send(api: Api, content: Iterator[bytes] | bytes) -> Any:
    """Upload a file in pieces, without telling how long it is."""

    def body() -> Iterator[bytes]:
        yield HEAD
        yield from [content] if isinstance(content, bytes) else content
        yield END

    return api.client.post(PATH, content=body(), headers=MULTIPART, timeout=600)


def first_error(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    lines = error["details"].get("errors") or [{"code": ""}]
    return answer.status_code, error["code"], lines[0]["code"]


class Memory:
    """By how much the processes that serve HTTP grow at most, from here on."""

    def __init__(self, session: Session) -> None:
        found = [p.pid for p in processes(session) if "ServeReplica" in command(p)]
        assert found
        self._folders = [Path(f"/proc/{pid}") for pid in found]
        for folder in self._folders:
            (folder / "clear_refs").write_text("5")  # forget the peak so far
        self._before = self._peak()

    def grown(self) -> int:
        return self._peak() - self._before

    def _peak(self) -> int:
        lines = [line for f in self._folders for line in (f / "status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_file_of_every_broken_line_is_refused_with_each_of_them(api: Api) -> None:
    values = [value for value in (BROKEN | DOUBTFUL).values() if b"\n" not in value]
    good = json.dumps(chat("@", "Hello")).encode()
    lines = [good.replace(b'"@"', value) for value in values]
    answer = send(api, b"\n".join(lines) + b"\n")
    assert answer.status_code == 422
    details = answer.json()["error"]["details"]
    assert details["total_errors"] == len(lines)
    assert [one["line"] for one in details["errors"]] == list(range(1, 101))


def test_fifty_uploads_at_once(api: Api, session: Session) -> None:
    """All are stored whole, other calls are answered meanwhile, and memory is bounded."""
    memory = Memory(session)

    def one(number: int) -> Any:
        rows = (json.dumps(chat(f"u{number}-{i}", "word " * 200)) for i in range(4000))
        return send(api, ("\n".join(rows) + "\n").encode())

    with ThreadPoolExecutor(50) as pool:
        sending = [pool.submit(one, number) for number in range(50)]
        calls = 0
        while not all(done.done() for done in sending):
            assert api.client.get("/admin/datasets").status_code == 200
            calls += 1
        answers = [done.result() for done in sending]
    print(f"50 uploads: {calls} other calls, memory grew by {memory.grown() / MIB:.0f} MiB")
    assert calls > 5
    assert [answer.json()["count"] for answer in answers] == [4000] * 50
    ids = [answer.json()["dataset_id"] for answer in answers]
    assert len(set(ids)) == 50
    # 4.4 MB each: held whole, with the copies that parsing makes, they would be over 500 MB.
    assert memory.grown() < 500 * MIB
    for number in (0, 49):
        page = api.client.get(f"/admin/datasets/{ids[number]}/requests?offset=3999").json()
        assert [row["custom_id"] for row in page["requests"]] == [f"u{number}-3999"]
    for dataset_id in ids:
        api.client.delete(f"/admin/datasets/{dataset_id}").raise_for_status()


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_cut_off_in_the_middle(
    api: Api, settings: Settings, chunked: bool
) -> None:
    with connection(api, chunked) as open_:
        open_.sendall(piece(HEAD + ROWS, chunked))
        wait(lambda: present(settings) != set(), "the upload did not begin")
    # `_nothing_is_left` sees to the rest.


def test_an_upload_that_stops_without_going_away_is_ended(api: Api, settings: Settings) -> None:
    with connection(api, chunked=False) as open_:
        open_.sendall(HEAD + ROWS)
        wait(lambda: present(settings) != set(), "the upload did not begin")
        answer = http.client.HTTPResponse(open_)
        answer.begin()
        assert answer.status == 408
        assert json.loads(answer.read())["error"]["code"] == "upload_too_slow"


def connection(api: Api, chunked: bool) -> socket.socket:
    """A connection on which an upload has begun."""
    url = api.client.base_url
    length = "transfer-encoding: chunked" if chunked else f"content-length: {100 * MIB}"
    opened = socket.create_connection((url.host, url.port), timeout=120)
    head = f"POST {PATH} HTTP/1.1\r\nhost: {url.host}\r\n{length}\r\n"
    opened.sendall(f"{head}content-type: {MULTIPART['content-type']}\r\n\r\n".encode())
    return opened


def piece(data: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked else data


def test_nothing_at_all(api: Api) -> None:
    assert first_error(send(api, b"")) == (422, "empty_dataset", "")
    nothing = api.client.post(PATH, content=b"", headers=MULTIPART)
    assert nothing.status_code == 400


def test_one_line_of_200_megabytes(api: Api, session: Session) -> None:
    memory = Memory(session)
    answer = send(api, (b"x" * MIB for _ in range(200)))
    assert first_error(answer) == (422, "invalid_dataset", "line_too_long")
    assert memory.grown() < 100 * MIB


def test_a_renamed_zip(api: Api) -> None:
    noise = os.urandom(MIB)
    answer = send(api, (b"PK\x03\x04" + noise if i == 0 else noise for i in range(40)))
    assert first_error(answer) == (422, "invalid_dataset", "compressed_file")


def test_a_compressed_body(api: Api) -> None:
    headers = MULTIPART | {"content-encoding": "gzip"}
    answer = api.client.post(PATH, content=b"\x1f\x8b" * MIB, headers=headers)
    assert first_error(answer)[:2] == (415, "compressed_body")


def test_a_request_that_should_be_short(api: Api, session: Session) -> None:
    memory = Memory(session)
    for body in (b"x" * 200 * MIB, (b"x" * MIB for _ in range(200))):
        answer = api.client.post("/admin/benchmarks/run", content=body)
        assert first_error(answer)[:2] == (413, "request_too_large")
    # What else the service does meanwhile (an index in the background) takes some tens of them.
    assert memory.grown() < 128 * MIB


def test_a_disk_that_becomes_full_in_the_middle_of_a_benchmark(
    api: Api, storage_folder: Path
) -> None:
    """It fails and says why, what is finished stays, and with space it is finished."""
    benchmark = api.run("fake/slow", api.upload(candidates(64)))
    with small_disk(storage_folder / "benchmarks" / benchmark, 24) as disk:
        failed = api.finished(benchmark)
        assert (failed["status"], 0 < failed["completed"] < 64) == ("failed", True)
        assert failed["error"].startswith("The storage is full")
        kept = {one["custom_id"]: one["id"] for one in api.results(benchmark)["results"]}
        assert len(kept) == failed["completed"]

        resize(disk, 4096)
        path = f"/admin/benchmarks/{benchmark}/retry-failed"
        api.client.post(path).raise_for_status()
        ended = api.finished(benchmark)
        assert (ended["status"], ended["completed"], ended["error"]) == ("completed", 64, None)
        results = {one["custom_id"]: one["id"] for one in api.results(benchmark)["results"]}
        assert [*results] == [f"candidate-{i}" for i in range(64)]
        assert kept.items() <= results.items()


def test_a_request_that_is_never_answered_does_not_hang_its_benchmark(api: Api) -> None:
    asked = [*candidates(40), chat("stuck", "fake:hang"), chat("last", "Hello")]
    benchmark = api.run("fake/instant", api.upload(asked))
    ended = api.finished(benchmark)
    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 41, 1)
    (stuck,) = api.results(benchmark, outcome="failed")["results"]
    assert (stuck["custom_id"], stuck["error"]["code"]) == ("stuck", "request_timeout")


@pytest.mark.skipif(
    "BENCHMARK_RUNNER_TEST_LARGE" not in os.environ,
    reason="sends 2 GB, about a minute: set BENCHMARK_RUNNER_TEST_LARGE",
)
@pytest.mark.parametrize("kind", ["rows", "zeros"])
def test_two_gigabytes(api: Api, session: Session, kind: str) -> None:
    memory, started = Memory(session), time.monotonic()

    def rows() -> Iterator[bytes]:
        for i in range(2 * 2**30 // MIB):
            some = (json.dumps(chat(f"r-{i}-{j}", "word " * 190)) for j in range(1000))
            yield ("\n".join(some) + "\n").encode()

    answer = send(api, rows() if kind == "rows" else (b"\0" * MIB for _ in range(2048)))
    grown, seconds = memory.grown(), time.monotonic() - started
    print(f"2 GiB of {kind}: {seconds:.0f} s, peak memory grew by {grown / MIB:.0f} MiB")
    assert grown < 800 * MIB
    if kind == "rows":
        assert answer.json()["count"] == 2_048_000
        api.client.delete(f"/admin/datasets/{answer.json()['dataset_id']}").raise_for_status()
    else:
        assert first_error(answer) == (422, "invalid_dataset", "line_too_long")
