"""What to do about a request that may have killed its engine.

A request that crashes the engine (a bug in a kernel, memory) would crash every engine after it.
The journal says which requests were in the engine when a process died. One that was there often is
suspected and asked alone, with nothing else in the engine, so that it takes nobody with it; one
that dies alone again is given an error as its result, and the benchmark goes on.
"""

import time
import uuid
from typing import Any

import orjson

from jobs.parts import Record

# Machines die by themselves too: two deaths may be chance, and asking alone is slow.
SUSPECTED_AFTER = 3
CONVICTED_AFTER = 2


def verdict(row: dict[str, Any], alone: int, replica: str) -> Record:
    """The result of a request in whose company of none the engine died ``alone`` times."""
    message = (
        f"The engine died each of the {alone} times that this request was asked with nothing else "
        "in the engine. The job's log says how it died."
    )
    return Record(
        row_id=row["row_id"],
        custom_id=row["custom_id"],
        request_id=f"req_{uuid.uuid4().hex}",
        status_code=500,
        body=None,
        error=orjson.dumps({"code": "engine_died", "message": message}).decode(),
        text=message,
        finish_reason=None,
        prompt_tokens=None,
        cached_tokens=None,
        output_tokens=None,
        latency_ms=0.0,
        ttft_ms=None,
        itl_ms=None,
        queue_ms=None,
        finished_at=time.time(),
        replica=replica,
    )
