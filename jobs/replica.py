"""One replica: an engine in an actor of Ray Data's pool, doing chunks.

Each call of the actor does a few chunks. Several run at once, so that the engine's continuous
batching never drains between chunks; how many requests are in the engine is bounded here.
"""

import asyncio
import os
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import numpy as np
import orjson
import structlog
import uvloop

from cluster import heap, logs, space
from cluster.settings import settings
from cluster.space import StorageFull
from cluster.storage import StorageUnavailable, storage, unavailable
from jobs import deaths, engine, history, patience, request_file
from jobs.parts import Chunk, Record
from jobs.reporter import Reporter
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.requests import Endpoint
from jobs.slots import Slots

log = structlog.get_logger()

# Enough that the engine always finds a waiting request when one ends (measured: below this the
# batch drains at chunk ends), few enough that the wait in its queue stays a small part of latency.
IN_FLIGHT_PER_SEQ = 2
_STOP_SECONDS = 10.0
_COLUMNS = ["row_id", "custom_id", "url", "body"]
_SILENT_TOGETHER_SECONDS = 1.0

STORAGE_FULL = (
    "The storage is full: results could not be written. Free some space, then retry the benchmark: "
    "every finished result is kept, and only the rest is done."
)

STORAGE_AWAY = (
    "Results could not be written for too long. Retry the benchmark once the store is back: every "
    "finished result is kept, and only the rest is done."
)

Batch = dict[str, np.ndarray]
Row = dict[str, Any]
"""A request of the dataset: its :data:`_COLUMNS`."""
T = TypeVar("T")


