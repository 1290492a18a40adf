"""Uploading over HTTP: streams, names, and everything that can be wrong with a form."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import chats, jsonl
from fastapi.testclient import TestClient
from httpx import Response

from cluster.storage import storage
from jobs.uploads import Upload

Problem = Callable[[Response], dict[str, Any]]
Send = Callable[..., Response]

BOUNDARY = "xxBOUNDARYxx"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
PATH = "/admin/datasets/upload"


def part(content: bytes, field: str = "file", filename: str | None = "a.jsonl") -> bytes:
    name = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
GOOD = jsonl(*chats(3))


@pytest.fixture
def post(client: TestClient, data_folder: Path) -> Iterator[Callable[..., Response]]:
    """Post a raw body. Of all that is refused, nothing may be left."""
    refused: list[bool] = []

    def send(body: bytes | Iterator[bytes], headers: dict[str, str] = HEADERS) -> Response:
        response = client.post(PATH, content=body, headers=headers)
        refused.append(response.status_code != 200)
        return response

    yield send
    if all(refused):
        assert client.get("/admin/datasets").json() == {"datasets": [], "total": 0}
        assert storage().list("datasets") == []
        scratch = data_folder / "scratch"
        assert not scratch.exists() or list(scratch.iterdir()) == []


def test_a_file_comes_back_byte_by_byte(client: TestClient, send: Send) -> None:
    dataset_id = send(GOOD, "mine.jsonl").json()["dataset_id"]
    download = client.get(f"/admin/datasets/{dataset_id}/download")
    assert download.content == GOOD
    assert download.headers["content-type"] == "application/jsonl"
    assert 'filename="mine.jsonl"' in download.headers["content-disposition"]


def test_a_body_in_small_pieces_without_a_length(post: Callable[..., Response]) -> None:
    body = part(b"other", "comment", None) + part(GOOD) + END
    response = post(body[i : i + 7] for i in range(0, len(body), 7))
    assert response.json()["count"] == 3


def test_a_file_larger_than_a_piece(post: Callable[..., Response]) -> None:
    requests = jsonl(*chats(30_000))
    assert len(requests) > 2 * 2**20
    assert post(part(requests) + END).json()["count"] == 30_000


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\\a\\b.jsonl", "b.jsonl"),
        ("a\x01\x1b[31mb.jsonl", "a[31mb.jsonl"),
        ("x" * 5000, "x" * 200),
        ("候補者.jsonl", "候補者.jsonl"),
        ("", "dataset.jsonl"),
        (None, "dataset.jsonl"),
    ],
)
def test_a_hostile_name_is_made_harmless(
    client: TestClient, post: Callable[..., Response], sent: str | None, shown: str
) -> None:
    response = post(part(GOOD, filename=sent) + END)
    assert response.json()["name"] == shown
    path = f"/admin/datasets/{response.json()['dataset_id']}/download"
    assert client.get(path).status_code == 200


def test_of_300_bad_lines_100_are_listed(send: Send, problem: Problem, client: TestClient) -> None:
    response = send(b"not json\n" * 300)
    error = problem(response)
    assert (response.status_code, error["code"]) == (422, "invalid_dataset")
    assert error["details"]["total_errors"] == 300
    assert [one["line"] for one in error["details"]["errors"]] == list(range(1, 101))
    assert "Line 1:" in error["message"]
    assert client.get("/admin/datasets").json()["total"] == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (part(GOOD, field="data") + END, "missing_file"),
        (END, "missing_file"),
        (part(GOOD) + part(GOOD) + END, "several_files"),
        (part(GOOD)[:-20], "upload_incomplete"),
        (part(GOOD)[:60], "missing_file"),
        (b"no multipart at all", "bad_multipart"),
        (f"--{BOUNDARY}\r\nContent-Disposition: nonsense\r\n\r\nx\r\n".encode() + END, None),
        (b"", None),
    ],
)
def test_a_form_that_is_not_right(
    post: Callable[..., Response], problem: Problem, body: bytes, code: str | None
) -> None:
    response = post(body)
    assert response.status_code == 400
    assert code in (None, problem(response)["code"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data"},
        {"content-type": "multipart/form-data; boundary="},
        {"content-type": "multipart/form-data; boundary=other"},
        {"content-type": "multipart/form-data; boundary=" + "x" * 1000},
    ],
)
def test_a_body_that_is_no_form(
    post: Callable[..., Response], problem: Problem, headers: dict[str, str]
) -> None:
    response = post(part(GOOD) + END, headers)
    assert response.status_code == 400
    assert problem(response)["code"] in ("not_multipart", "bad_multipart", "missing_file")


def test_a_file_that_is_too_large(
    post: Callable[..., Response], problem: Problem, configure: Callable[..., None]
) -> None:
    configure(max_upload_bytes=100)
    response = post(part(GOOD) + END)
    assert (response.status_code, problem(response)["code"]) == (413, "upload_too_large")


def test_an_empty_file(post: Callable[..., Response], problem: Problem) -> None:
    response = post(part(b"") + END)
    assert (response.status_code, problem(response)["code"]) == (422, "empty_dataset")


@pytest.mark.parametrize(("error", "status"), [(28, 507), (122, 507), (5, 500)])
def test_a_full_disk_is_called_so(
    post: Callable[..., Response],
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
    error: int,
    status: int,
) -> None:
    def feed(*_: Any) -> None:
        raise OSError(error, "no")

    monkeypatch.setattr(Upload, "feed", feed)
    response = post(part(GOOD) + END)
    code = {507: "storage_full", 500: "internal_error"}[status]
    assert (response.status_code, problem(response)["code"]) == (status, code)


@pytest.mark.parametrize("depth", [100, 240, 250, 254, 300, 1000])
def test_deep_json_is_refused_or_can_be_read_again(
    client: TestClient, send: Send, depth: int
) -> None:
    line = b'{"messages": [{"role": "user", "content": %s}]}\n' % (b"[" * depth + b"]" * depth)
    response = send(line)
    if response.status_code == 200:
        path = f"/admin/datasets/{response.json()['dataset_id']}/requests"
        assert client.get(path).status_code == 200
    else:
        assert response.status_code == 422
