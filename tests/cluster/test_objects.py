"""An object store that fails: what is tried again, for how long, and what is said of it."""

import pickle
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stamina
import structlog
from object_store import CREDENTIALS, Fault, ObjectStore, Way
from ray.exceptions import RayTaskError

from cluster.object_file import End
from cluster.objects import Objects
from cluster.storage import Storage, StorageUnavailable, storage, unavailable

MIB = 2**20


@pytest.fixture
def store(way: Way, configure: Callable[..., None]) -> Storage:
    configure(storage_timeout_seconds=0.5, storage_patience_seconds=20)
    return storage()


@pytest.fixture
def impatient(store: Storage) -> Storage:
    store.patience = 0.2
    return store


def put(store: Storage, key: str, data: bytes = b"x") -> None:
    with store.write(key) as file:
        file.write(data)


def first(count: int, fault: str, method: str = "") -> Fault:
    """The first requests fail."""
    left = [count]

    def fails(asked: str, _path: str, _number: int) -> str | None:
        if left[0] and method in asked:
            left[0] -= 1
            return fault
        return None

    return fails


@pytest.mark.parametrize("fault", ["500", "503", "lost", "late"])
def test_a_write_that_fails_is_tried_again(store: Storage, way: Way, fault: str) -> None:
    way.fault = first(2 if fault != "late" else 1, fault, "PUT")
    journal = store.journal("log")
    journal.add(b"1\n")
    way.fault = first(1, fault, "PUT")
    put(store, "a", b"whole")
    assert way.faults > 1
    assert store.read("a") == b"whole"
    assert store.lines("log") == b"1\n"


@pytest.mark.parametrize("fault", ["500", "503", "lost", "cut", "late"])
def test_a_read_that_fails_is_tried_again(store: Storage, way: Way, fault: str) -> None:
    data = bytes(range(256)) * 8 * 1024
    put(store, "a", data)
    for read in (store.read, lambda key: store.open(key).read()):
        way.fault = first(1, fault, "GET")
        assert read("a") == data
    assert way.faults == 2
    way.fault = first(1, fault, "GET")
    assert store.list("b") == []


def test_a_store_that_is_away_for_a_while_is_waited_for(store: Storage, way: Way) -> None:
    """Longer than the library tries one call."""
    way.fault = first(5, "503")
    journal = store.journal("log")
    journal.add(b"1\n")
    assert store.lines("log") == b"1\n"
    assert way.faults == 5


def test_patience_ends(impatient: Storage, way: Way) -> None:
    way.fault = lambda *_: "503"
    calls: list[Callable[[], object]] = [
        lambda: put(impatient, "a"),
        lambda: impatient.journal("log").add(b"1\n"),
        lambda: impatient.list("a"),
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable, match=r"does not answer.*SlowDown"):
            call()
    way.fault = lambda *_: None
    assert list(impatient.contents()) == []


def test_nobody_listens(impatient: Storage, way: Way) -> None:
    way.close()
    with pytest.raises(StorageUnavailable, match=r"does not answer.*error sending request"):
        impatient.read("a")


def test_a_query_over_a_store_that_is_away_says_so(impatient: Storage, way: Way) -> None:
    with impatient.write("a.parquet") as file:
        pq.write_table(pa.table({"n": [1]}), file)
    way.fault = lambda *_: "500"
    with impatient.connect() as db, pytest.raises(duckdb.Error) as caught:
        db.execute("SELECT * FROM read_parquet($1)", [impatient.url("a.parquet")])
    said = unavailable(caught.value)
    assert said is not None
    assert said.startswith("The object store does not answer, s3://test-")


def test_what_ray_brings_from_a_replica_says_so_too() -> None:
    away = StorageUnavailable("The object store does not answer, s3://bucket: SlowDown.")
    traceback = f"Traceback (most recent call last):\ncluster.storage.StorageUnavailable: {away}"
    assert unavailable(RayTaskError("do", traceback, away).as_instanceof_cause()) == str(away)
    assert str(pickle.loads(pickle.dumps(away))) == str(away)


def test_what_waiting_does_not_mend_is_said_at_once(store: Storage, way: Way) -> None:
    nowhere = Objects("s3://no-such-bucket/x")
    calls = (lambda: nowhere.read("a"), lambda: nowhere.list("a"), lambda: put(nowhere, "a"))
    for call in calls:
        with pytest.raises(StorageUnavailable, match=r"no such bucket.*no-such-bucket") as caught:
            call()
        assert not caught.value.passing
    way.fault = lambda *_: "403"
    with pytest.raises(StorageUnavailable, match=r"refuses s3://test-.*: AccessDenied") as caught:
        store.read("a")
    assert not caught.value.passing
    # Each once.
    assert way.faults == 1


