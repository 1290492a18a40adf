"""The schema and its migrations, and the transactions of a session."""

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from cluster.database import alembic_config, engine, migrate, session
from jobs.models import Base, BenchmarkRow
from serve_app.access import models as access

TABLES = {
    "api_keys",
    "audit_entries",
    "ballots",
    "batches",
    "benchmarks",
    "datasets",
    "files",
    "graders",
    "judgements",
    "logins",
    "marks",
    "model_registry",
}


def tables() -> set[str]:
    return set(inspect(engine()).get_table_names()) - {"alembic_version"}


def test_migrations_go_up_down_and_up_again(empty_database: str) -> None:
    migrate()
    assert tables() == TABLES
    command.downgrade(alembic_config(empty_database), "base")
    assert tables() == set()
    migrate()
    assert tables() == TABLES


def test_the_tables_of_access_are_compared_too() -> None:
    assert access.KeyRow.__table__ in Base.metadata.sorted_tables


def test_migrations_make_what_the_models_say(database: str) -> None:
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    migrate()
    migrate()
    assert tables() == TABLES


def test_processes_that_start_together_migrate_once(empty_database: str) -> None:
    problems: list[BaseException] = []

    def start() -> None:
        try:
            migrate()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert tables() == TABLES


def test_the_columns_of_the_owners_design_exist(database: str) -> None:
    found = {
        table: {column["name"] for column in inspect(engine()).get_columns(table)}
        for table in ("datasets", "benchmarks")
    }
    assert found["datasets"] >= {"id", "name", "file_path", "count", "uploaded_at", "created_at"}
    assert found["benchmarks"] >= {
        *("id", "model_id", "dataset_id", "status", "progress", "completed", "total", "throughput"),
        *("eta_seconds", "started_at", "completed_at", "total_time_seconds", "results_file"),
        *("metadata_file", "created_at"),
    }


def test_a_session_commits_at_its_end_and_not_before(database: str) -> None:
    insert = text("INSERT INTO model_registry (model_id, name, spec) VALUES ('m', 'M', '{}')")
    count = text("SELECT count(*) FROM model_registry")
    with session() as sql:
        sql.execute(insert)
        with session() as other:
            assert other.scalar(count) == 0
    with session() as sql:
        assert sql.scalar(count) == 1


def test_a_session_that_raises_changes_nothing(database: str) -> None:
    with pytest.raises(RuntimeError, match="stop"), session() as sql:
        sql.execute(
            text("INSERT INTO model_registry (model_id, name, spec) VALUES ('m', 'M', '{}')")
        )
        raise RuntimeError("stop")
    with session() as sql:
        assert sql.scalar(text("SELECT count(*) FROM model_registry")) == 0


def test_a_benchmark_of_no_dataset_is_refused_by_the_database(database: str) -> None:
    row = text(
        "INSERT INTO benchmarks (id, model_id, dataset_id, status, phase, total, started_at, spec)"
        " VALUES ('bm_1', 'none', 'none', 'queued', 'queued', 1, CURRENT_TIMESTAMP, '{}')"
    )
    with pytest.raises(IntegrityError), session() as sql:
        sql.execute(row)


def test_counts_and_columns_have_the_defaults_of_the_design() -> None:
    columns = BenchmarkRow.__table__.columns
    for name in ("progress", "completed", "throughput", "eta_seconds"):
        assert columns[name].server_default is not None, name


def test_golden_examples_become_marks_and_marks_golden_examples(empty_database: str) -> None:
    config = alembic_config(empty_database)
    migrate()
    command.downgrade(config, "0006-1")
    statements = (
        "INSERT INTO model_registry (model_id, name, spec) VALUES ('m', 'M', '{}')",
        "INSERT INTO datasets (id, name, file_path, count, uploaded_at, size_bytes, sha256,"
        " endpoints, models) VALUES ('ds_1', 'd', 'f', 1, CURRENT_TIMESTAMP, 1, 'x', '[]', '[]')",
        "INSERT INTO benchmarks (id, model_id, dataset_id, status, phase, total, started_at, spec)"
        " VALUES ('bm_1', 'm', 'ds_1', 'queued', 'queued', 1, CURRENT_TIMESTAMP, '{}')",
        "INSERT INTO golden_examples (benchmark_id, row_id) VALUES ('bm_1', 7)",
    )
    with session() as sql:
        for statement in statements:
            sql.execute(text(statement))
    migrate()
    with session() as sql:
        assert sql.execute(text("SELECT row_id, kind FROM marks")).all() == [(7, "golden")]
        sql.execute(
            text("INSERT INTO marks (benchmark_id, row_id, kind) VALUES ('bm_1', 8, 'wrong')")
        )
    command.downgrade(config, "0006-1")
    with session() as sql:
        assert sql.scalars(text("SELECT row_id FROM golden_examples")).all() == [7]
