"""The files for clusters: against Ray's own schemas where it has one, and KubeRay's fields."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import ray.autoscaler
import yaml

from cluster.settings import REPOSITORY, Settings

with warnings.catch_warnings():
    # Serve's own, on import: it gives pydantic's Field arguments that are going away.
    warnings.simplefilter("ignore")
    from ray.serve.schema import ServeDeploySchema

    from serve_app.deployment import Arguments

CONFIGS = REPOSITORY / "configs"
KUBERNETES = CONFIGS / "kubernetes"
_QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$"}
_CONTAINER = {
    "type": "object",
    "required": ["name", "image", "resources"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string"},
        "envFrom": {"type": "array"},
        "env": {"type": "array"},
        "ports": {"type": "array", "items": {"required": ["containerPort", "name"]}},
        "readinessProbe": {"type": "object", "required": ["httpGet"]},
        "volumeMounts": {"type": "array", "items": {"required": ["name", "mountPath"]}},
        "resources": {
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": _QUANTITY},
        },
    },
}
_TEMPLATE = {
    "type": "object",
    "required": ["metadata", "spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["containers", "volumes"],
            "properties": {"containers": {"type": "array", "minItems": 1, "items": _CONTAINER}},
        }
    },
}
_START = {"type": "object", "additionalProperties": {"type": "string"}}
# Fields of KubeRay's RayService (ray.io/v1), as its API reference lists them.
_RAY_SERVICE = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "ray.io/v1"},
        "kind": {"const": "RayService"},
        "spec": {
            "type": "object",
            "required": ["serveConfigV2", "rayClusterConfig"],
            "additionalProperties": False,
            "properties": {
                "serveConfigV2": {"type": "string"},
                "serviceUnhealthySecondThreshold": {"type": "integer"},
                "deploymentUnhealthySecondThreshold": {"type": "integer"},
                "rayClusterConfig": {
                    "type": "object",
                    "required": ["headGroupSpec", "rayVersion"],
                    "additionalProperties": False,
                    "properties": {
                        "rayVersion": {"type": "string"},
                        "authOptions": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {"mode": {"enum": ["disabled", "token"]}},
                        },
                        "headGroupSpec": {
                            "type": "object",
                            "required": ["rayStartParams", "template"],
                            "additionalProperties": False,
                            "properties": {"rayStartParams": _START, "template": _TEMPLATE},
                        },
                        "workerGroupSpecs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["groupName", "template"],
                                "additionalProperties": False,
                                "properties": {
                                    "groupName": {"type": "string"},
                                    "replicas": {"type": "integer"},
                                    "minReplicas": {"type": "integer"},
                                    "maxReplicas": {"type": "integer"},
                                    "rayStartParams": _START,
                                    "template": _TEMPLATE,
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def base() -> list[dict[str, Any]]:
    names = load(KUBERNETES / "base" / "kustomization.yaml")["resources"]
    return [load(KUBERNETES / "base" / name) for name in names]


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [one for one in base() if one["kind"] == kind]
    return found


def serve_configs() -> list[dict[str, Any]]:
    in_kubernetes = yaml.safe_load(of_kind("RayService")["spec"]["serveConfigV2"])
    return [load(CONFIGS / "serve.yaml"), in_kubernetes]


@pytest.mark.parametrize("config", serve_configs())
def test_serve_takes_the_application(config: dict[str, Any]) -> None:
    (application,) = ServeDeploySchema.model_validate(config).applications
    assert application.import_path == "serve_app.deployment:application"
    Arguments.model_validate(application.args)


def test_the_cluster_launcher_takes_its_file() -> None:
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    config = load(CONFIGS / "cluster.yaml")
    jsonschema.validate(config, schema)
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][1]
    for commands in ("head_start_ray_commands", "worker_start_ray_commands"):
        assert "benchmark-runner.env" in config[commands][1]


def test_the_service_is_one_for_kuberay() -> None:
    service = of_kind("RayService")
    jsonschema.validate(service, _RAY_SERVICE)
    cluster = service["spec"]["rayClusterConfig"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["rayVersion"] == ray.__version__


def test_pods_are_those_that_the_network_policy_guards() -> None:
    (label,) = of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items()
    cluster = of_kind("RayService")["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert label in group["template"]["metadata"]["labels"].items()
        names = {one["name"] for one in group["template"]["spec"]["volumes"]}
        for container in group["template"]["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= names


def test_only_one_port_is_open_to_others() -> None:
    *inside, outside = of_kind("NetworkPolicy")["spec"]["ingress"]
    assert outside == {"ports": [{"port": 8000, "protocol": "TCP"}]}
    assert all("from" in rule for rule in inside)


def known(name: str) -> bool:
    field = name.removeprefix("BENCHMARK_RUNNER_").lower()
    return name == "DATABASE_URL" or name.startswith("RAY_") or field in Settings.model_fields


def test_settings_are_settings_and_hold_no_secret() -> None:
    settings = of_kind("ConfigMap")["data"]
    example = (CONFIGS / "cluster.env.example").read_text()
    named = dict(line.split("=", 1) for line in example.splitlines() if not line.startswith("#"))
    assert all(known(name) for name in (*settings, *named))
    assert "DATABASE_URL" not in settings
    assert "KEYLESS" not in "".join((*settings, *named))
    assert "PASSWORD" in named["DATABASE_URL"]


def test_the_overlay_patches_what_there_is() -> None:
    overlay = load(KUBERNETES / "production" / "kustomization.yaml")
    assert [(KUBERNETES / "production" / one).resolve() for one in overlay["resources"]] == [
        KUBERNETES / "base"
    ]
    for patch in overlay["patches"]:
        target = of_kind(patch["target"]["kind"])
        assert target["metadata"]["name"] == patch["target"]["name"]
        for step in yaml.safe_load(patch["patch"]):
            at: Any = target
            for part in step["path"].strip("/").split("/"):
                at = at[int(part)] if isinstance(at, list) else at[part]


def test_the_dockerfile_has_its_targets_and_copies_what_there_is() -> None:
    """Docker is not here: the file is parsed, not built."""
    text = (REPOSITORY / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE))
    assert {"cpu", "cuda"} <= stages
    for source in re.findall(r"^FROM (\S+) AS", text, re.MULTILINE):
        assert source in stages or ":" in source
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (REPOSITORY / source).exists(), source
    for stage in re.findall(r"^COPY --from=(\w+)", text, re.MULTILINE):
        assert stage in stages
    # Not as root.
    assert text.count("\nUSER ray\n") == 2
