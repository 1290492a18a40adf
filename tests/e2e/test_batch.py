"""The example of OpenAI's batch guide on a real model, unchanged but for base_url and model.

https://platform.openai.com/docs/guides/batch
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion

from serve_app.demo import EMBEDDED

pytestmark = pytest.mark.e2e

MODEL = EMBEDDED[0]
SYSTEM = ("You are a helpful assistant.", "You are an unhelpful assistant.")


def guide_line(number: int) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": SYSTEM[number - 1]},
        {"role": "user", "content": "Hello world!"},
    ]
    body: dict[str, Any] = {"model": MODEL, "messages": messages, "max_tokens": 24}
    return {
        "custom_id": f"request-{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }


@pytest.fixture
def client(demo: Any) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{demo.url}/v1", api_key="none") as opened:
        yield opened


def test_the_guides_example(demo: Any, client: OpenAI, tmp_path: Path) -> None:
    # 1. Prepare your batch file: the guide's two requests, and one that the engine refuses.
    refused = guide_line(1) | {"custom_id": "refused"}
    refused["body"] = refused["body"] | {"temperature": -3}
    path = tmp_path / "batchinput.jsonl"
    path.write_text("".join(json.dumps(x) + "\n" for x in (guide_line(1), guide_line(2), refused)))

    # 2. Upload your batch input file
    with path.open("rb") as opened:
        batch_input_file = client.files.create(file=opened, purpose="batch")

    # 3. Create the batch
    batch = client.batches.create(
        input_file_id=batch_input_file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"description": "nightly eval job"},
    )

    # 4. Check the status of a batch
    deadline = time.monotonic() + 400
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        assert time.monotonic() < deadline, f"waited in vain: {batch}"
        time.sleep(1)
        batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed", batch
    assert batch.metadata == {"description": "nightly eval job"}

    # 5. Retrieve the results
    assert batch.output_file_id is not None
    file_response = client.files.content(batch.output_file_id)
    lines = [json.loads(line) for line in file_response.text.splitlines()]
    assert [line["custom_id"] for line in lines] == ["request-1", "request-2"]
    answers = [ChatCompletion.model_validate(line["response"]["body"]) for line in lines]
    for answer in answers:
        assert answer.object == "chat.completion"
        assert answer.model == MODEL
        assert answer.choices[0].message.content
    assert batch.usage is not None
    used = [answer.usage for answer in answers if answer.usage]
    assert batch.usage.input_tokens == sum(usage.prompt_tokens for usage in used)
    assert batch.usage.output_tokens == sum(usage.completion_tokens for usage in used)
    assert batch.error_file_id is not None
    error = json.loads(client.files.content(batch.error_file_id).text)
    assert (error["custom_id"], error["response"]["status_code"]) == ("refused", 400)
    assert "temperature" in error["response"]["body"]["error"]["message"]

    # 7. Getting a list of all batches; and the other face of this one
    assert batch.id in [one.id for one in client.batches.list(limit=10)]
    benchmark = httpx.get(f"{demo.url}/admin/benchmarks/{batch.id.replace('batch_', 'bm_')}").json()
    assert (benchmark["completed"], benchmark["failed"]) == (2, 1)
