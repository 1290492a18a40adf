"""What Prometheus reads, and that dashboards and alerts ask for nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from cluster.settings import REPOSITORY
from jobs.schemas.progress import EngineLoad
from jobs.tracking import Report
from serve_app import tracking

CONFIGS = REPOSITORY / "configs"
_NAME = re.compile(r"\bbenchmark_runner_\w+")
# What Grafana's dashboard model has of these fields.
_DASHBOARD = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "panels", "templating", "time"],
    "properties": {
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["id", "title", "type", "gridPos", "targets", "datasource"],
                "properties": {
                    "type": {"enum": ["stat", "timeseries", "table", "gauge"]},
                    "gridPos": {
                        "type": "object",
                        "required": ["x", "y", "w", "h"],
                        "properties": {
                            "x": {"type": "integer", "minimum": 0, "maximum": 23},
                            "w": {"type": "integer", "minimum": 1, "maximum": 24},
                        },
                    },
                    "targets": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "object", "required": ["refId", "expr", "legendFormat"]},
                    },
                },
            },
        },
    },
}


@pytest.fixture
def families(
    client: TestClient, benchmark_id: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    load = EngineLoad(
        running=8, waiting=24, kv_cache_usage=0.5, prompt_tokens=900, output_tokens=300
    )
    said = [Report(benchmark_id, "node-1", 40.0, {}, load), Report("bm_2", "node-2", 1.0, {}, None)]
    monkeypatch.setattr(tracking, "engines", lambda: said)
    client.get("/admin/models")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def samples(families: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {
        (one.name, label): one.value
        for family in families.values()
        for one in family.samples
        for label in (*one.labels.values(), "")
    }


def test_metrics_tell_the_state(families: dict[str, Any], benchmark_id: str) -> None:
    found = samples(families)
    assert found["benchmark_runner_queue_depth", ""] == 1
    assert found["benchmark_runner_benchmarks", "queued"] == 1
    assert found["benchmark_runner_benchmarks", "failed"] == 0
    assert found["benchmark_runner_benchmark_rows_total", benchmark_id] == 3
    assert found["benchmark_runner_part_up", "database"] == 1
    assert found["benchmark_runner_storage_free_bytes", ""] > 0
    assert found["benchmark_runner_http_requests_total", "/admin/models"] >= 1
    assert found["benchmark_runner_engine_requests_running", benchmark_id] == 8
    assert found["benchmark_runner_engine_requests_waiting", "node-1"] == 24
    assert found["benchmark_runner_engine_kv_cache_usage_ratio", benchmark_id] == 0.5
    assert found["benchmark_runner_engine_prompt_tokens_total", benchmark_id] == 900
    assert found["benchmark_runner_engine_output_tokens_total", "node-1"] == 300
    # Of a service elsewhere nothing is known.
    assert not any(label == "bm_2" for _, label in found)


def test_labels_are_routes_and_never_paths(client: TestClient) -> None:
    client.get("/admin/datasets/ds_something")
    client.get("/nothing/ds_something")
    said = client.get("/metrics").text
    assert "ds_something" not in said
    assert 'route="/admin/datasets/{dataset_id}"' in said


def expressions() -> Iterator[str]:
    dashboard = json.loads((CONFIGS / "grafana" / "benchmark-runner.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    alerts = yaml.safe_load((CONFIGS / "prometheus" / "alerts.yaml").read_text())
    for group in alerts["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_dashboards_and_alerts_ask_for_what_there_is(families: dict[str, Any]) -> None:
    given = {one.name for family in families.values() for one in family.samples}
    asked = {name for expression in expressions() for name in _NAME.findall(expression)}
    assert len(asked) > 10
    assert asked <= given


def test_expressions_are_balanced() -> None:
    for expression in expressions():
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing), expression


def test_the_dashboard_is_one() -> None:
    dashboard = json.loads((CONFIGS / "grafana" / "benchmark-runner.json").read_text())
    jsonschema_rs.validate(_DASHBOARD, dashboard)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_alerts_say_what_to_do() -> None:
    alerts = yaml.safe_load((CONFIGS / "prometheus" / "alerts.yaml").read_text())
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    assert {"BenchmarkStuck", "EngineDied", "StorageNearlyFull"} <= {r["alert"] for r in rules}
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description"}
