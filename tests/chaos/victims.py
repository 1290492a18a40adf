"""What can be killed, and how its processes are found."""

import random
from collections.abc import Callable
from enum import StrEnum

import psutil


class Victim(StrEnum):
    """A part of the service, in the words of docs/architecture.md."""

    DRIVER = "job driver"
    REPLICA = "replica actor"
    ENGINE = "engine process"
    TRACKER = "tracker"
    API = "Serve replica"
    CONTROLLER = "Serve controller"
    PROXY = "Serve proxy"
    NODE = "Ray node"
    HEAD = "Ray head"
    LAUNCHER = "launcher"
    SERVICE = "whole service"


FAKE = tuple(victim for victim in Victim if victim is not Victim.ENGINE)
"""The fake engine has no process of its own."""
REAL = (Victim.ENGINE, Victim.REPLICA, Victim.DRIVER, Victim.TRACKER, Victim.NODE, Victim.SERVICE)

# Those that take requests in flight with them: the most that one of them can interrupt is what
# all replicas have in their engines.
INTERRUPTING = {
    Victim.DRIVER,
    Victim.REPLICA,
    Victim.ENGINE,
    Victim.NODE,
    Victim.HEAD,
    Victim.LAUNCHER,
    Victim.SERVICE,
}

WHOLE = {Victim.HEAD, Victim.LAUNCHER, Victim.SERVICE}
"""After these everything has to start again."""

_WORDS = {
    Victim.DRIVER: "-m jobs.driver",
    Victim.REPLICA: "MapWorker",
    Victim.ENGINE: "VLLM::EngineCore",
    Victim.TRACKER: "ray::Tracker",
    Victim.API: "ray::ServeReplica",
    Victim.CONTROLLER: "ray::ServeController",
    Victim.PROXY: "haproxy",
}


def find(victim: Victim, processes: list[psutil.Process], rng: random.Random) -> psutil.Process:
    """One process of the victim among ``processes``.

    Raises:
        LookupError: there is none now.
    """
    found = [process for process in processes if _is(process, _named(victim))]
    if not found:
        raise LookupError(victim.value)
    return rng.choice(sorted(found, key=lambda process: process.pid))


def _named(victim: Victim) -> Callable[[list[str]], bool]:
    if victim is Victim.PROXY:
        return lambda command: bool(command) and command[0].endswith("haproxy")
    if victim is Victim.DRIVER:
        # Not the shell that Ray starts it by.
        return lambda command: command[1:3] == ["-m", "jobs.driver"]
    word = _WORDS[victim]
    return lambda command: word in " ".join(command)


def _is(process: psutil.Process, named: Callable[[list[str]], bool]) -> bool:
    try:
        return named(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
