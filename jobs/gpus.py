"""The NVIDIA GPUs of this machine, as the driver's own library (NVML) tells.

Asking CUDA instead would take memory of each GPU for as long as the process lives.
"""

from typing import Any

import pynvml
from pydantic import BaseModel, Field

nvml: Any = pynvml  # its names are made at run time, so a type checker does not know them

_WITH_RESERVED: int = nvml.nvmlMemory_v2
_NO_DRIVER = (nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED)
_NO_GPU = (nvml.NVML_ERROR_NOT_FOUND, nvml.NVML_ERROR_INVALID_ARGUMENT)
_TOO_OLD = (nvml.NVML_ERROR_FUNCTION_NOT_FOUND, nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)


class Gpu(BaseModel):
    name: str
    memory_mib: int = Field(description="What programs may use: without what the driver keeps.")
    driver: str


def read(visible: str | None = None) -> list[Gpu]:
    """The GPUs of this machine, or those of them that ``visible`` names (as in
    ``CUDA_VISIBLE_DEVICES``: numbers or UUIDs, separated by commas, up to the first that is none).
    Empty without a driver.
    """
    if visible == "":
        return []
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        if error.value in _NO_DRIVER:
            return []
        raise
    try:
        driver = str(nvml.nvmlSystemGetDriverVersion())
        return [_gpu(handle, driver) for handle in _handles(visible)]
    finally:
        nvml.nvmlShutdown()


def _handles(visible: str | None) -> list[Any]:
    if visible is None:
        return [
            nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())
        ]
    found: list[Any] = []
    for one in map(str.strip, visible.split(",")):
        try:
            if one.isdecimal():
                found.append(nvml.nvmlDeviceGetHandleByIndex(int(one)))
            else:
                found.append(nvml.nvmlDeviceGetHandleByUUID(one))
        except nvml.NVMLError as error:
            if error.value not in _NO_GPU:
                raise
            break  # CUDA looks no further either; "-1" is a usual way to name none
    return found


def _gpu(handle: Any, driver: str) -> Gpu:
    return Gpu(
        name=str(nvml.nvmlDeviceGetName(handle)),
        memory_mib=_usable_bytes(handle) // 2**20,
        driver=driver,
    )


def _usable_bytes(handle: Any) -> int:
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=_WITH_RESERVED)
    except nvml.NVMLError as error:
        if error.value not in _TOO_OLD:
            raise
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    return int(memory.total - memory.reserved)
