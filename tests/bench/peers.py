"""The others, each in a process of its own: the same requests on the same engine arguments.

    PYTHONPATH=.:tests python -m bench.peers raw --model FILE --requests FILE --out FILE

Writes a JSON object: ``seconds`` from the first request in to the last result written,
``output_tokens``, and ``total_seconds`` with loading.
"""

import asyncio
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import psutil
import typer

from cluster.settings import settings
from jobs import machine, registry
from jobs.engine import arguments
from jobs.schemas.models import ModelSpec
from jobs.weights import resolve

Json = dict[str, Any]

# What is asked of our own front end, and what the other side of the comparison names otherwise.
_NOT_OF_THE_ENGINE = {
    "served_model_name",
    "chat_template",
    "enable_per_request_metrics",
    "enable_prompt_tokens_details",
    "enable_log_requests",
}


# Requests that Ray Data LLM hands to its engine together.
_BATCH = 32


class Peer(StrEnum):
    RAW = "raw"
    """``LLM.chat`` with all prompts at once."""
    RUN_BATCH = "run-batch"
    """``vllm run-batch``."""
    RAY_DATA_LLM = "ray-data-llm"
    """Ray Data LLM's ``build_processor``."""


def engine_arguments(model: ModelSpec) -> Json:
    """The arguments that this platform gives its engine, as far as they are the engine's."""
    on_gpu = bool(machine.read().gpus)
    given = arguments(model, resolve(model), "generate", on_gpu=on_gpu)
    return {name: value for name, value in given.items() if name not in _NOT_OF_THE_ENGINE}


def raw(model: ModelSpec, requests: list[Json], out: Path) -> tuple[float, int]:
    from vllm import LLM, SamplingParams

    llm = LLM(**engine_arguments(model))
    messages = [one["body"]["messages"] for one in requests]
    params = [SamplingParams(**_sampling(one["body"])) for one in requests]
    began = time.monotonic()
    answers = llm.chat(messages, params, use_tqdm=False)
    lines = [
        {"custom_id": one["custom_id"], "text": answer.outputs[0].text}
        for one, answer in zip(requests, answers, strict=True)
    ]
    out.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    seconds = time.monotonic() - began
    return seconds, sum(len(answer.outputs[0].token_ids) for answer in answers)


def run_batch(model: ModelSpec, requests: list[Json], out: Path) -> tuple[float, int]:
    from vllm.entrypoints.launchers import run_batch as batch

    given = engine_arguments(model)
    asked = out.with_suffix(".in.jsonl")
    named = [one | {"body": one["body"] | {"model": given["model"]}} for one in requests]
    asked.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in named))
    sys.argv = ["run-batch", "-i", str(asked), "-o", str(out)]
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            sys.argv.append(flag if value else f"--no-{name.replace('_', '-')}")
        elif value is not None:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            sys.argv += [flag, text]
    began = ended = 0.0
    build, run = batch.build_endpoint_registry, batch.run_batch

    async def built(**given: Any) -> Any:
        # Its application is a part of loading, as that of this platform is.
        nonlocal began
        registry = await build(**given)
        began = time.monotonic()
        return registry

    async def ran(*args: Any) -> None:
        nonlocal ended
        await run(*args)
        ended = time.monotonic()

    batch.build_endpoint_registry, batch.run_batch = built, ran
    asyncio.run(batch.main(batch.parse_args()))
    answers = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    usages = [answer["response"]["body"]["usage"] for answer in answers]
    return ended - began, sum(usage["completion_tokens"] for usage in usages)


def ray_data_llm(model: ModelSpec, requests: list[Json], out: Path) -> tuple[float, int]:
    import pyarrow.parquet as pq
    import ray
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    # Logical CPUs: its stages ask for one each and hang where there are too few.
    os.environ.update(
        RAY_worker_niceness="0",
        RAY_USAGE_STATS_ENABLED="0",
        # Its 30 s were not enough on a machine that others use too.
        RAY_raylet_start_wait_time_s="180",
    )
    ray.init(num_cpus=8, include_dashboard=False, log_to_driver=False)
    given = engine_arguments(model)
    config = vLLMEngineProcessorConfig(
        model_source=given.pop("model"),
        engine_kwargs=given,
        concurrency=1,
        batch_size=_BATCH,
        # Twice max_num_seqs in the engine, as this platform has.
        max_concurrent_batches=-(-2 * model.max_num_seqs // _BATCH),
        # It asks for a GPU otherwise.
        placement_group_config=None if machine.read().gpus else {"bundle_per_worker": {"CPU": 1}},
    )
    processor = build_processor(
        config,
        preprocess=lambda row: {
            "custom_id": row["custom_id"],
            "messages": orjson.loads(row["messages"]),
            "sampling_params": orjson.loads(row["sampling"]),
        },
        postprocess=lambda row: {
            "custom_id": row["custom_id"],
            "text": row["generated_text"],
            "tokens": row["num_generated_tokens"],
            "began": time.time() - row["time_taken_llm"],
        },
    )
    rows = [
        {
            "custom_id": one["custom_id"],
            "messages": orjson.dumps(one["body"]["messages"]).decode(),
            "sampling": orjson.dumps(_sampling(one["body"])).decode(),
        }
        for one in requests
    ]
    processor(ray.data.from_items(rows, override_num_blocks=8)).write_parquet(str(out))
    ended = time.time()
    written = pq.read_table(out).to_pydict()
    ray.shutdown()
    return ended - min(written["began"]), sum(written["tokens"])


def _sampling(body: Json) -> Json:
    return {name: body[name] for name in ("max_tokens", "temperature", "ignore_eos")}


def main(
    peer: Peer,
    model: Annotated[Path, typer.Option(help="Its entry in the registry, a YAML file.")],
    requests: Annotated[Path, typer.Option(help="JSONL in OpenAI's batch format.")],
    out: Annotated[Path, typer.Option(help="Where the measurement is written.")],
) -> None:
    began = time.monotonic()
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(settings().cpu_kv_cache_gib)
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    asked = [orjson.loads(line) for line in requests.read_bytes().splitlines()]
    contender = {Peer.RAW: raw, Peer.RUN_BATCH: run_batch, Peer.RAY_DATA_LLM: ray_data_llm}[peer]
    seconds, tokens = contender(registry.read_entry(model), asked, out.with_suffix(".answers"))
    measured = {
        "seconds": seconds,
        "output_tokens": tokens,
        "total_seconds": time.monotonic() - began,
    }
    out.write_bytes(orjson.dumps(measured))
    # vLLM's engine process was seen to outlive `LLM`, which then waits for it for ever on exit.
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(0)


if __name__ == "__main__":
    typer.run(main)
