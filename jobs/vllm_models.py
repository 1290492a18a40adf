"""Which architectures the installed vLLM has an implementation of.

vLLM is asked in a process of its own: importing it takes seconds and hundreds of megabytes, which
the API is to do without.
"""

import importlib.util
import os
import subprocess
import sys
from functools import cache

import orjson

_PATIENCE_SECONDS = 180


@cache
def architectures() -> frozenset[str] | None:
    """Names as in ``architectures`` of a config; none where vLLM is not installed.

    Takes some seconds, once per process.
    """
    if importlib.util.find_spec("vllm") is None:
        return None
    done = subprocess.run(
        [sys.executable, "-m", "jobs.vllm_models"],
        env={**os.environ, "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"},
        capture_output=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"vLLM does not say which models it knows:\n{said}")
    return frozenset(orjson.loads(done.stdout.splitlines()[-1]))


def _print() -> None:
    from vllm.model_executor.models.registry import ModelRegistry

    print(orjson.dumps(sorted(ModelRegistry.get_supported_archs())).decode())


if __name__ == "__main__":
    _print()
