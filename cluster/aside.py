"""Keeping what only looks after benchmarks off the cores of an engine on CPU.

vLLM binds a thread to each core but the last, which it leaves to what goes on beside it, its own
scheduler first. Whatever takes a few percent of a bound thread's core takes them from the whole
engine: beside Ray, Serve and the tracker, on two cores, an engine had 0.93 of its core, where one
alone had 0.998. And whatever keeps the scheduler waiting, once a token, keeps all threads waiting,
so what steps aside gives way there as well.
"""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.session import Session, command, processes

NICENESS = 10
_NVIDIA = Path("/proc/driver/nvidia/version")
# Workers, and with them engines, inherit the cores of the raylet.
_ENGINES_COME_FROM = ("raylet/raylet", "ray::")
# What looks after other things: the tracker, jobs' drivers and supervisors, agents of the node,
# Serve's controller and proxies, and the three actors that Ray Data has for itself.
_HELPERS = (
    *(" -m jobs.driver ", "TrackerActor"),
    *("ray::DashboardAgent", "ray::RuntimeEnvAgent", "ray::JobSupervisor"),
    *("ray::ServeController", "ray::ProxyActor", "ray::HAProxyManager"),
    *("ray::_StatsActor", "ray::_AutoscalingCoordinator", "ray::ActorLocationTracker"),
)


# What is raised of a process that has ended meanwhile, or is somebody else's.
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError)


def step_aside(process: psutil.Process | None = None) -> None:
    """Move a process (this one) to the core that engines leave free, and let the engine go first
    there, where engines are on CPU."""
    process = process or psutil.Process()
    cores = os.sched_getaffinity(process.pid) if hasattr(os, "sched_getaffinity") else {0}
    if len(cores) < 2 or _NVIDIA.exists():
        return
    process.nice(max(process.nice(), NICENESS))
    for thread in process.threads():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(thread.id, {max(cores)})


def thread_steps_aside() -> None:
    """Have this thread give way to the others of its process."""
    # Of Linux, where a thread has a niceness of its own; elsewhere it would be the process's.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(
            os.PRIO_PROCESS, thread, max(os.getpriority(os.PRIO_PROCESS, thread), NICENESS)
        )


def ray_steps_aside(session: Session) -> None:
    """The same for what of a session is neither a worker nor starts them: Ray's own processes."""
    for process in processes(session):
        with suppress(*_GONE):
            if not any(name in command(process) for name in _ENGINES_COME_FROM):
                step_aside(process)


def helpers_step_aside() -> None:
    """The same for what the raylet of this worker has started and that is there for other things
    than engines."""
    raylet = psutil.Process().parent()
    for process in raylet.children(recursive=True) if raylet else ():
        with suppress(*_GONE):
            if any(name in command(process) for name in _HELPERS):
                step_aside(process)
