"""Uploads that mean harm, or come at a bad moment: each is refused in words and leaves nothing."""

import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from broken_json import BROKEN, DOUBTFUL, KEPT
from disk import fill, resize, small_disk
from factories import chat, chats, jsonl
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.database import engine
from cluster.storage import storage
from serve_app import multipart

Problem = Callable[[Response], dict[str, Any]]
Post = Callable[..., Response]

PATH = "/admin/datasets/upload"
GOOD = jsonl(*chats(3))
MIB = 2**20

# Nothing here is about SQL.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def post(client: TestClient, data_folder: Path) -> Iterator[Post]:
    """Send a file, which must be refused with nothing left of it."""

    def send(content: bytes | Iterator[bytes], **headers: str) -> Response:
        if isinstance(content, bytes) and not headers:
            response = client.post(PATH, files={"file": ("a.jsonl", content)})
        else:
            response = client.post(PATH, content=content, headers=headers)
        assert 400 <= response.status_code < 500 or response.status_code == 507
        return response

    yield send
    assert client.get("/admin/datasets").json() == {"datasets": [], "total": 0}
    assert storage().list("datasets") == []
    scratch = data_folder / "scratch"
    assert not scratch.exists() or list(scratch.iterdir()) == []


def form(content: bytes) -> tuple[bytes, str]:
    """A body with its content type."""
    head = b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    return head + content + b"\r\n--xx--\r\n", "multipart/form-data; boundary=xx"


# --- compressed, and bombs ------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br", "compress", "gzip, gzip"])
def test_a_compressed_body_is_refused(post: Post, problem: Problem, encoding: str) -> None:
    body, content_type = form(GOOD)
    packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body)
    headers = {"content-type": content_type, "content-encoding": encoding}
    response = post(packed, **headers)
    assert (response.status_code, problem(response)["code"]) == (415, "compressed_body")


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", content)
    return target.getvalue()


