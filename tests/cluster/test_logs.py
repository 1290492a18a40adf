"""What is logged, and what must not be."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from cluster import logs
from cluster.logs import configure_logs, hide

KEY = "br_abcdefgh" + "x" * 35


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"key {KEY}, twice {KEY}", "key br_abcdefgh…, twice br_abcdefgh…"),
        ("postgresql+psycopg://me:pa:ss@host/db", "postgresql+psycopg://me:…@host/db"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"),
        ("id=AKIAIOSFODNN7EXAMPLE!", "id=AKIA…!"),
        ("<AWSAccessKeyId>minio</AWSAccessKeyId>", "<AWSAccessKeyId>…</AWSAccessKeyId>"),
        ("/x?X-Amz-Signature=ab12&X-Amz-Date=1", "/x?X-Amz-Signature=…&X-Amz-Date=1"),
        ("AWS_SECRET_ACCESS_KEY=a/b+c d", "AWS_SECRET_ACCESS_KEY=… d"),
        ("{'aws_session_token': 'abc'}", "{'aws_session_token': '…'}"),
        ("bm_9d02b7c4e1a8 br_short", "bm_9d02b7c4e1a8 br_short"),
    ],
)
def test_secrets_are_hidden(said: str, written: str) -> None:
    assert hide(said) == written


def test_no_line_carries_a_secret_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    log = structlog.get_logger()
    log.info("called", url=f"https://x/?k={KEY}")
    try:
        raise RuntimeError(KEY)
    except RuntimeError:
        log.exception("failed")
    record = logging.LogRecord("httpx", logging.ERROR, "", 0, "with %s", (KEY,), None)
    assert KEY not in logs._Formatter().format(record)
    said = capsys.readouterr().out
    assert "failed" in said
    assert KEY not in said


def test_a_line_has_the_benchmark_that_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    with structlog.contextvars.bound_contextvars(benchmark_id="bm_1"):
        structlog.get_logger().info("chunk done")
    assert "benchmark_id=bm_1" in capsys.readouterr().out


def test_every_line_of_a_process_of_one_benchmark_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_values", {})
    logs.always(benchmark_id="bm_2")
    configure_logs()
    # A context variable would not be seen by the threads of an engine.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(structlog.get_logger().info, "chunk done").result()
    assert "benchmark_id=bm_2" in capsys.readouterr().out
    record = logging.LogRecord("vllm", logging.INFO, "", 0, "graph captured", (), None)
    assert logs._Formatter("%(message)s").format(record) == "graph captured benchmark_id=bm_2"
