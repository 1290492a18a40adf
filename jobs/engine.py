"""Engines: what answers a request. vLLM for real, and a fake that is named as such; another service
is asked by :mod:`jobs.endpoint`.

An engine takes an OpenAI request (URL and body) and gives the HTTP status and body of its answer.
vLLM is run as its own OpenAI-compatible application inside this process and called without a
socket, so that everything of the format (templates, parameters, errors, usage) is vLLM's own.
"""

import asyncio
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

import orjson
import structlog

from cluster.aside import helpers_step_aside, step_aside
from cluster.settings import settings
from jobs import asgi, worker_memory
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.memory import MemoryTaken
from jobs.schemas.models import ModelSpec
from jobs.schemas.progress import EngineLoad
from jobs.schemas.requests import Endpoint
from jobs.weights import resolve

log = structlog.get_logger()

_REPORT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine said to one request."""

    status_code: int
    body: dict[str, Any]
    latency_ms: float | None = None
    """Time that the answer took, if that is not the time since the hand-over."""


class Engine(Protocol):
    async def start(self) -> None:
        """Load. Raises when the model cannot be loaded; the message says why."""
        ...

    async def send(self, url: str, body: dict[str, Any]) -> Answer:
        """Answer one request. A request that the engine rejects is an answer with its status."""
        ...

    @property
    def dead(self) -> bool:
        """The engine will never answer again, so what it answered last may not be trusted."""
        ...

    @property
    def last_sign(self) -> float:
        """When it last generated something, by the monotonic clock."""
        ...

    @property
    def load(self) -> EngineLoad | None:
        """What it has to do and has done, as of its last step; none where that is not known."""
        ...

    async def responds(self) -> bool:
        """Whether it is there at all. May take for ever; the caller bounds it."""
        ...

    def memory(self) -> MemoryTaken | None:
        """What it has taken, once started; none where it is not known."""
        ...

    async def stop(self) -> None: ...


def create(spec: BenchmarkSpec, *, on_gpu: bool) -> Engine:
    """The engine that the benchmark's model asks for; not yet started."""
    # Imported here, because it takes Answer from this module.
    from jobs.endpoint import EndpointEngine

    match spec.model.engine:
        case "vllm":
            return VllmEngine(spec.model, task=spec.task, on_gpu=on_gpu)
        case "endpoint":
            return EndpointEngine(spec.model)
        case "fake":
            return FakeEngine(spec.model)
        case "imported":
            raise ValueError(f"{spec.model.name}: imported results have no engine")


