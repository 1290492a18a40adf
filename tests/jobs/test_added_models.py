"""Models that users add: what is checked, what is kept, what is refused."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import MODEL_ID, chat, model_entry
from hub import PARAMETERS, serve, snapshot
from huggingface_hub import HfApi, constants

from jobs import added_models, benchmarks, hardware, model_files, registry, vllm_models
from jobs.errors import BenchmarkRunnerError, Conflict, InvalidRequest, NotFound
from jobs.fit import Hardware, Node
from jobs.schemas.datasets import Dataset
from jobs.schemas.memory import FitVerdict
from jobs.schemas.models import AddModelRequest, Model
from jobs.schemas.sampling import Sampling

GIB = 2**30


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A vLLM that knows Llama, a machine of 16 GiB, a hub's cache of this test alone."""
    monkeypatch.setattr(vllm_models, "architectures", lambda: frozenset({"LlamaForCausalLM"}))
    monkeypatch.setattr(hardware, "read", lambda: Hardware((Node(16 * GIB),)))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(models_folder: Path, configure: Callable[..., None], tmp_path: Path) -> Path:
    """The folder of models that may be added by path, with one in it."""
    allowed = tmp_path / "weights"
    snapshot(allowed / "tiny")
    configure(models_folder=models_folder, added_models_folder=allowed)
    return allowed


