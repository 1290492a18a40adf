"""A contender in a process of its own, which ends with all that it has started."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from bench.processes import Watch

from cluster.settings import REPOSITORY

_PATIENCE_SECONDS = 3600.0
# What comes after the last look is not in the figures.
_LOOK_SECONDS = 2.0


class Failed(Exception):
    """It ended with an error, or did not end; the message has the end of what it said."""


def run(module: str, *arguments: str | Path, log: Path, env: dict[str, str] | None = None) -> Watch:
    """Run ``python -m module`` to its end, with what it says in ``log``; what it took.

    Raises:
        Failed: it failed, or took more than an hour.
    """
    paths = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "tests")))
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            # Sockets of engines, which nobody removes where these are killed, go with its log.
            env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(log.parent), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = Watch(psutil.Process(process.pid), _LOOK_SECONDS)
        try:
            with watch:
                code = process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            # Engines are processes of their own and outlive who has started them.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code != 0:
        why = "did not end" if code is None else f"ended with {code}"
        raise Failed(f"{module} {why}:\n{log.read_text(errors='replace')[-3000:]}")
    return watch
