"""`benchmark-runner demo` as a user runs it, and what it leaves to be read.

The last test ends the demo that all tests here share.
"""

import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cluster.session import processes
from serve_app.demo import EMBEDDED

pytestmark = pytest.mark.e2e


def of_the_demo(demo: Any) -> list[dict[str, Any]]:
    """The benchmarks that the demo itself ran; other tests here run more on its service."""
    listed = httpx.get(f"{demo.url}/admin/benchmarks").raise_for_status().json()["benchmarks"]
    return [one for one in listed if one["dataset_name"] == "screening.jsonl"]


def test_two_real_models_answer_every_request_exactly_once(demo: Any) -> None:
    benchmarks = of_the_demo(demo)
    assert {b["model_id"] for b in benchmarks} == set(EMBEDDED)
    answers: dict[str, list[str]] = {}
    for benchmark in benchmarks:
        assert (benchmark["status"], benchmark["completed"], benchmark["failed"]) == (
            "completed",
            58,
            2,
        )
        path = f"/admin/benchmarks/{benchmark['benchmark_id']}/results"
        results = httpx.get(f"{demo.url}{path}").json()["results"]
        assert [r["custom_id"] for r in results] == [f"candidate-{i}" for i in range(60)]
        good = [r for r in results if r["status_code"] == 200]
        assert len(good) == 58
        for result in good:
            assert 1 <= result["output_tokens"] <= 8
            assert 0 < result["ttft_ms"] <= result["latency_ms"]
            assert result["finish_reason"] in ("stop", "length")
        texts = [r["response"]["body"]["choices"][0]["message"]["content"] for r in good]
        answers[benchmark["model_id"]] = texts
    first, second = answers.values()
    assert first != second, "two different models that answer all the same are one model"


def test_what_vllm_refuses_is_a_result_with_its_own_error(demo: Any) -> None:
    benchmark = of_the_demo(demo)[0]
    path = f"/admin/benchmarks/{benchmark['benchmark_id']}/results"
    results = httpx.get(f"{demo.url}{path}").json()["results"]

    too_long, bad_parameter = results[20]["response"], results[21]["response"]

    assert too_long["status_code"] == 400
    assert "context length" in too_long["body"]["error"]["message"]
    assert bad_parameter["status_code"] == 400
    assert "temperature" in bad_parameter["body"]["error"]["message"]
    assert results[23]["response"]["body"]["choices"][0]["logprobs"]["content"]


def test_engines_take_the_memory_that_was_predicted(demo: Any) -> None:
    for benchmark in of_the_demo(demo):
        path = f"/admin/benchmarks/{benchmark['benchmark_id']}/manifest"
        engine = httpx.get(f"{demo.url}{path}").json()["engines"][-1]
        predicted, taken = engine["predicted"], engine["taken"]
        assert taken["kv_cache_blocks"] > 0
        tokens = engine["predicted_kv_cache_tokens"]
        assert taken["kv_cache_tokens"] == pytest.approx(tokens, rel=0.02)
        # What the process holds is at least the weights, and at most what was allowed for.
        most = predicted["weights_bytes"] + predicted["overhead_bytes"] + 2 * 2**30
        assert predicted["weights_bytes"] < taken["process_bytes"] < most


def test_files_of_a_model_say_what_its_entry_says_and_vllm_knows_it(
    demo: Any, data_folder: Path
) -> None:
    for model_id in EMBEDDED:
        entry = httpx.get(f"{demo.url}/admin/models/{model_id}").raise_for_status().json()
        folder = data_folder / "models" / model_id.replace("/", "--")
        asked = {"source": str(folder), "max_model_len": entry["max_model_len"]}
        # The first time, vLLM is imported.
        answer = httpx.post(f"{demo.url}/admin/models/check", json=asked, timeout=120)
        checked = answer.raise_for_status().json()
        for name in ("parameters", "weights_bytes"):
            assert checked[name] == entry[name], (model_id, name)
        assert checked["fit"]["verdict"] == "fits"


def test_the_summary_names_both_models(demo: Any) -> None:
    assert "SmolLM2" in demo.said
    assert "Gemma" in demo.said
    assert "tok/s" in demo.said


def test_ctrl_c_leaves_nothing_behind(demo: Any) -> None:
    assert processes(demo.session)
    began = psutil.Process(demo.process.pid).create_time()

    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=60)

    assert processes(demo.session) == []
    deadline = time.monotonic() + 5
    while psutil.pid_exists(demo.process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert demo.process.returncode == 0
    assert not demo.session.ray_folder.exists()
    # Engines that were ended are not asked to clean up.
    temporary = Path(tempfile.gettempdir())
    of_engines = [*temporary.glob("vllm_dist_*"), *temporary.glob("????????-????-????-????-*")]
    assert [path for path in of_engines if path.lstat().st_mtime > began] == []
