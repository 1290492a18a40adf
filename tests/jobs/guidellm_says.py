"""What GuideLLM's own classes say of the requests of ``vllm_says.json``, for ``test_performance``.

``python tests/jobs/guidellm_says.py`` writes it into ``guidellm_says.json``, once for each version
of GuideLLM, in an environment that has it (``pip install guidellm``): it is no dependency here.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from guidellm.schemas import (
    GenerativeRequestStats,
    RequestInfo,
    RequestTimings,
    UsageMetrics,
)
from guidellm.schemas.benchmark.goodput import GoodputSLO


def stats(index: int, one: dict[str, Any]) -> GenerativeRequestStats:
    start, end = one["start"], one["start"] + one["latency"]
    timings = RequestTimings(
        request_start=start,
        first_token_iteration=start + one["ttft"],
        last_token_iteration=end,
        request_end=end,
        resolve_end=end,
    )
    return GenerativeRequestStats(
        request_id=str(index),
        info=RequestInfo(request_id=str(index), timings=timings),
        input_metrics=UsageMetrics(text_tokens=one["prompt_tokens"]),
        output_metrics=UsageMetrics(text_tokens=one["output_tokens"]),
    )


def conforms(one: GenerativeRequestStats, slo: GoodputSLO) -> bool | None:
    latency = one.request_latency
    return slo.is_conforming(
        one.time_to_first_token_ms,
        one.inter_token_latency_ms,
        None if latency is None else 1000 * latency,
    )


here = Path(__file__)
recorded = json.loads(here.with_name("vllm_says.json").read_text())["bench_serve"]
succeeded = [stats(i, one) for i, one in enumerate(recorded["requests"]) if one["success"]]
limits = {f"{name}_ms": limit for name, limit in recorded["limits"].items()}
slo = GoodputSLO(**limits)
said = {
    "guidellm": version("guidellm"),
    "requests": [
        {
            "ttft_ms": one.time_to_first_token_ms,
            "itl_ms": one.inter_token_latency_ms,
            "latency_ms": 1000 * (one.request_latency or 0.0),
            "tokens": one.total_tokens,
            "conforms": conforms(one, slo),
        }
        for one in succeeded
    ],
}
here.with_suffix(".json").write_text(json.dumps(said, indent=1) + "\n")
