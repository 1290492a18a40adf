from typing import Any

import httpx
import openai
import pytest
from openai_api.check import CHAT, ECHO, Services, check, error_of, request


def _refused(services: Services, file_id: str = "file-none", **params: Any) -> tuple[Any, Any]:
    """Code and parameter of the error that creating a batch with ``params`` is answered with."""
    given: dict[str, Any] = {
        "input_file_id": file_id,
        "endpoint": CHAT,
        "completion_window": "24h",
    } | params
    extra = {name: given.pop(name) for name in list(given) if name == "nonsense"}
    with pytest.raises(openai.BadRequestError) as caught:
        services.usual.client.batches.create(**given, extra_body=extra)
    assert error_of(caught.value)["type"] == "invalid_request_error"
    return caught.value.code, caught.value.param


@check("Errors", "Every error is `{error: {message, type, param, code}}`, also on unknown routes")
def shape(services: Services) -> None:
    client = services.usual.client
    for method, path in (("GET", "/nonsense"), ("POST", "/fine_tuning/jobs"), ("GET", "/")):
        with pytest.raises(openai.NotFoundError) as caught:
            if method == "GET":
                client.get(path, cast_to=object)
            else:
                client.post(path, cast_to=object, body={})
        assert error_of(caught.value)["code"] == "unknown_url"
        assert f"{method} /v1{path}" in error_of(caught.value)["message"]


@check("Errors", "A method that a route does not have is 405")
def methods(services: Services) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        services.usual.client.put("/files", cast_to=object, body={})
    assert caught.value.status_code == 405
    assert error_of(caught.value)["code"] == "method_not_allowed"


@check("Errors", "Single completions, embeddings and responses are not offered, and it says so")
def not_offered(services: Services) -> None:
    client = services.usual.client
    messages: Any = [{"role": "user", "content": "Hi"}]
    for call in (
        lambda: client.chat.completions.create(model=ECHO, messages=messages),
        lambda: client.completions.create(model=ECHO, prompt="Hi"),
        lambda: client.embeddings.create(model=ECHO, input="Hi"),
        lambda: client.responses.create(model=ECHO, input="Hi"),
    ):
        with pytest.raises(openai.NotFoundError, match="batch") as caught:
            call()
        assert error_of(caught.value)["code"] == "not_offered"


