"""Does a model fit this cluster's hardware? A reader of the hardware, and a pure judgement."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
import ray

from jobs.schemas import Fit, ModelSpec


@dataclass(frozen=True, slots=True)
class Hardware:
    """What engines can have."""

    gpus: int
    """GPUs of the cluster. Ray does not know how much memory they have."""
    memory_bytes: int
    """Memory of this machine, which is where engines run when there is no GPU."""


def read() -> Hardware:
    """The hardware of the cluster; without Ray (command line, tests) that of this machine."""
    gpus = int(ray.cluster_resources().get("GPU", 0)) if ray.is_initialized() else 0
    return Hardware(gpus=gpus, memory_bytes=psutil.virtual_memory().total)


def fit(model: ModelSpec, hardware: Hardware) -> Fit:
    """Whether one engine of ``model`` fits: in number of GPUs, or else in GiB of memory."""
    if model.endpoint is not None:
        host = urlsplit(model.endpoint.base_url).hostname
        return Fit(fits=True, reason=f"runs at {host}, needs no hardware here")
    if hardware.gpus:
        needed = model.tensor_parallel
        if needed > hardware.gpus:
            reason = f"needs {_gpus(needed)} for one engine, this cluster has {hardware.gpus}"
            return Fit(fits=False, reason=reason)
        return Fit(fits=True, reason=f"fits: {needed} of {_gpus(hardware.gpus)}")
    there = hardware.memory_bytes / 2**30
    if model.memory_gib > there:
        reason = f"needs {_gib(model.memory_gib)} GiB, this machine has {_gib(there)} GiB of memory"
        return Fit(fits=False, reason=reason)
    return Fit(fits=True, reason=f"fits: {_gib(model.memory_gib)} of {_gib(there)} GiB of memory")


def _gpus(count: int) -> str:
    return f"{count} GPU{'s' * (count != 1)}"


def _gib(gib: float) -> str:
    return f"{gib:.1f}".removesuffix(".0")
