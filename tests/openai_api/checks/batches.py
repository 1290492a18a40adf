import asyncio
import time

import openai
import pytest
from openai.types.chat import ChatCompletion
from openai_api.check import CHAT, ECHO, SLOW, Services, check, ids, request, requests

FIELDS = {
    *("id", "object", "endpoint", "model", "errors", "input_file_id", "completion_window"),
    *("status", "output_file_id", "error_file_id", "created_at", "in_progress_at", "expires_at"),
    *("finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at"),
    *("cancelled_at", "request_counts", "usage", "metadata"),
}


@check("Batches", "A new batch is `validating`, with all fields of the batch object")
def created(services: Services) -> None:
    before = int(time.time())
    file = services.usual.upload(request("a"))
    batch = services.usual.create(file.id, metadata={"description": "nightly eval job"})
    raw = batch.to_dict(exclude_unset=False)
    assert raw.keys() >= FIELDS
    assert batch.id.startswith("batch_")
    assert (batch.object, batch.status, batch.endpoint) == ("batch", "validating", CHAT)
    assert (batch.input_file_id, batch.completion_window) == (file.id, "24h")
    assert batch.metadata == {"description": "nightly eval job"}
    assert before <= batch.created_at <= time.time()
    assert batch.expires_at == batch.created_at + 24 * 3600
    counts = batch.request_counts
    assert counts is not None
    assert (counts.total, counts.completed, counts.failed) == (0, 0, 0)
    for name in FIELDS - {"metadata"}:
        if name.endswith("_at") and name not in ("created_at", "expires_at"):
            assert raw[name] is None, name
    assert raw["errors"] is raw["output_file_id"] is raw["error_file_id"] is None


@check("Batches", "It goes through `in_progress` and `finalizing` to `completed`, times ascending")
def states(services: Services) -> None:
    file = services.usual.upload(*requests(40, SLOW))
    batch = services.usual.create(file.id)
    seen = [batch.status]
    while batch.status not in ("completed", "failed"):
        batch = services.usual.client.batches.retrieve(batch.id)
        if batch.status != seen[-1]:
            seen.append(batch.status)
    order = ["validating", "in_progress", "finalizing", "completed"]
    assert seen == [status for status in order if status in seen]
    assert {"validating", "in_progress", "completed"} <= set(seen)
    times = [batch.created_at, batch.in_progress_at, batch.finalizing_at, batch.completed_at]
    assert None not in times
    assert times == sorted(times, key=lambda at: at or 0)
    assert batch.failed_at is batch.expired_at is batch.cancelling_at is batch.cancelled_at is None


@check("Batches", "`request_counts` go up while it is at work")
def counts(services: Services) -> None:
    batch = services.usual.started(*requests(100, SLOW))
    assert batch.request_counts is not None
    assert batch.request_counts.total == 100
    assert 0 < batch.request_counts.completed < 100
    services.usual.client.batches.cancel(batch.id)


@check("Batches", "Each line of the output file answers one request, by `custom_id`")
def output(services: Services) -> None:
    batch = services.usual.run(*requests(100))
    lines = services.usual.lines(batch.output_file_id)
    assert sorted(ids(lines)) == sorted(f"request-{i}" for i in range(100))
    for line in lines:
        assert line.keys() == {"id", "custom_id", "response", "error"}
        assert line["id"].startswith("batch_req_")
        assert line["error"] is None
        assert line["response"].keys() == {"status_code", "request_id", "body"}
        assert line["response"]["status_code"] == 200
        answer = ChatCompletion.model_validate(line["response"]["body"])
        assert answer.choices[0].message.content
    assert len({line["id"] for line in lines}) == 100
    assert batch.error_file_id is None