@check("Errors", "An unknown file or batch is `NotFoundError`")
def not_found(services: Services) -> None:
    client = services.usual.client
    for call in (
        lambda: client.files.retrieve("file-none"),
        lambda: client.files.content("file-none"),
        lambda: client.files.delete("file-none"),
        lambda: client.batches.retrieve("batch_none"),
        lambda: client.batches.cancel("batch_none"),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        problem = error_of(caught.value)
        assert "none" in problem["message"]
        assert problem["type"] == "invalid_request_error"


@check("Errors", "An endpoint that is not supported: `invalid_value`")
def endpoint(services: Services) -> None:
    for wrong in ("/v1/invalid", "/v1/images/generations", "/v1/responses", ""):
        assert _refused(services, endpoint=wrong) == ("invalid_value", "endpoint")


@check("Errors", "An id that is no file's: `invalid_value`")
def no_file_id(services: Services) -> None:
    for wrong in ("batchinput.jsonl", "ds_4f1c0a9be27d", ""):
        assert _refused(services, file_id=wrong) == ("invalid_value", "input_file_id")


@check("Errors", "A completion window other than `24h`: `invalid_value`")
def window(services: Services) -> None:
    for wrong in ("1h", "48h", "invalid", ""):
        code = ("invalid_value", "completion_window")
        assert _refused(services, completion_window=wrong) == code


@check("Errors", "A missing parameter: `missing_required_parameter`")
def missing(services: Services) -> None:
    whole = {"input_file_id": "file-none", "endpoint": CHAT, "completion_window": "24h"}
    for name in whole:
        body = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(openai.BadRequestError) as caught:
            services.usual.client.post("/batches", cast_to=object, body=body)
        assert error_of(caught.value) == {
            "message": f"Missing required parameter: '{name}'.",
            "type": "invalid_request_error",
            "param": name,
            "code": "missing_required_parameter",
        }


@check("Errors", "A parameter that does not exist: `unknown_parameter`")
def unknown(services: Services) -> None:
    assert _refused(services, nonsense=1) == ("unknown_parameter", "nonsense")


@check("Errors", "A parameter of the wrong type: `invalid_type`")
def types(services: Services) -> None:
    assert _refused(services, file_id=5) == ("invalid_type", "input_file_id")  # type: ignore[arg-type]
    tags = {"tags": ["a", "b"]}
    assert _refused(services, metadata=tags) == ("invalid_type", "metadata.tags")
    assert _refused(services, metadata=["a"]) == ("invalid_type", "metadata")


@check("Errors", "Metadata has at most 16 pairs of 64 and 512 characters")
def metadata(services: Services) -> None:
    file = services.usual.upload(request("a"))
    largest = {f"{i:064}": "x" * 512 for i in range(16)}
    batch = services.usual.create(file.id, metadata=largest)
    assert services.usual.client.batches.retrieve(batch.id).metadata == largest
    for wrong, code, param in (
        ({str(i): "x" for i in range(17)}, "object_above_max_properties", "metadata"),
        ({"k" * 65: "x"}, "string_above_max_length", "metadata"),
        ({"k": "x" * 513}, "string_above_max_length", "metadata.k"),
    ):
        assert _refused(services, metadata=wrong) == (code, param)


@check("Errors", "`output_expires_after` is between 1 hour and 30 days")
def expiry(services: Services) -> None:
    for seconds, code in ((3599, "integer_below_min_value"), (2592001, "integer_above_max_value")):
        after = {"anchor": "created_at", "seconds": seconds}
        with pytest.raises(openai.BadRequestError) as caught:
            services.usual.create("file-none", extra_body={"output_expires_after": after})
        assert (caught.value.code, caught.value.param) == (code, "output_expires_after.seconds")


@check("Errors", "A body that is no JSON is `BadRequestError`")
def no_json(services: Services) -> None:
    url = f"{services.usual.base_url}/v1/batches"
    headers = {"content-type": "application/json"}
    for body in (b"{not json", b"[]", b'"text"', b""):
        response = httpx.post(url, content=body, headers=headers)
        assert response.status_code == 400
        assert response.json()["error"]["type"] == "invalid_request_error"


@check("Errors", "A form that is broken is `BadRequestError`: no boundary, no file, no purpose")
def forms(services: Services) -> None:
    url = f"{services.usual.base_url}/v1/files"
    file = {"file": ("a.jsonl", b"{}\n")}
    for response, code in (
        (httpx.post(url, content=b"x", headers={"content-type": "multipart/form-data"}), None),
        (httpx.post(url, json={"purpose": "batch"}), "not_multipart"),
        (httpx.post(url, data={"purpose": "batch"}, files={"other": b"x"}), "missing_file"),
        (httpx.post(url, files=file), "missing_required_parameter"),
    ):
        assert response.status_code == 400
        assert code in (None, response.json()["error"]["code"])


@check("Errors", "The order of a form's fields does not matter")
def field_order(services: Services) -> None:
    boundary = "b0undary"
    parts = {
        "purpose": b'name="purpose"\r\n\r\nbatch\r\n',
        "file": b'name="file"; filename="a.jsonl"\r\n\r\n{}\n\r\n',
    }
    for order in (("purpose", "file"), ("file", "purpose")):
        head = f"--{boundary}\r\ncontent-disposition: form-data; ".encode()
        body = b"".join(head + parts[name] for name in order) + f"--{boundary}--\r\n".encode()
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        response = httpx.post(f"{services.usual.base_url}/v1/files", content=body, headers=headers)
        assert response.status_code == 200, response.text


@check("Errors", "Every response has an `x-request-id`, which the client shows")
def request_ids(services: Services) -> None:
    page = services.usual.client.models.list()
    assert page._request_id
    with pytest.raises(openai.NotFoundError) as caught:
        services.usual.client.files.retrieve("file-none")
    assert caught.value.request_id
