"""The model registry: the shipped entries, and files that users write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import MODEL_ID, chat, model_entry

from cluster.settings import Settings
from jobs import architecture, benchmarks, quantization, registry
from jobs.errors import InvalidRequest, NotFound
from jobs.schemas.datasets import Dataset
from jobs.schemas.models import ModelSpec
from jobs.schemas.sampling import Sampling

SEED_MODELS = {
    "allenai/OLMo-2-1124-7B-Instruct": 7.3e9,
    "google/gemma-3-4b-it": 4.3e9,
    "Qwen/Qwen3-4B": 4.0e9,
    "openai/gpt-oss-20b": 20.9e9,
}
EMBEDDED_MODELS = {"HuggingFaceTB/SmolLM2-135M-Instruct": 135e6, "google/gemma-3-270m": 268e6}


@pytest.fixture(scope="module")
def shipped() -> dict[str, ModelSpec]:
    return registry.read(Settings.model_fields["models_folder"].default)


def test_the_models_of_the_design_and_the_embedded_ones_are_shipped(
    shipped: dict[str, ModelSpec],
) -> None:
    for model_id, parameters in (SEED_MODELS | EMBEDDED_MODELS).items():
        assert shipped[model_id].parameters == pytest.approx(parameters, rel=0.02), model_id


def test_shipped_numbers_fit_together(shipped: dict[str, ModelSpec]) -> None:
    for model in shipped.values():
        bytes_each = model.weights_bytes / model.parameters
        assert 0.5 <= bytes_each <= 4, f"{model.model_id}: {bytes_each:.2f} bytes a parameter"
        assert model.memory_gib * 2**30 > model.weights_bytes, model.model_id
        assert model.license, model.model_id
        assert model.engine == "vllm", model.model_id


def test_shipped_numbers_are_those_of_their_configs(shipped: dict[str, ModelSpec]) -> None:
    for model in shipped.values():
        assert model.config is not None, model.model_id
        shape = architecture.read(model.config)
        assert shape.parameters is not None
        assert model.parameters == shape.parameters.total, model.model_id
        stored = quantization.stored(model.config, "bfloat16", model.quantization)
        size = quantization.weights_bytes(shape.parameters, stored)
        assert model.weights_bytes == size, model.model_id


def test_embedded_models_need_no_hub(shipped: dict[str, ModelSpec]) -> None:
    for model_id in EMBEDDED_MODELS:
        assert shipped[model_id].weights.gguf, model_id
        assert shipped[model_id].weights.sha256, model_id


def write(folder: Path, file_name: str = "a.yaml", **fields: Any) -> Path:
    file = folder / file_name
    file.write_text(yaml.safe_dump(model_entry(**fields)))
    return file


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model_id": "../etc"}, "model_id"),
        ({"model_id": "a b"}, "model_id"),
        ({"model_id": ""}, "model_id"),
        ({"parameters": 0}, "parameters"),
        ({"parameters": "many"}, "parameters"),
        ({"memory_gib": -1}, "memory_gib"),
        ({"tensor_parallel": 0}, "tensor_parallel"),
        ({"engine": "other"}, "engine"),
        ({"weights": {}}, "weights"),
        ({"weights": {"hub": "a/b", "path": "/c"}}, "weights"),
        ({"weights": {"hub": "a/b", "url": "c"}}, "weights.url"),
        ({"max_seqs": 3}, "max_seqs"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    file = write(tmp_path, "bad.yaml", **fields)
    with pytest.raises(InvalidRequest) as caught:
        registry.read(tmp_path)
    assert caught.value.code == "invalid_model_file"
    assert str(file) in caught.value.message
    assert field in caught.value.message


@pytest.mark.parametrize("content", [b"", b"just text", b"[1]", b"{", b"a: b: c", b"\xe9", b"\t"])
def test_a_file_that_is_no_entry_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"bad\.yaml"):
        registry.read(tmp_path)


def test_one_model_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml")
    second = write(tmp_path, "b.yaml")
    with pytest.raises(InvalidRequest, match=f"{second}.*in another file already"):
        registry.read(tmp_path)


def test_a_bad_file_does_not_change_what_is_loaded(models_folder: Path) -> None:
    write(models_folder, "b.yaml", model_id="test/other", parameters=0)
    with pytest.raises(InvalidRequest):
        registry.load()
    assert [model.model_id for model in registry.all_models()] == [MODEL_ID]


def test_models_are_listed_by_name(models_folder: Path) -> None:
    write(models_folder, "b.yaml", model_id="z/first", name="Alpha", parameters=7_300_000_000)
    registry.load()
    found = registry.all_models()
    assert [(model.name, model.size) for model in found] == [("Alpha", "7.3B"), ("Echo", "1M")]


def test_a_changed_file_changes_the_model(models_folder: Path) -> None:
    write(models_folder, "echo.yaml", name="Echo 2", max_model_len=99)
    registry.load()
    assert (registry.get(MODEL_ID).name, registry.get(MODEL_ID).max_model_len) == ("Echo 2", 99)


def test_a_removed_model_cannot_be_run_but_its_benchmarks_stay(
    models_folder: Path, upload: Callable[..., Dataset]
) -> None:
    dataset = upload(chat())
    old = benchmarks.create(MODEL_ID, dataset.id, Sampling())
    (models_folder / "echo.yaml").unlink()
    registry.load()
    assert registry.all_models() == []
    for use in (registry.get, lambda id: benchmarks.create(id, dataset.id, Sampling())):
        with pytest.raises(NotFound) as caught:
            use(MODEL_ID)
        assert caught.value.code == "model_not_found"
    assert benchmarks.get(old.benchmark_id).model_name == "Echo"
    assert benchmarks.all_benchmarks(10, 0)[1] == 1
    write(models_folder, "echo.yaml")
    registry.load()
    assert registry.get(MODEL_ID).name == "Echo"


def test_an_unknown_model_is_answered_with_the_known_ones(model_id: str) -> None:
    with pytest.raises(NotFound, match=f"no model 'nope'.*{model_id}"):
        registry.get("nope")


def test_an_empty_folder_is_an_empty_registry(models_folder: Path) -> None:
    (models_folder / "echo.yaml").unlink()
    registry.load()
    assert registry.all_models() == []


def test_a_model_behind_an_endpoint(models_folder: Path) -> None:
    endpoint = {"base_url": "https://a.example/v1", "model": "a-1", "api_key_env": "A_KEY"}
    entry = {"model_id": "elsewhere/a", "name": "A", "engine": "endpoint", "endpoint": endpoint}
    (models_folder / "a.yaml").write_text(yaml.safe_dump(entry))
    registry.load()
    found = registry.get("elsewhere/a")
    assert (found.size, found.prepared, found.fit.fits) == ("", True, True)
    assert found.endpoint is not None
    assert found.endpoint.api_key_env == "A_KEY"


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("parameters", "parameters"),
        ("license", "license"),
        ("weights", "exactly one of|one of hub, path and gguf"),
    ],
)
def test_a_model_that_runs_here_needs_its_figures(tmp_path: Path, missing: str, named: str) -> None:
    entry = {name: value for name, value in model_entry().items() if name != missing}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(entry))
    with pytest.raises(InvalidRequest, match=rf"a model that runs here needs .*({named})"):
        registry.read(tmp_path)


def test_no_file_can_say_that_results_were_imported(tmp_path: Path) -> None:
    write(tmp_path, engine="imported")
    with pytest.raises(InvalidRequest, match="come through the API"):
        registry.read(tmp_path)
