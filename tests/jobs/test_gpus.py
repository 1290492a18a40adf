"""GPUs as NVML tells of them. The driver's library is a stand-in: there is no GPU here."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs import gpus
from jobs.gpus import Gpu

_MIB = 2**20


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two GPUs; what is changed in the dictionary changes what the library says."""
    state: dict[str, Any] = {"reserved": 600 * _MIB, "too_old": False, "open": 0}
    cards = {"0": ("NVIDIA H100 80GB HBM3", 81559), "1": ("NVIDIA L4", 23034), "GPU-abc": None}
    cards["GPU-abc"] = cards["1"]

    def memory(handle: str, version: int | None = None) -> SimpleNamespace:
        if version and state["too_old"]:
            raise gpus.nvml.NVMLError(gpus.nvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        return SimpleNamespace(total=cards[handle][1] * _MIB, reserved=state["reserved"])

    def count(change: int) -> None:
        state["open"] += change

    def by_uuid(uuid: str) -> str:
        if uuid not in cards:
            raise gpus.nvml.NVMLError(gpus.nvml.NVML_ERROR_NOT_FOUND)
        return uuid

    names = {
        "nvmlInit": lambda: count(1),
        "nvmlShutdown": lambda: count(-1),
        "nvmlSystemGetDriverVersion": lambda: "570.1",
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": str,
        "nvmlDeviceGetHandleByUUID": by_uuid,
        "nvmlDeviceGetName": lambda handle: cards[handle][0],
        "nvmlDeviceGetMemoryInfo": memory,
    }
    for name, function in names.items():
        monkeypatch.setattr(gpus.nvml, name, function)
    return state


_H100 = Gpu(name="NVIDIA H100 80GB HBM3", memory_mib=80959, driver="570.1")
_L4 = Gpu(name="NVIDIA L4", memory_mib=22434, driver="570.1")


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, [_H100, _L4]),
        ("1", [_L4]),
        ("GPU-abc, 0", [_L4, _H100]),
        ("0,-1,1", [_H100]),
        ("", []),
    ],
)
def test_gpus_without_what_the_driver_keeps(
    nvml: dict[str, Any], visible: str | None, found: list[Gpu]
) -> None:
    assert gpus.read(visible) == found
    assert nvml["open"] == 0


def test_an_old_driver_does_not_say_what_it_keeps(nvml: dict[str, Any]) -> None:
    nvml["too_old"] = True
    assert gpus.read("0")[0].memory_mib == 81559


def test_a_machine_without_a_driver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise gpus.nvml.NVMLError(gpus.nvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(gpus.nvml, "nvmlInit", missing)
    assert gpus.read() == []


def test_a_driver_that_fails_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise gpus.nvml.NVMLError(gpus.nvml.NVML_ERROR_UNKNOWN)

    monkeypatch.setattr(gpus.nvml, "nvmlInit", broken)
    with pytest.raises(gpus.nvml.NVMLError):
        gpus.read()
