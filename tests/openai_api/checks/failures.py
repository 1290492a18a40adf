"""Batches that fail: codes, parameters and lines as OpenAI's own service was seen to answer."""

from openai.types import Batch
from openai_api.check import BROKEN, CHAT, ECHO, Services, check, ids, request, requests


def _errors(batch: Batch) -> list[tuple[str | None, str | None, int | None]]:
    """Code, parameter and line of each error of a failed batch."""
    assert batch.status == "failed"
    assert batch.failed_at is not None
    assert batch.output_file_id is batch.error_file_id is None
    assert batch.errors is not None
    assert batch.errors.object == "list"
    assert batch.errors.data
    for error in batch.errors.data:
        assert error.message
    return [(error.code, error.param, error.line) for error in batch.errors.data]


@check("Failures", "A line that is no JSON: `invalid_json_line`")
def no_json(services: Services) -> None:
    for bad in (b"{not json\n", b"[]\n", b"\xff\n"):
        batch = services.usual.run(request("a"), bad, request("b"))
        assert _errors(batch) == [("invalid_json_line", None, 2)]


@check("Failures", "A missing field: `missing_required_parameter`, which and on which line")
def missing(services: Services) -> None:
    names = ("custom_id", "method", "url", "body")
    lines = [
        {key: value for key, value in request(f"r-{name}").items() if key != name} for name in names
    ]
    batch = services.usual.run(*lines)
    assert _errors(batch) == [
        ("missing_required_parameter", name, line) for line, name in enumerate(names, 1)
    ]
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert batch.errors.data[0].message == "Missing required parameter: 'custom_id'."


@check("Failures", "A body alone is no line of a batch")
def bare(services: Services) -> None:
    batch = services.usual.run(request("a")["body"])
    assert ("missing_required_parameter", "custom_id", 1) in _errors(batch)


@check("Failures", "The same `custom_id` twice: `duplicate_custom_id`")
def duplicates(services: Services) -> None:
    batch = services.usual.run(request("same"), request("other"), request("same"))
    assert _errors(batch) == [("duplicate_custom_id", "custom_id", 3)]


@check("Failures", "A url other than the batch's endpoint: `invalid_url`")
def urls(services: Services) -> None:
    embedding = {"custom_id": "e", "method": "POST", "url": "/v1/embeddings"}
    unknown = request("u") | {"url": "/v1/images/generations"}
    batch = services.usual.run(
        request("a"), embedding | {"body": {"model": ECHO, "input": "Hi"}}, unknown
    )
    assert _errors(batch) == [("invalid_url", "url", 2), ("invalid_url", "url", 3)]


@check("Failures", "A method other than POST: `invalid_method`")
def methods(services: Services) -> None:
    batch = services.usual.run(request("a") | {"method": "GET"})
    assert _errors(batch) == [("invalid_method", "method", 1)]


@check("Failures", "A model that is not in the registry: `model_not_found`")
def unknown_model(services: Services) -> None:
    batch = services.usual.run(request("a", model="gpt-none"))
    assert _errors(batch) == [("model_not_found", "body.model", 1)]


@check("Failures", "More than one model in a file: `mismatched_model`")
def mixed_models(services: Services) -> None:
    batch = services.usual.run(request("a"), request("b", model="test/slow"), request("c"))
    assert _errors(batch) == [("mismatched_model", "body.model", 2)]


@check("Failures", "No model, or no messages: `invalid_request` with the parameter")
def incomplete(services: Services) -> None:
    no_model = request("a")
    del no_model["body"]["model"]
    no_messages = request("b")
    del no_messages["body"]["messages"]
    assert _errors(services.usual.run(no_model)) == [("invalid_request", "body.model", 1)]
    assert _errors(services.usual.run(no_messages)) == [("invalid_request", "body.messages", 1)]


@check("Failures", "A request that streams: `streaming_unsupported`")
def streams(services: Services) -> None:
    batch = services.usual.run(request("a", stream=False), request("b", stream=True))
    assert _errors(batch) == [("streaming_unsupported", "body.stream", 2)]


@check("Failures", "Errors of all kinds are listed together, by line")
def together(services: Services) -> None:
    batch = services.usual.run(
        request("a"), b"{\n", request("b", model="gpt-none"), request("c") | {"method": "PUT"}
    )
    assert _errors(batch) == [
        ("invalid_json_line", None, 2),
        ("model_not_found", "body.model", 3),
        ("invalid_method", "method", 4),
    ]


@check("Failures", "Of very many errors the first are listed")
def many(services: Services) -> None:
    errors = _errors(services.usual.run(b"{\n" * 5000))
    assert [line for _, _, line in errors] == list(range(1, 101))


@check("Failures", "A file without a request: `empty_file`")
def empty(services: Services) -> None:
    assert _errors(services.usual.run(b"\n\n")) == [("empty_file", None, None)]


@check("Failures", "Too many requests: `too_many_tasks`")
def too_many(services: Services) -> None:
    assert _errors(services.strict.run(*requests(21))) == [("too_many_tasks", None, None)]


@check("Failures", "A file that does not exist, or no more: the batch fails, as at OpenAI")
def no_file(services: Services) -> None:
    deleted = services.usual.upload(request("a"))
    services.usual.client.files.delete(deleted.id)
    for file_id in ("file-none", deleted.id):
        batch = services.usual.wait(services.usual.create(file_id).id)
        assert _errors(batch) == [("invalid_request", "file_id", None)]


@check("Failures", "A file of another purpose: the batch fails")
def other_purpose(services: Services) -> None:
    output = services.usual.run(request("a")).output_file_id
    assert output is not None
    batch = services.usual.wait(services.usual.create(output).id)
    assert _errors(batch) == [("invalid_file_purpose", "file_id", None)]


@check("Failures", "A failed batch counts no request")
def no_counts(services: Services) -> None:
    batch = services.usual.run(b"{\n")
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 0, "completed": 0, "failed": 0}


@check("Failures", "A model that cannot be loaded fails the batch, and says why")
def not_loadable(services: Services) -> None:
    batch = services.usual.run(*requests(3, BROKEN), endpoint=CHAT)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [error.code for error in batch.errors.data] == ["benchmark_failed"]
    assert "no config.json" in (batch.errors.data[0].message or "")
    rest = services.usual.lines(batch.error_file_id)
    assert sorted(ids(rest)) == ["request-0", "request-1", "request-2"]
    assert {line["error"]["code"] for line in rest} == {"batch_failed"}