@check("Batches", "Requests that are rejected are in the error file, each line in one file only")
def errors(services: Services) -> None:
    lines = [*requests(10), request("bad-1", "fake:error"), request("bad-2", "fake:error")]
    batch = services.usual.run(*lines)
    assert batch.status == "completed"
    output = services.usual.lines(batch.output_file_id)
    failed = services.usual.lines(batch.error_file_id)
    assert sorted(ids(failed)) == ["bad-1", "bad-2"]
    assert sorted(ids(output) + ids(failed)) == sorted(ids(lines))
    for line in failed:
        assert line["error"] is None
        assert line["response"]["status_code"] == 400
        assert line["response"]["body"]["error"]["message"] == "rejected as asked"
    counts = batch.request_counts
    assert counts is not None
    assert (counts.total, counts.completed, counts.failed) == (12, 10, 2)


@check("Batches", "`output_file_id` is null when every request failed; the batch is `completed`")
def all_failed(services: Services) -> None:
    batch = services.usual.run(request("bad", "fake:error"))
    assert (batch.status, batch.output_file_id) == ("completed", None)
    assert ids(services.usual.lines(batch.error_file_id)) == ["bad"]


@check("Batches", "`usage` sums the tokens, and `model` is the lines'")
def usage(services: Services) -> None:
    batch = services.usual.run(*requests(10))
    lines = services.usual.lines(batch.output_file_id)
    used = [line["response"]["body"]["usage"] for line in lines]
    raw = batch.to_dict()
    assert raw["model"] == ECHO
    assert raw["usage"] == {
        "input_tokens": sum(one["prompt_tokens"] for one in used),
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": sum(one["completion_tokens"] for one in used),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(one["total_tokens"] for one in used),
    }


@check("Batches", "Output and error files are files: listed, described, deletable")
def output_files(services: Services) -> None:
    client = services.usual.client
    batch = services.usual.run(request("a"), request("b", "fake:error"))
    for file_id, kind in ((batch.output_file_id, "output"), (batch.error_file_id, "error")):
        assert file_id is not None
        file = client.files.retrieve(file_id)
        assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_{kind}.jsonl")
        assert file.bytes == len(client.files.content(file_id).content)
        assert file_id in [one.id for one in client.files.list(purpose="batch_output")]
        assert client.files.delete(file_id).deleted
        with pytest.raises(openai.NotFoundError):
            client.files.content(file_id)


@check("Batches", "`output_expires_after` sets the files' `expires_at`")
def output_expiry(services: Services) -> None:
    after = {"anchor": "created_at", "seconds": 7200}
    batch = services.usual.run(request("a"), extra_body={"output_expires_after": after})
    assert batch.output_file_id is not None
    file = services.usual.client.files.retrieve(batch.output_file_id)
    assert file.expires_at is not None
    assert abs(file.expires_at - file.created_at - 7200) <= 1


@check("Batches", "Completions and embeddings are endpoints as well")
def endpoints(services: Services) -> None:
    for endpoint, body in (
        ("/v1/completions", {"prompt": "Once upon"}),
        ("/v1/embeddings", {"input": ["a", "b"]}),
    ):
        line = {"custom_id": "one", "method": "POST", "url": endpoint}
        batch = services.usual.run(line | {"body": {"model": ECHO, **body}}, endpoint=endpoint)
        assert (batch.status, batch.endpoint) == ("completed", endpoint)
        assert ids(services.usual.lines(batch.output_file_id)) == ["one"]


@check("Batches", "A file serves several batches")
def again(services: Services) -> None:
    file = services.usual.upload(*requests(3))
    first, second = services.usual.create(file.id), services.usual.create(file.id)
    assert first.id != second.id
    for batch in (first, second):
        ended = services.usual.wait(batch.id)
        assert len(services.usual.lines(ended.output_file_id)) == 3


@check("Batches", "A cancelled batch is `cancelling`, then `cancelled`")
def cancelling(services: Services) -> None:
    batch = services.usual.started(*requests(200, SLOW))
    batch = services.usual.client.batches.cancel(batch.id)
    assert batch.status == "cancelling"
    assert batch.cancelling_at is not None
    batch = services.usual.wait(batch.id)
    assert batch.status == "cancelled"
    assert batch.cancelled_at is not None
    assert batch.completed_at is None