class Replica:
    """The callable class of ``map_batches``: takes chunk indices, returns their counts."""

    def __init__(self, spec: dict[str, Any], *, on_gpu: bool) -> None:
        self._spec = BenchmarkSpec.model_validate(spec)
        logs.always(benchmark_id=self._spec.benchmark_id)
        storage().patience = settings().job_storage_patience_seconds
        self._name = f"{os.uname().nodename}-{os.getpid()}"
        self._rows = request_file.Reader(self._spec.dataset_id, _COLUMNS)
        self._engine = engine.create(self._spec, on_gpu=on_gpu)
        self._bounded = patience.Bounded(self._engine)
        self._overrides = self._spec.sampling.model_dump(exclude_none=True)
        self._in_flight = IN_FLIGHT_PER_SEQ * self._spec.model.max_num_seqs
        self._slots = Slots(self._in_flight)
        self._alone = asyncio.Lock()
        self._asked = 0
        self._failed: Exception | None = None
        # The engine lives on a loop of its own, so that loading it fails in the constructor,
        # where Ray Data reports it, and so that reports go out while every call is busy.
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="engine").start()
        started = time.monotonic()
        self._run(self._engine.start()).result()
        load_seconds = time.monotonic() - started
        # Only here: most of what it needs has been imported by the engine meanwhile.
        from jobs import facts

        heap.settle()
        log.info("engine loaded", replica=self._name, seconds=round(load_seconds, 1))
        # Digests of large weights take a while, which is no reason not to begin.
        self._noting = ThreadPoolExecutor(1, "manifest").submit(
            facts.note, self._spec, self._name, self._engine.memory(), on_gpu=on_gpu
        )
        self._reporter = Reporter(self._spec.benchmark_id, self._name, self._engine, load_seconds)
        self._reporting = self._run(self._reporter.run())
        # From here on: while an engine loads, it may well block its loop for minutes.
        self._watching = self._run(patience.watch_loop())
        # Ray Data lets go of it before Ray kills the processes of the engine, which the engine
        # would call an error: a stack trace, as the last words in the log of every benchmark.
        weakref.finalize(self, _stop, self._engine, self._loop)

    async def __call__(self, batch: Batch) -> Batch:
        doing = [asyncio.wrap_future(self._run(self._do(int(index)))) for index in batch["chunk"]]
        finished = await asyncio.gather(*doing)
        # What made the results is known before they count.
        await asyncio.wrap_future(self._noting)
        return {"chunk": batch["chunk"], "finished": np.array(finished)}

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _do(self, index: int) -> int:
        try:
            return await self._do_chunk(index)
        except Exception as error:
            self._failed = self._failed or error
            if space.is_full(error):
                raise StorageFull(STORAGE_FULL) from error
            if said := unavailable(error):
                raise StorageUnavailable(f"{said} {STORAGE_AWAY}") from None
            raise

    async def _do_chunk(self, index: int) -> int:
        chunk = Chunk(self._spec.benchmark_id, index)
        if await storage().off_loop(chunk.is_done):
            # Ray repeats a call whose output was lost with the node that held it.
            tally = await asyncio.to_thread(chunk.read_tally)
            self._reporter.count(index, tally)
            return tally.finished
        company, suspects = await storage().off_loop(self._open, chunk)
        with closing(chunk):
            async with asyncio.TaskGroup() as group:
                while company:
                    for row in await self._admit(company, chunk):
                        group.create_task(self._in_company(row, chunk, group))
            for row in suspects:
                await self._by_itself(row, chunk)
            await asyncio.to_thread(chunk.finish)
        self._reporter.count(index, chunk.tally)
        return chunk.tally.finished

    def _open(self, chunk: Chunk) -> tuple[deque[Row], list[Row]]:
        """Returns the requests of a chunk without a result: those to ask together, and suspects."""
        chunk.open(history.superseded(self._spec.benchmark_id, chunk.index))
        first = chunk.index * self._spec.chunk_rows
        last = min(first + self._spec.chunk_rows, self._spec.total)
        company: deque[Row] = deque()
        suspects: list[Row] = []
        for row in self._rows.rows(first, last):
            if row["row_id"] in chunk.records:
                continue
            suspected = chunk.deaths[row["row_id"]] >= deaths.SUSPECTED_AFTER
            (suspects if suspected else company).append(row)
        return company, suspects

    async def _admit(self, company: deque[Row], chunk: Chunk) -> list[Row]:
        """Take the next requests, as many as there are free slots, and at least one."""
        taken = await self._slots.take(len(company))
        admitted = [company.popleft() for _ in range(taken)]
        try:
            await self._note_asked(admitted, chunk)
        except BaseException:
            self._slots.give_back(taken)
            raise
        return admitted

    async def _in_company(self, row: Row, chunk: Chunk, group: asyncio.TaskGroup) -> None:
        try:
            found = await self._result(row, chunk)
        finally:
            self._slots.give_back()
        # All that finish in this turn of the loop, as after a step of the engine, are kept by one
        # write in the next. Until then they are not finished: nothing has counted them.
        if not chunk.unkept:
            group.create_task(self._keep_all(chunk))
        chunk.unkept.append(found)

    async def _keep_all(self, chunk: Chunk) -> None:
        # Where a write takes a while, what finishes meanwhile is kept by the next.
        async with chunk.writing:
            found, chunk.unkept = chunk.unkept, []
            await self._keep(found, chunk)

    async def _keep(self, found: list[Record], chunk: Chunk) -> None:
        if self._engine.dead:
            # What a dying engine answers are errors that are not the requests' own. The journal
            # has none of them yet; Ray restarts this actor and they are asked again.
            patience.end_process("the engine died")
        if self._failed is not None:
            # The benchmark ends, and what there is of it is counted: other chunks add no more.
            raise self._failed
        await storage().off_loop(chunk.add, *found)
        self._reporter.count(chunk.index, chunk.tally)

    async def _by_itself(self, row: Row, chunk: Chunk) -> None:
        """Ask with nothing else in the engine, or no more if that has killed it too."""
        alone = chunk.deaths_alone[row["row_id"]]
        if alone >= deaths.CONVICTED_AFTER:
            log.error("request kills the engine", custom_id=row["custom_id"], deaths=alone)
            verdict = unanswered(row, "engine_died", deaths.verdict(alone), 0.0, self._name)
            await storage().off_loop(chunk.add, verdict)
            return
        # One at a time collects the slots: two would wait for each other's for ever.
        async with self._alone:
            await self._slots.take_all()
            try:
                await self._note_asked([row], chunk, alone=True)
                await self._keep([await self._result(row, chunk)], chunk)
            finally:
                self._slots.give_back(self._in_flight)

    async def _note_asked(self, rows: list[Row], chunk: Chunk, *, alone: bool = False) -> None:
        # Not asked if the answers could not be kept.
        storage().require()
        await storage().off_loop(chunk.ask, *(row["row_id"] for row in rows), alone=alone)

    async def _result(self, row: Row, chunk: Chunk) -> Record:
        self._asked += 1
        started = time.monotonic()
        try:
            return await self._ask(row)
        except patience.Silent as silent:
            if self._asked == 1:
                latency_ms = _since_ms(started)
                chunk.add(unanswered(row, "request_timeout", str(silent), latency_ms, self._name))
            else:
                chunk.suspect(row["row_id"])
                # Others that have waited as long say so at this moment as well.
                await asyncio.sleep(_SILENT_TOGETHER_SECONDS)
            # Whatever the engine does there, it may go on doing it.
            patience.end_process("the engine is silent")
        finally:
            self._asked -= 1

    async def _ask(self, row: Row) -> Record:
        body = prepare(row["url"], orjson.loads(row["body"]), self._overrides)
        started = time.monotonic()
        try:
            answer = await self._bounded.answer(row["url"], body)
            return record(row, answer, _since_ms(started), self._name)
        except patience.Silent:
            raise
        except Exception as error:  # a request fails alone, whatever it did to the engine's code
            if self._engine.dead:
                # All that are in flight fail with it. Their stack traces say nothing more, and
                # writing them held this loop for minutes.
                patience.end_process("the engine died")
            log.exception("request failed", custom_id=row["custom_id"])
            answer = engine.Answer(500, {"error": {"message": repr(error), "type": "EngineError"}})
            latency_ms = answer.latency_ms or _since_ms(started)
            return record(row, answer, latency_ms, self._name)


