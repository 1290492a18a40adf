"""Does a model fit?"""

import pytest
import ray

from jobs import hardware
from jobs.hardware import Hardware
from jobs.schemas import Fit, ModelSpec

_RAM = int(23.5 * 2**30)


def _model(**fields) -> ModelSpec:
    given = {
        "model_id": "test/model",
        "name": "Model",
        "parameters": 1,
        "weights": {"path": "/nowhere"},
        "weights_bytes": 1,
        "memory_gib": 2,
        "license": "MIT",
    }
    return ModelSpec.model_validate(given | fields)


@pytest.mark.parametrize(
    ("fields", "gpus", "fits", "reason"),
    [
        ({"memory_gib": 2}, 0, True, "fits: 2 of 23.5 GiB of memory"),
        ({"memory_gib": 24}, 0, False, "needs 24 GiB, this machine has 23.5 GiB of memory"),
        ({"memory_gib": 23.5}, 0, True, "fits: 23.5 of 23.5 GiB of memory"),
        ({"tensor_parallel": 8}, 0, True, "fits: 2 of 23.5 GiB of memory"),
        ({"memory_gib": 80}, 1, True, "fits: 1 of 1 GPU"),
        ({"tensor_parallel": 2}, 8, True, "fits: 2 of 8 GPUs"),
        ({"tensor_parallel": 4}, 2, False, "needs 4 GPUs for one engine, this cluster has 2"),
    ],
)
def test_fit(fields, gpus, fits, reason):
    found = hardware.fit(_model(**fields), Hardware(gpus=gpus, memory_bytes=_RAM))
    assert (found.fits, found.reason) == (fits, reason)


def test_reading_without_ray_starts_none():
    found = hardware.read()
    assert found.gpus == 0
    assert found.memory_bytes > 2**28
    assert not ray.is_initialized()


def test_a_model_elsewhere_needs_nothing_here() -> None:
    elsewhere = ModelSpec.model_validate(
        {
            "model_id": "a",
            "name": "A",
            "engine": "endpoint",
            "endpoint": {"base_url": "https://api.example:8443/v1", "model": "a"},
        }
    )
    found = hardware.fit(elsewhere, Hardware(gpus=0, memory_bytes=0))
    assert found == Fit(fits=True, reason="runs at api.example, needs no hardware here")