@check("Batches", "What was finished before is in its output file, the rest in its error file")
def partial(services: Services) -> None:
    lines = requests(200, SLOW)
    batch = services.usual.started(*lines)
    services.usual.client.batches.cancel(batch.id)
    batch = services.usual.wait(batch.id)
    output = services.usual.lines(batch.output_file_id)
    rest = services.usual.lines(batch.error_file_id)
    assert output
    assert rest
    assert sorted(ids(output) + ids(rest)) == sorted(ids(lines))
    assert {line["error"]["code"] for line in rest} == {"batch_cancelled"}
    assert {line["response"] for line in rest} == {None}
    assert batch.request_counts is not None
    assert batch.request_counts.completed == len(output)


@check("Batches", "A batch is cancelled before it has begun, too")
def cancelled_early(services: Services) -> None:
    file = services.usual.upload(*requests(3, SLOW))
    services.usual.client.batches.cancel(services.usual.create(file.id).id)
    batch = next(iter(services.usual.client.batches.list(limit=1)))
    batch = services.usual.wait(batch.id)
    assert batch.status == "cancelled"
    output = services.usual.lines(batch.output_file_id)
    rest = services.usual.lines(batch.error_file_id)
    assert sorted(ids(output) + ids(rest)) == ["request-0", "request-1", "request-2"]


@check("Batches", "Cancelling again changes nothing")
def cancelled_again(services: Services) -> None:
    batch = services.usual.started(*requests(200, SLOW))
    for _ in range(2):
        services.usual.client.batches.cancel(batch.id)
    ended = services.usual.wait(batch.id)
    assert services.usual.client.batches.cancel(batch.id) == ended


@check("Batches", "One that has ended cannot be cancelled: `ConflictError`")
def cancelled_late(services: Services) -> None:
    for batch in (services.usual.run(request("a")), services.usual.run(b"{\n")):
        with pytest.raises(openai.ConflictError) as caught:
            services.usual.client.batches.cancel(batch.id)
        message = f"Cannot cancel a batch with status '{batch.status}'."
        assert caught.value.body["message"] == message  # type: ignore[index]
        assert services.usual.client.batches.retrieve(batch.id) == batch


@check("Batches", "After the completion window it is `expired`, and what was finished is returned")
def expired(services: Services) -> None:
    # 20 requests are all that this service takes in one file: each is so slow that they last.
    lines = [request(f"slow-{i}", model="test/crawl") for i in range(20)]
    batch = services.strict.run(*lines)
    assert batch.status == "expired"
    assert batch.expired_at is not None
    assert batch.expires_at is not None
    assert batch.expired_at >= batch.expires_at
    output = services.strict.lines(batch.output_file_id)
    rest = services.strict.lines(batch.error_file_id)
    assert output
    assert rest
    assert sorted(ids(output) + ids(rest)) == sorted(ids(lines))
    for line in rest:
        assert line["response"] is None
        assert line["error"] == {
            "code": "batch_expired",
            "message": "This request could not be executed before the completion window expired.",
        }


@check("Batches", "The asynchronous client works alike")
def asynchronous(services: Services) -> None:
    async def run() -> None:
        base_url = f"{services.usual.base_url}/v1"
        async with openai.AsyncOpenAI(base_url=base_url, api_key="none") as client:
            content = services.usual.client.files.content(services.usual.upload(request("a")).id)
            file = await client.files.create(file=("a.jsonl", content.read()), purpose="batch")
            batch = await client.batches.create(
                input_file_id=file.id, endpoint=CHAT, completion_window="24h"
            )
            while batch.status != "completed":
                assert batch.status not in ("failed", "expired", "cancelled")
                batch = await client.batches.retrieve(batch.id)
            assert batch.output_file_id is not None
            answer = await client.files.content(batch.output_file_id)
            assert '"custom_id":"a"' in answer.text
            assert batch.id in [one.id async for one in client.batches.list(limit=3)]

    asyncio.run(run())