def _stop(stopped: engine.Engine, loop: asyncio.AbstractEventLoop) -> None:
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(stopped.stop(), loop).result(_STOP_SECONDS)


def prepare(url: str, body: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The body to send: the request's own with the benchmark's overrides, the fields of
    :class:`jobs.schemas.sampling.Sampling` that are set.

    Streaming is dropped, as in OpenAI's batches: a result is one body.
    """
    body.pop("stream", None)
    body.pop("stream_options", None)
    if url == Endpoint.EMBEDDINGS:
        return body
    if url == Endpoint.CHAT and "max_tokens" in overrides:
        # Of the two names for the same limit, vLLM prefers the newer.
        body.pop("max_tokens", None)
        overrides = overrides | {"max_completion_tokens": overrides["max_tokens"]}
        del overrides["max_tokens"]
    return body | overrides


def record(
    row: dict[str, Any], answer: engine.Answer, latency_ms: float | None, replica: str
) -> Record:
    """What is stored of an answer, with vLLM's own figures for the request.

    ``mean_itl_ms`` is decode time over output tokens less one.
    """
    body = answer.body
    choices = body.get("choices") or [{}]
    usage = body.get("usage") or {}
    metrics = body.get("metrics") or {}
    return Record(
        row_id=row["row_id"],
        custom_id=row["custom_id"],
        request_id=body.get("id") or f"req_{uuid.uuid4().hex}",
        status_code=answer.status_code,
        body=orjson.dumps(body).decode(),
        error=None,
        text=_text(choices[0]) if answer.status_code < 300 else _error_text(body),
        finish_reason=choices[0].get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        output_tokens=usage.get("completion_tokens"),
        latency_ms=latency_ms,
        ttft_ms=_first_token_ms(metrics, latency_ms),
        itl_ms=metrics.get("mean_itl_ms"),
        queue_ms=metrics.get("queue_time_ms"),
        finished_at=time.time(),
        replica=replica,
    )


def _first_token_ms(metrics: dict[str, Any], latency_ms: float | None) -> float | None:
    """From hand-over, so that templates and tokenizing count: all of the time but generation.

    Without the one or the other, what the engine says, whose clock begins at its own queue.
    """
    generation_ms = metrics.get("generation_time_ms")
    if latency_ms is not None and generation_ms is not None:
        return max(latency_ms - generation_ms, 0.0)
    scheduled_ms = metrics.get("time_to_first_token_ms")
    return None if scheduled_ms is None else scheduled_ms + (metrics.get("queue_time_ms") or 0.0)


def unanswered(
    row: dict[str, Any], code: str, message: str, latency_ms: float | None, replica: str
) -> Record:
    """What is stored of a request that its engine gave no answer to: an error without response."""
    empty = record(row, engine.Answer(0, {}), latency_ms, replica)
    error = orjson.dumps({"code": code, "message": message}).decode()
    empty.update(body=None, error=error, text=message)
    return empty


def _since_ms(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _text(choice: dict[str, Any]) -> str | None:
    message = choice.get("message") or {}
    text = message.get("content", choice.get("text"))
    if text is None and message.get("tool_calls"):
        text = orjson.dumps(message["tool_calls"]).decode()
    return text


def _error_text(body: dict[str, Any]) -> str | None:
    problem = body.get("error")
    return problem.get("message") if isinstance(problem, dict) else None
