"""What vLLM's workers tell of their memory."""

from types import SimpleNamespace

from jobs.worker_memory import MemoryReport


class Worker(MemoryReport):
    """With the names of vLLM's own; on CPU it measures nothing."""

    model_runner = SimpleNamespace(model_memory_usage=5)
    total_consumed = 7


def test_what_is_not_measured_is_left_out() -> None:
    report = Worker().report_memory()
    assert report.pop("process_bytes") > 2**20
    assert report == {"weights_bytes": 5, "consumed_bytes": 7}
