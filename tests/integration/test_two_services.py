"""Two services on one machine keep to themselves."""

from pathlib import Path

import httpx
import pytest
from integration.api import Api

from cluster import launch
from cluster.settings import Settings

pytestmark = pytest.mark.integration


def test_each_of_two_services_answers_its_own_requests(api: Api, tmp_path: Path) -> None:
    other = Settings(data_folder=tmp_path, port=launch.free_ports(1)[0])

    with (
        launch.service(other) as session,
        httpx.Client(base_url=session.service_url, timeout=60) as client,
    ):
        for _ in range(20):
            ours = api.client.get("/admin/models").json()["models"]
            theirs = client.get("/admin/models").json()["models"]
            assert "fake/instant" in {model["model_id"] for model in ours}
            assert "fake/instant" not in {model["model_id"] for model in theirs}