class VllmEngine:
    """vLLM's OpenAI application in process."""

    def __init__(self, model: ModelSpec, *, task: str, on_gpu: bool) -> None:
        self._model = model
        self._task = task
        self._on_gpu = on_gpu
        self._llm: Any = None
        self._app: asgi.Application | None = None
        self._last_sign = time.monotonic()
        self._load: EngineLoad | None = None
        self._memory: MemoryTaken | None = None

    async def start(self) -> None:
        # Read by vLLM when it is imported.
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(settings().cpu_kv_cache_gib))
        weights = await asyncio.to_thread(resolve, self._model)

        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.entrypoints.launchers.api_server.app_state import init_app_state
        from vllm.entrypoints.launchers.app import build_app
        from vllm.entrypoints.launchers.cli_args import make_arg_parser
        from vllm.usage.usage_lib import UsageContext
        from vllm.utils.argparse_utils import FlexibleArgumentParser
        from vllm.v1.engine.async_llm import AsyncLLM

        from jobs.engine_pulse import Pulse

        args: Any = make_arg_parser(FlexibleArgumentParser()).parse_args([])
        args.worker_extension_cls = worker_memory.QUALIFIED_NAME
        given = arguments(self._model, weights, self._task, on_gpu=self._on_gpu)
        for name, value in given.items():
            if not hasattr(args, name):
                raise ValueError(f"{self._model.model_id}: vLLM has no engine argument {name!r}")
            setattr(args, name, value)
        # Building the engine blocks for as long as the weights load, but must happen on the loop
        # that will run it; nothing else is on this loop yet.
        self._llm = AsyncLLM.from_engine_args(
            AsyncEngineArgs.from_cli_args(args),
            # What an entry leaves open is as in `vllm serve`: an engine in process would put no
            # more into a step on a large GPU than on a small one.
            usage_context=UsageContext.OPENAI_API_SERVER,
            stat_loggers=[partial(Pulse, self._beat)],
        )
        tasks = await self._llm.get_supported_tasks()
        app = build_app(args, tasks, self._llm.model_config)
        await init_app_state(self._llm, app.state, args, tasks)
        self._app = cast(asgi.Application, app)
        if not self._on_gpu:
            # vLLM's own processes are there by now, on the cores that it gave them.
            step_aside()
            helpers_step_aside()
        self._memory = await self._measured()

    async def _measured(self) -> MemoryTaken | None:
        try:
            reports = await self._llm.collective_rpc("report_memory", _REPORT_SECONDS)
            return taken(reports, self._llm.vllm_config.cache_config)
        except Exception:  # that it cannot be told must not cost the results
            log.exception("the engine does not tell its memory", model_id=self._model.model_id)
            return None

    async def send(self, url: str, body: dict[str, Any]) -> Answer:
        assert self._app is not None, "start() first"
        # It accepts only names that it serves, so every request is sent under this one.
        asked = orjson.dumps(body | {"model": self._model.model_id})
        status, data = await asgi.post(self._app, url, asked)
        try:
            answer = orjson.loads(data)
        except orjson.JSONDecodeError:
            answer = {"error": {"message": data[:1000].decode(errors="replace"), "code": status}}
        return Answer(status, answer)

    @property
    def dead(self) -> bool:
        return bool(self._llm is not None and self._llm.errored)

    @property
    def last_sign(self) -> float:
        return self._last_sign

    @property
    def load(self) -> EngineLoad | None:
        return self._load

    def _beat(self, load: EngineLoad) -> None:
        self._last_sign = time.monotonic()
        self._load = load

    async def responds(self) -> bool:
        await self._llm.is_sleeping()  # any question that the engine's own process answers
        return True

    def memory(self) -> MemoryTaken | None:
        return self._memory

    async def stop(self) -> None:
        if self._llm is not None:
            self._llm.shutdown()


def taken(reports: list[dict[str, int]], cache: Any) -> MemoryTaken:
    """What the workers of :mod:`jobs.worker_memory` and vLLM's ``CacheConfig`` say together."""
    most = {
        name: max(report[name] for report in reports if name in report)
        for name in {name for report in reports for name in report}
    }
    weights, consumed = most.get("weights_bytes"), most.get("consumed_bytes")
    overhead = None
    if weights is not None and consumed is not None:
        # What was taken includes the weights, but not what is free again after each step.
        overhead = max(consumed - weights, 0) + most.get("activation_bytes", 0)
    return MemoryTaken(
        weights_bytes=weights,
        overhead_bytes=overhead,
        process_bytes=most.get("process_bytes"),
        kv_cache_bytes=most.get("kv_cache_bytes"),
        kv_cache_blocks=getattr(cache, "num_gpu_blocks", None),
        block_tokens=getattr(cache, "block_size", None),
        kv_cache_tokens=getattr(cache, "kv_cache_size_tokens", None),
    )


def arguments(model: ModelSpec, weights: str, task: str, *, on_gpu: bool) -> dict[str, Any]:
    """vLLM's arguments, as of `vllm serve`, for a model whose weights are at ``weights``.

    On CPU one engine uses all cores of a machine, so ``tensor_parallel`` has no meaning there.
    """
    given: dict[str, Any] = {
        "model": weights,
        "revision": model.weights.revision,
        "served_model_name": [model.model_id],
        "dtype": model.dtype,
        "quantization": model.quantization,
        "max_model_len": model.max_model_len,
        "tensor_parallel_size": model.tensor_parallel if on_gpu else 1,
        "max_num_seqs": model.max_num_seqs,
        "chat_template": model.chat_template,
        "enable_per_request_metrics": True,
        "enable_prompt_tokens_details": True,
        "enable_log_requests": False,
    }
    if given["tensor_parallel_size"] > 1:
        # The actor holds the GPUs of its group already; vLLM must not ask Ray for more.
        given["distributed_executor_backend"] = "mp"
    if task == "embed":
        given |= {"runner": "pooling", "convert": "embed"}
    return given | model.engine_args | ({} if on_gpu else model.cpu_engine_args)