BOMBS = {
    "gzip": gzip.compress(b"\n" * 50 * MIB),
    "zip": zipped(b"\n" * 50 * MIB),
    "gzip of gzip": gzip.compress(gzip.compress(b"\n" * 50 * MIB)),
    "xz": lzma.compress(b"\n" * 50 * MIB),
    "empty zip": zipped(b"")[-22:],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_compressed_file_and_never_unpacked(
    post: Post, problem: Problem, name: str
) -> None:
    error = problem(post(BOMBS[name]))
    assert error["code"] == "invalid_dataset"
    assert error["details"]["errors"][0]["code"] == "compressed_file"
    assert error["details"]["total_errors"] == 1


# --- too much -------------------------------------------------------------------------------------


def test_what_says_that_it_is_too_large_is_not_taken(
    post: Post, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "_store", lambda *_: pytest.fail("was taken"))
    headers = {"content-type": form(b"")[1], "content-length": str(2**50)}
    response = post(b"", **headers)
    assert (response.status_code, problem(response)["code"]) == (413, "upload_too_large")


def test_what_says_that_it_needs_more_space_than_there_is_is_not_taken(
    post: Post,
    problem: Problem,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(max_upload_bytes=2**60)
    monkeypatch.setattr(multipart, "_store", lambda *_: pytest.fail("was taken"))
    headers = {"content-type": form(b"")[1], "content-length": str(2**50)}
    response = post(b"", **headers)
    assert (response.status_code, problem(response)["code"]) == (507, "storage_full")
    assert "1,073,741,824.0 MiB were asked for" in problem(response)["message"]


@pytest.mark.parametrize(
    "start",
    [
        b"x" * 1000,
        b"--xx\r\nContent-Disposition: form-data; name=",
        b'--xx\r\nContent-Disposition: form-data; name="other"\r\n\r\n',
        b'--xx\r\nContent-Disposition: form-data; name="file"\r\nX-Long: ',
    ],
)
def test_a_form_that_never_comes_to_the_file(post: Post, problem: Problem, start: bytes) -> None:
    """The parser would gather it."""

    def body() -> Iterator[bytes]:
        yield start
        for _ in range(64):
            yield b"x" * MIB

    response = post(body(), **{"content-type": "multipart/form-data; boundary=xx"})
    assert problem(response)["code"] in ("form_too_large", "bad_multipart")


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", ["/admin/benchmarks/run", "/admin/datasets", "/nothing"])
def test_only_uploads_may_be_long(
    client: TestClient, problem: Problem, configure: Callable[..., None], path: str, chunked: bool
) -> None:
    configure(max_line_bytes=1000)
    long = b'{"model_id": "%s"}' % (b"x" * 1000)
    response = client.post(path, content=iter([long[:500], long[500:]]) if chunked else long)
    assert (response.status_code, problem(response)["code"]) == (413, "request_too_large")
    short = client.post(path, content=iter([b'{"a":', b"1}"]) if chunked else b'{"a":1}')
    assert short.status_code in (404, 405, 422)


# --- a full disk ----------------------------------------------------------------------------------


def test_a_disk_that_becomes_full_in_the_middle(
    client: TestClient, post: Post, problem: Problem, configure: Callable[..., None]
) -> None:
    configure(min_free_bytes=0)
    file = jsonl(*(chat(f"r-{i}", "x" * MIB) for i in range(8)))
    with small_disk(storage().root, 4096) as disk:

        def body() -> Iterator[bytes]:
            whole = form(file)[0]
            yield from (whole[i : i + MIB] for i in range(0, len(whole), MIB))

        headers = {"content-type": form(b"")[1]}
        response = post(body(), **headers)
        assert (response.status_code, problem(response)["code"]) == (507, "storage_full")
        assert "Free some space" in problem(response)["message"]
        resize(disk, 64 * 1024)
        again = client.post(PATH, content=body(), headers=headers)
        assert again.json()["count"] == 8
        assert client.delete(f"/admin/datasets/{again.json()['dataset_id']}").status_code == 200


def test_everything_else_says_so_too_and_reading_goes_on(
    client: TestClient,
    post: Post,
    problem: Problem,
    configure: Callable[..., None],
    model_id: str,
    data_folder: Path,
) -> None:
    """The database is on the full disk as well: what cannot be written is refused in words."""
    stored = client.post(PATH, files={"file": ("a.jsonl", GOOD)}).json()["dataset_id"]
    asked = {"model_id": model_id, "dataset_id": stored, "sampling": {"stop": ["x" * 1000] * 16}}
    database = data_folder / "benchmark_runner.db"
    content = {path.name: path.read_bytes() for path in data_folder.glob("benchmark_runner.db*")}
    assert database.name in content
    engine().dispose()
    with small_disk(data_folder / "small", 1024) as disk:
        for name, data in content.items():
            (disk / name).write_bytes(data)
        configure(data_folder=disk, storage_url=(data_folder / "storage").as_uri())
        engine.cache_clear()
        assert client.get("/admin/datasets").json()["total"] == 1
        ballast = fill(disk)
        answers = [client.post("/admin/benchmarks/run", json=asked) for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {(one.status_code, problem(one)["code"]) for one in refused} == {
            (507, "storage_full")
        }
        started = client.get("/admin/benchmarks").json()["total"]
        assert started == len(answers) - len(refused)
        ballast.unlink()
        assert client.post("/admin/benchmarks/run", json=asked).status_code == 200
        engine().dispose()
    engine.cache_clear()
    configure(data_folder=data_folder)
    assert client.delete(f"/admin/datasets/{stored}").status_code == 200


# --- a fuzzer -------------------------------------------------------------------------------------


def test_every_broken_line_refuses_its_file(post: Post, problem: Problem) -> None:
    for name, value in (BROKEN | DOUBTFUL).items():
        line = jsonl(chat("bad", metadata="@")).replace(b'"@"', value)
        response = post(jsonl(chat("first")) + line + jsonl(chat("last")))
        error = problem(response)
        assert (response.status_code, error["code"]) == (422, "invalid_dataset"), name
        assert error["details"]["errors"][0]["line"] == 2, name


def test_every_value_comes_back_as_it_was_sent(
    client: TestClient, send: Callable[..., Response]
) -> None:
    lines = {
        name: jsonl(chat(name, content="@", metadata="@")).replace(b'"@"', value)
        for name, value in KEPT.items()
    }
    dataset_id = send(b"".join(lines.values())).json()["dataset_id"]
    path = f"/admin/datasets/{dataset_id}"
    kept = client.get(f"{path}/requests", params={"limit": 1000}).json()["requests"]
    assert [one["custom_id"] for one in kept] == [*KEPT]
    for one in kept:
        value = repr(json.loads(KEPT[one["custom_id"]]))
        assert repr(one["body"]["messages"][0]["content"]) == value
        assert repr(one["extra"]["metadata"]) == value
    assert client.get(f"{path}/download").content == b"".join(lines.values())


FILE = jsonl(*(chat(f"r-{i}", f"Frage {i}: größer?", seed=i) for i in range(4)))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """``FILE`` with some of its bytes lost, doubled, replaced or added."""
    file = bytearray(FILE)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(FILE) // 2))
        length = draw(st.integers(0, 100))
        byte = draw(st.sampled_from(b'\0\n\r\t "\\{}[],:0\xff\xc3e') | st.integers(0, 255))
        by = draw(st.sampled_from([b"", bytes([byte]), bytes(file[at : at + 2 * length])]))
        file[at : at + length] = by
    return bytes(file)


@settings(
    deadline=None,
    max_examples=40,
    derandomize=True,
    database=None,
    # The examples share one database, on purpose.
    suppress_health_check=list(HealthCheck),
)
@given(file=damaged())
def test_a_damaged_file_is_refused_or_every_row_is_what_its_line_says(
    client: TestClient, send: Callable[..., Response], file: bytes
) -> None:
    response = send(file)
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        path = f"/admin/datasets/{response.json()['dataset_id']}"
        kept = client.get(f"{path}/requests").json()["requests"]
        sent = [json.loads(line) for line in file.split(b"\n") if line.strip()]
        assert [(one["custom_id"], one["body"]) for one in kept] == [
            (one["custom_id"], one["body"]) for one in sent
        ]
        client.delete(path).raise_for_status()
