import io
import tempfile
import time
from pathlib import Path

import openai
import pytest
from openai_api.check import SLOW, Services, check, error_of, request, requests


@check("Files", "An upload is answered with the file object, all fields of it")
def uploaded(services: Services) -> None:
    before = int(time.time())
    file = services.usual.upload(request("a"), name="mine.jsonl")
    assert file.object == "file"
    assert file.id.startswith("file-")
    assert (file.filename, file.purpose, file.status) == ("mine.jsonl", "batch", "processed")
    assert before <= file.created_at <= time.time()
    assert file.bytes == len(services.usual.client.files.content(file.id).content)
    fields = {"id", "object", "bytes", "created_at", "expires_at", "filename", "purpose", "status"}
    assert file.to_dict().keys() >= fields
    assert file.expires_at is None


@check("Files", "A path, an open file and bytes are taken alike")
def kinds(services: Services) -> None:
    content = b'{"custom_id": "a"}\n'
    create = services.usual.client.files.create
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "by-path.jsonl"
        path.write_bytes(content)
        by_path = create(file=path, purpose="batch")
        with path.open("rb") as opened:
            by_handle = create(file=opened, purpose="batch")
    by_bytes = create(file=content, purpose="batch")
    by_buffer = create(file=io.BytesIO(content), purpose="batch")
    assert by_path.filename == by_handle.filename == "by-path.jsonl"
    for file in (by_path, by_handle, by_bytes, by_buffer):
        assert services.usual.client.files.content(file.id).content == content


@check("Files", "A file comes back byte by byte, as text, lines or stream")
def content(services: Services) -> None:
    data = '{"custom_id": "ü"}\r\n\n{"not": "valid"'.encode()
    file = services.usual.upload(data)
    client = services.usual.client
    assert client.files.content(file.id).read() == data
    assert client.files.content(file.id).text == data.decode()
    assert b"".join(client.files.content(file.id).iter_bytes()) == data
    with client.files.with_streaming_response.content(file.id) as streamed:
        assert b"".join(streamed.iter_bytes()) == data


@check("Files", "A file is retrieved as it was answered to its upload")
def retrieved(services: Services) -> None:
    file = services.usual.upload(request("a"))
    assert services.usual.client.files.retrieve(file.id) == file


@check("Files", "Lines that are not right are accepted, as at OpenAI: the batch says what is wrong")
def bad_lines(services: Services) -> None:
    file = services.usual.upload(request("a"), b"{not json\n")
    assert file.status == "processed"
    assert services.usual.client.files.retrieve(file.id) == file


@check("Files", "`expires_after` sets `expires_at`")
def expiry(services: Services) -> None:
    after = {"anchor": "created_at", "seconds": 3600}
    file = services.usual.upload(request("a"), extra_body={"expires_after": after})
    assert file.expires_at is not None
    assert abs(file.expires_at - file.created_at - 3600) <= 1


@check("Files", "`expires_after` is between 1 hour and 30 days")
def expiry_bounds(services: Services) -> None:
    for seconds, code in ((3599, "integer_below_min_value"), (2592001, "integer_above_max_value")):
        after = {"anchor": "created_at", "seconds": seconds}
        with pytest.raises(openai.BadRequestError) as caught:
            services.usual.upload(request("a"), extra_body={"expires_after": after})
        assert caught.value.code == code
        assert caught.value.param == "expires_after.seconds"


@check("Files", "A deleted file is gone")
def deleted(services: Services) -> None:
    client = services.usual.client
    file = services.usual.upload(request("a"))
    answer = client.files.delete(file.id)
    assert (answer.id, answer.deleted, answer.object) == (file.id, True, "file")
    for asked in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            asked(file.id)
        assert error_of(caught.value)["message"] == f"No such File object: {file.id}"
    assert file.id not in [one.id for one in client.files.list()]


@check("Files", "A file with bad lines can be deleted")
def bad_deleted(services: Services) -> None:
    file = services.usual.upload(b"{not json\n")
    assert services.usual.client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        services.usual.client.files.content(file.id)


@check("Files", "The input of a live batch cannot be deleted: `ConflictError`")
def in_use(services: Services) -> None:
    batch = services.usual.started(*requests(200, SLOW))
    with pytest.raises(openai.ConflictError):
        services.usual.client.files.delete(batch.input_file_id)
    services.usual.client.batches.cancel(batch.id)
    services.usual.wait(batch.id, "cancelled")
    assert services.usual.client.files.delete(batch.input_file_id).deleted


@check("Files", "A purpose other than `batch` is `BadRequestError`")
def purposes(services: Services) -> None:
    for purpose in ("fine-tune", "assistants", "nonsense"):
        with pytest.raises(openai.BadRequestError) as caught:
            services.usual.client.files.create(
                file=("a.jsonl", b"{}"),
                purpose=purpose,  # type: ignore[arg-type]
            )
        assert (caught.value.code, caught.value.param) == ("invalid_value", "purpose")


@check("Files", "An empty file is `BadRequestError`")
def empty(services: Services) -> None:
    with pytest.raises(openai.BadRequestError, match="jsonl"):
        services.usual.upload(b"")


@check("Files", "A file that is too large is refused with 413")
def too_large(services: Services) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        services.strict.upload(*requests(200))
    assert caught.value.status_code == 413
    assert error_of(caught.value)["type"] == "invalid_request_error"
