"""CPU and memory of the parts of a running service, by name, or of any process and its children."""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from cluster.session import Session, processes

_WORDS = {
    "engine": "VLLM::",
    "replica": "MapWorker",
    "driver": "-m jobs.driver",
    "tracker": "ray::Tracker",
    "api": "ray::ServeReplica",
}
# Of a second: what Ray and Serve take when nothing goes on.
_IDLE_CPU_SECONDS = 0.3


@dataclass
class Usage:
    """Of one part: the most memory at a time, and CPU time since the watch began."""

    peak_bytes: int = 0
    cpu_seconds: float = 0.0


@dataclass
class Watch:
    """Looks at the processes of a service, or at a process and its children, while a block runs."""

    of: Session | psutil.Process
    every: float = 1.0
    """Seconds. A look reads the environment of every process there is: at four a second, it took a
    tenth of a core from the engine whose rate was measured."""
    usage: dict[str, Usage] = field(default_factory=dict)
    """By the name of the part."""
    peak_bytes: int = 0
    """Of all together."""
    _before: dict[int, float] = field(default_factory=dict)
    _after: dict[int, tuple[str, float]] = field(default_factory=dict)

    def __enter__(self) -> "Watch":
        for process in self._processes():
            self._before[process.pid] = _cpu(process) or 0.0
        self._look()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()
        for pid, (name, seconds) in self._after.items():
            used = self.usage.setdefault(name, Usage())
            used.cpu_seconds += max(seconds - self._before.get(pid, 0.0), 0.0)

    def cpu_seconds(self, names: Iterable[str] | None = None) -> float:
        """Of the named parts, or of all."""
        wanted = set(self.usage) if names is None else set(names)
        return sum(used.cpu_seconds for name, used in self.usage.items() if name in wanted)

    def _processes(self) -> list[psutil.Process]:
        if isinstance(self.of, Session):
            return processes(self.of)
        with suppress(psutil.NoSuchProcess):
            return [self.of, *self.of.children(recursive=True)]
        return []

    def _run(self) -> None:
        # This thread alone, to the core that an engine on CPU leaves free: nothing that measures
        # runs beside the peers.
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        while not self._done.wait(self.every):
            self._look()

    def _look(self) -> None:
        memory: dict[str, int] = {}
        for process in self._processes():
            name, seconds = _name(process), _cpu(process)
            if name is None or seconds is None:
                continue
            self._after[process.pid] = (name, seconds)
            memory[name] = memory.get(name, 0) + _memory(process)
        self.peak_bytes = max(self.peak_bytes, sum(memory.values()))
        for name, size in memory.items():
            used = self.usage.setdefault(name, Usage())
            used.peak_bytes = max(used.peak_bytes, size)


def settle(session: Session) -> None:
    """Wait until a service has done what it does once, after its start."""
    while True:
        before = cpu_seconds(processes(session))
        time.sleep(1.0)
        if cpu_seconds(processes(session)) - before < _IDLE_CPU_SECONDS:
            return


def cpu_seconds(of: Iterable[psutil.Process]) -> float:
    """CPU time of processes since they began; of one that has ended, none."""
    return sum(_cpu(process) or 0.0 for process in of)


def _name(process: psutil.Process) -> str | None:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return None
    return next((name for name, word in _WORDS.items() if word in command), "ray")


def _cpu(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return times.user + times.system


def _memory(process: psutil.Process) -> int:
    """What it has of its own; the object store is shared by all of them."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return memory.rss - memory.shared