@pytest.fixture
def hub(models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serve(snapshot(tmp_path / "repository"), card={"license": "apache-2.0"}) as address:
        monkeypatch.setattr(model_files, "HfApi", partial(HfApi, endpoint=address))
        yield "org/tiny"


def add(source: object, **fields: Any) -> Model:
    return added_models.add(AddModelRequest(source=str(source), **fields))


def refusal(source: object, **fields: Any) -> BenchmarkRunnerError:
    with pytest.raises(BenchmarkRunnerError) as caught:
        add(source, **fields)
    return caught.value


def test_by_hub_id(hub: str) -> None:
    found = add(hub, max_model_len=1024, name="Tiny")
    assert (found.model_id, found.name, found.license) == (hub, "Tiny", "apache-2.0")
    assert (found.parameters, found.weights_bytes) == (PARAMETERS, 2 * PARAMETERS)
    assert found.added
    assert not found.prepared  # to look at a model is not to download it
    assert found.fit.verdict is FitVerdict.FITS
    assert found.fit.footprint is not None
    assert found.fit.footprint.max_model_len == 1024
    assert registry.get(hub) == found


def test_by_path(folder: Path) -> None:
    found = add(folder / "tiny")
    assert found.model_id == "local/tiny"
    assert found.license == "not stated"
    assert found.weights.path == str(folder / "tiny")
    assert found.prepared


def test_a_check_keeps_nothing(hub: str) -> None:
    checked = added_models.check(AddModelRequest(source=hub))
    assert checked.fit.verdict is FitVerdict.FITS
    with pytest.raises(NotFound):
        registry.get(hub)
    assert add(hub) == checked


def test_it_survives_restarts_and_the_verdict_needs_neither_hub_nor_files(
    folder: Path, models_folder: Path
) -> None:
    before = add(folder / "tiny")
    (folder / "tiny" / "config.json").unlink()
    registry.load()
    assert registry.get("local/tiny") == before
    assert [model.added for model in registry.all_models()] == [False, True]


def test_a_file_with_its_id_takes_its_place(hub: str, models_folder: Path) -> None:
    add(hub)
    (models_folder / "tiny.yaml").write_text(yaml.safe_dump(model_entry(model_id=hub)))
    registry.load()
    assert not registry.get(hub).added
    (models_folder / "tiny.yaml").unlink()
    registry.load()
    with pytest.raises(NotFound):
        registry.get(hub)


def test_an_id_that_is_taken(hub: str) -> None:
    assert refusal(hub, model_id=MODEL_ID).code == "model_exists"
    add(hub)
    assert refusal(hub).code == "model_exists"
    assert add(hub, model_id="mine/tiny").weights.hub == hub
    assert refusal(hub, model_id="imported/tiny").code == "reserved_id"


def test_removing(hub: str, upload: Callable[..., Dataset]) -> None:
    add(hub)
    dataset = upload(chat())
    running = benchmarks.create(hub, dataset.id, Sampling())
    with pytest.raises(Conflict) as caught:
        added_models.remove(hub)
    assert caught.value.code == "model_in_use"
    benchmarks.cancel(running.benchmark_id)
    added_models.remove(hub)
    with pytest.raises(NotFound):
        added_models.remove(hub)
    assert benchmarks.get(running.benchmark_id).model_name == "tiny"
    assert add(hub).model_id == hub  # and it can be added again


def test_a_model_of_a_file_is_not_removed(model_id: str) -> None:
    with pytest.raises(Conflict) as caught:
        added_models.remove(model_id)
    assert caught.value.code == "model_of_file"


ELSEWHERE = {
    "tiny": "invalid_source",
    "a/b/c": "invalid_source",
    "../tiny": "invalid_source",
    "org/..": "invalid_source",
    "org/ti..ny": "invalid_source",
    "https://example.com/tiny": "invalid_source",
    "org/tiny?x=1": "invalid_source",
    "org/tiny@main": "invalid_source",
    "~/tiny": "invalid_source",
    "./tiny": "invalid_source",
    "/etc": "path_not_allowed",
    "{folder}": "path_not_allowed",
    "{folder}/tiny/../..": "path_not_allowed",
    "{folder}/link": "path_not_allowed",
    "{folder}/none": "model_unreadable",
}


def test_sources_that_lead_elsewhere(folder: Path) -> None:
    (folder / "link").symlink_to("/etc")
    for source, code in ELSEWHERE.items():
        assert refusal(source.format(folder=folder)).code == code, source


def test_ids_of_odd_names(folder: Path) -> None:
    assert add(folder / "tiny", model_id="mine/").name == "mine"
    long = snapshot(folder / ("…" + "x" * 200))
    assert add(long).model_id == f"local/{'x' * 100}"


def test_weights_that_are_larger_than_any(folder: Path) -> None:
    tensor = {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}
    header = json.dumps({"a": tensor}).encode()
    (snapshot(folder / "vast") / "model.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header
    )
    assert refusal(folder / "vast").code == "model_not_understood"


def test_without_a_folder_for_them_paths_are_refused(model_id: str, tmp_path: Path) -> None:
    assert refusal(snapshot(tmp_path / "tiny")).code == "paths_not_allowed"


NOT_TO_BE_RUN: tuple[tuple[dict[str, Any], str], ...] = (
    ({"architectures": ["EvilForCausalLM"], "auto_map": {"A": "e.py"}}, "architecture_unknown"),
    ({"architectures": None}, "architecture_unknown"),
    ({"hidden_size": "32"}, "model_not_understood"),
    ({"num_hidden_layers": 0}, "model_not_understood"),
    ({"layer_types": ["mamba", "mamba"]}, "model_not_understood"),
    ({"dtype": "int4"}, "model_not_understood"),
)


def test_configs_that_cannot_be_run(folder: Path) -> None:
    for number, (config, code) in enumerate(NOT_TO_BE_RUN):
        snapshot(folder / f"other-{number}", **config)
        assert refusal(folder / f"other-{number}").code == code, config


def test_a_context_longer_than_the_model_is_made_for(folder: Path) -> None:
    assert refusal(folder / "tiny", max_model_len=4096).code == "context_too_long"


def test_what_does_not_fit_is_kept_but_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, upload: Callable[..., Dataset]
) -> None:
    monkeypatch.setattr(hardware, "read", lambda: Hardware((Node(2 * GIB),)))
    found = add(folder / "tiny")
    assert found.fit.verdict is FitVerdict.DOES_NOT_FIT
    dataset = upload(chat())
    with pytest.raises(InvalidRequest, match="tiny cannot be run on this cluster: it does not fit"):
        benchmarks.create(found.model_id, dataset.id, Sampling())


def test_the_longest_context_is_named_where_a_shorter_one_fits(
    folder: Path, configure: Callable[..., None], upload: Callable[..., Dataset]
) -> None:
    snapshot(folder / "long", max_position_embeddings=200_000_000)
    found = add(folder / "long")
    assert found.fit.verdict is FitVerdict.FITS_SHORTER
    with pytest.raises(InvalidRequest) as caught:
        benchmarks.create(found.model_id, upload(chat()).id, Sampling())
    assert caught.value.code == "model_does_not_fit"
    assert caught.value.details["longest"] == found.fit.longest
    assert (
        f"Add it again with a `max_model_len` of at most {found.fit.longest}."
        in caught.value.message
    )


def test_what_cannot_be_told_is_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, upload: Callable[..., Dataset]
) -> None:
    monkeypatch.setattr(hardware, "read", lambda: Hardware((Node(GIB, gpus=1),)))
    found = add(folder / "tiny")
    assert found.fit.verdict is FitVerdict.CANNOT_TELL
    assert benchmarks.create(found.model_id, upload(chat()).id, Sampling()).total == 1