def test_waiting_is_logged_and_no_secret_is_said(store: Storage, way: Way) -> None:
    way.fault = first(3, "500")
    with structlog.testing.capture_logs() as logs, pytest.raises(FileNotFoundError) as caught:
        store.read("a")
    assert [one["event"] for one in logs] == ["stamina.retry_scheduled"]
    assert "The object store does not answer" in str(logs)
    said = str(logs) + str(caught.value)
    assert caught.value.__cause__ is None
    for secret in (CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in said


def test_a_large_object_is_sent_in_parts_and_given_up_if_it_fails(
    impatient: Storage, way: Way, object_server: ObjectStore, bucket: str
) -> None:
    data = bytes(range(256)) * 4096 * 12
    put(impatient, "big", data)
    assert way.count("PUT", "partNumber") == 3
    assert impatient.read("big") == data
    way.fault = lambda _method, path, _number: "500" if "partNumber=2" in path else None
    with pytest.raises(StorageUnavailable):
        put(impatient, "other", data)
    way.fault = lambda *_: None
    assert not impatient.exists("other")
    assert object_server.uploads(bucket) == []


def test_a_small_object_is_one_request_and_so_is_reading_it(store: Storage, way: Way) -> None:
    for number in range(20):
        with store.write(f"parts/{number}.parquet") as file:
            pq.write_table(pa.table({"n": list(range(100)), "text": ["x" * 100] * 100}), file)
    assert [method for method, _ in way.requests] == ["PUT"] * 20
    way.requests.clear()
    with store.open("parts/7.parquet") as file:
        assert pq.read_table(file).num_rows == 100
    with store.connect() as db:
        query = "SELECT sum(n)::INT FROM read_parquet($1) WHERE length(text) = 100"
        assert db.execute(query, [store.url("parts/7.parquet")]).fetchone() == (4950,)
    assert [(method, path.rsplit("/", 1)[1]) for method, path in way.requests] == [
        ("GET", "7.parquet")
    ] * 2


def test_of_a_large_object_only_what_is_needed_is_fetched(
    store: Storage, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write("requests.parquet") as file:
        columns = {"n": range(20_000), "text": [f"{i:0800d}" for i in range(20_000)]}
        pq.write_table(pa.table(columns), file, row_group_size=1000, compression="none")
    size = len(store.read("requests.parquet"))
    assert size > 12 * MIB
    fetched: list[int] = []
    end, fetch = Objects._end, Objects._range

    def fetched_end(self: Objects, key: str) -> End:
        found = end(self, key)
        fetched.append(len(found.data))
        return found

    def fetched_range(self: Objects, *args: Any) -> bytes:
        found = fetch(self, *args)
        fetched.append(len(found))
        return found

    monkeypatch.setattr(Objects, "_end", fetched_end)
    monkeypatch.setattr(Objects, "_range", fetched_range)
    with store.open("requests.parquet") as file:
        table = pq.ParquetFile(file).read_row_group(3)
        assert table["n"].to_pylist() == list(range(3000, 4000))
    assert sum(fetched) < 4 * MIB
    fetched.clear()
    with store.connect() as db:
        query = "SELECT text FROM read_parquet($1) WHERE n BETWEEN 5000 AND 5009"
        assert len(db.execute(query, [store.url("requests.parquet")]).fetchall()) == 10
    assert sum(fetched) < 4 * MIB


def test_an_object_that_is_replaced_while_it_is_read_is_never_a_mixture(store: Storage) -> None:
    put(store, "a", b"1" * 3 * MIB)
    with store.open("a") as file:
        assert file.read(10) == b"1" * 10
        put(store, "a", b"2" * 3 * MIB)
        with pytest.raises(FileNotFoundError, match="replaced"):
            file.seek(MIB + MIB // 2)
            file.read(10)


def test_a_long_journal_is_few_objects(
    store: Storage, object_server: ObjectStore, bucket: str
) -> None:
    lines = [b"%d\n" % number for number in range(130)]
    journal = store.journal("log")
    for line in lines:
        journal.add(line)
    assert len(object_server.keys(bucket)) < 40
    assert store.lines("log") == b"".join(lines)
    store.delete("log")
    assert object_server.keys(bucket) == []


@pytest.mark.parametrize("merged", ["put", "deleted"])
def test_a_kill_while_a_journal_is_merged_doubles_nothing(
    store: Storage, way: Way, merged: str
) -> None:
    """Before and after the merged object is there, and while what it holds is deleted."""
    lines = [b"%d\n" % number for number in range(64)]
    journal = store.journal("log")
    store.patience = 0.3
    with stamina.set_testing(True, attempts=1):
        way.fault = lambda method, path, _: (
            "500"
            if (merged == "put" and "-000032-000063" in path)
            or (merged == "deleted" and method == "POST")
            else None
        )
        with pytest.raises(StorageUnavailable):
            for line in lines:
                journal.add(line)
    way.fault = lambda *_: None
    assert store.lines("log") == b"".join(lines)
    again = store.journal("log")
    again.add(b"last\n")
    assert store.lines("log") == b"".join([*lines, b"last\n"])
