"""Settings: defaults that are safe, and refusals that say why."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cluster.settings import Settings, settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_hosts_are_local(host: str) -> None:
    assert Settings(host=host).is_local


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "8.8.8.8"])
def test_hosts_that_the_network_can_reach_are_not(host: str) -> None:
    assert not Settings(host=host).is_local


def test_a_host_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither an IP address nor localhost"):
        Settings(host="example.org")


def test_a_service_asks_for_keys_unless_it_is_told_not_to(data_folder: Path) -> None:
    assert not settings().keyless


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(ValidationError, match="port"):
        Settings(port=port)


def test_settings_do_not_change_while_the_process_runs(data_folder: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().port = 1  # type: ignore[misc]


def test_everything_lies_in_the_data_folder_by_default(data_folder: Path) -> None:
    assert settings().sql_url == f"sqlite:///{data_folder}/benchmark_runner.db"
    assert settings().storage_uri == (data_folder / "storage").as_uri()


def test_the_environment_names_database_and_storage(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://host/name")
    monkeypatch.setenv("BENCHMARK_RUNNER_STORAGE_URL", "file:///elsewhere")
    assert settings().sql_url == "postgresql+psycopg://host/name"
    assert settings().storage_uri == "file:///elsewhere"


def test_every_setting_says_what_it_is() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not field.description]
    assert undescribed == []