class FakeEngine:
    """Answers by rule and without a model, for load and fault tests. Never for real results.

    ``engine_args`` of its registry entry set the pace: ``load_seconds`` (default 0),
    ``request_seconds`` (0) and ``output_tokens`` (16). The same request gets the same answer; one
    that asks for JSON of a schema gets an instance of it. A request that contains ``fake:error`` is
    answered with status 400, ``fake:hang`` is never answered, ``fake:block`` runs a regular
    expression that never ends, and ``fake:die`` ends the process, as a crash of a real engine does.
    With ``ledger``, a file, each request that comes in is noted there, so that a test sees what was
    asked twice.
    """

    def __init__(self, model: ModelSpec) -> None:
        self._model = model
        self._load = float(model.engine_args.get("load_seconds", 0))
        self._pace = float(model.engine_args.get("request_seconds", 0))
        self._tokens = int(model.engine_args.get("output_tokens", 16))
        ledger = model.engine_args.get("ledger")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._ledger = os.open(ledger, flags, 0o600) if ledger else None
        self._last_sign = time.monotonic()

    async def start(self) -> None:
        await asyncio.sleep(self._load)

    async def send(self, url: str, body: dict[str, Any]) -> Answer:
        text = str(body.get("messages") or body.get("prompt") or body.get("input"))
        if self._ledger is not None:
            os.write(self._ledger, f"{time.time():.3f} {os.getpid()} {text}\n".encode())
        await asyncio.sleep(self._pace)
        if "fake:die" in text:
            os._exit(1)
        if "fake:error" in text:
            problem = {"message": "rejected as asked", "type": "BadRequestError", "code": 400}
            return Answer(400, {"error": problem})
        if "fake:hang" in text:
            await asyncio.Event().wait()
        if "fake:block" in text:
            re.match(r"(a+)+$", "a" * 64 + "b")
        self._last_sign = time.monotonic()
        digest = hashlib.sha256(text.encode()).hexdigest()
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or self._tokens
        tokens = min(self._tokens, int(limit))
        content = " ".join(["fake", *(digest[i : i + 4] for i in range(tokens - 1))])
        asked_for = cast(dict[str, Any], body.get("response_format") or {}).get("json_schema")
        if asked_for:
            content = json.dumps(_instance(asked_for["schema"], int(digest, 16)))
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        if url == Endpoint.COMPLETIONS:
            choice["text"] = content
        else:
            choice["message"] = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": len(text.split()), "completion_tokens": tokens}
        usage["total_tokens"] = sum(usage.values())
        return Answer(
            200,
            {
                "id": f"fake-{digest[:16]}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": self._model.model_id,
                "choices": [choice],
                "usage": usage,
            },
        )

    @property
    def dead(self) -> bool:
        return False

    @property
    def last_sign(self) -> float:
        return self._last_sign

    @property
    def load(self) -> None:
        return None

    async def responds(self) -> bool:
        return True

    def memory(self) -> None:
        return None

    async def stop(self) -> None:
        return


def _instance(schema: dict[str, Any], seed: int) -> Any:
    """A value that conforms to a simple schema: objects of texts and of members of enumerations."""
    if "enum" in schema:
        return schema["enum"][seed % len(schema["enum"])]
    if "properties" in schema:
        properties: dict[str, dict[str, Any]] = schema["properties"]
        return {name: _instance(one, seed) for name, one in properties.items()}
    return "fake"
