"""A real S3 server for tests, moto's, in a process of its own; and a way to it that can fail."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": "us-east-1",
}

# It ends with the tests, also when these are killed.
_SERVER = """
import os, sys, threading, time
def watch(parent=os.getppid()):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""
_START_SECONDS = 60.0
_LATE_SECONDS = 0.8
_CODES = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied"}


class ObjectStore:
    """The server, with a bucket for each who asks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def bucket(self) -> str:
        name = f"test-{uuid.uuid4().hex[:12]}"
        httpx.put(f"{self.url}/{name}").raise_for_status()
        return name

    def keys(self, bucket: str) -> list[str]:
        return sorted(self._listed(bucket, "list-type=2", "Key"))

    def uploads(self, bucket: str) -> list[str]:
        """Uploads in parts that were begun, and neither completed nor given up."""
        return self._listed(bucket, "uploads", "UploadId")

    def _listed(self, bucket: str, what: str, field: str) -> list[str]:
        answer = httpx.get(f"{self.url}/{bucket}?{what}").raise_for_status().text
        assert "<IsTruncated>true" not in answer
        return re.findall(f"<{field}>(.+?)</{field}>", answer)


@contextmanager
def running() -> Iterator[ObjectStore]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(port)],
        env=os.environ | CREDENTIALS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert server.poll() is None, "moto's server has ended"
            assert time.monotonic() < deadline, "moto's server does not start"
            time.sleep(0.05)
    yield ObjectStore(port)
    server.kill()
    server.wait()


Fault = Callable[[str, str, int], str | None]
"""Takes a request's method, its path and how many came before; returns what goes wrong:

``500``, ``503``, ``403``: the server says so and does nothing. ``lost``: it does it, its answer is
lost. ``cut``: the connection ends in the middle of the answer. ``late``: the answer takes longer
than the client waits.
"""


class Way:
    """A proxy in front of the server, through which requests fail as asked."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.fault: Fault = lambda *_: None
        self.requests: list[tuple[str, str]] = []
        self.faults = 0
        self._lock = threading.Lock()
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Or each answer waits 40 ms for an acknowledgement between its head and its body.
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None:
                return

            def do(self) -> None:
                way.pass_on(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do  # noqa: N815 - as is its base's

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        with self._lock:
            fault = self.fault(request.command, request.path, len(self.requests))
            self.requests.append((request.command, request.path))
            self.faults += fault is not None
        if fault in _CODES:
            answer = f"<Error><Code>{_CODES[fault]}</Code></Error>"
            self._answer(request, int(fault), {}, answer.encode())
            return
        if fault == "late":
            time.sleep(_LATE_SECONDS)
        connection = HTTPConnection("127.0.0.1", self._store.port)
        connection.request(request.command, request.path, body, dict(request.headers))
        response = connection.getresponse()
        data = response.read()
        connection.close()
        if fault == "lost":
            request.close_connection = True
            return
        length = len(data) or int(response.headers.get("content-length", 0))
        if fault == "cut":
            data = data[: len(data) // 2]
            request.close_connection = True
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in ("connection", "content-length", "transfer-encoding", "server")
        }
        self._answer(request, response.status, headers, data, length)

    def _answer(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        data: bytes,
        length: int | None = None,
    ) -> None:
        try:
            request.send_response_only(status)
            for name, value in headers.items():
                request.send_header(name, value)
            if status not in (204, 304):
                request.send_header("content-length", str(len(data) if length is None else length))
            request.end_headers()
            request.wfile.write(data)
        except OSError:
            pass  # who asked has given up

    def count(self, method: str, part: str = "") -> int:
        return sum(one == method and part in path for one, path in self.requests)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def be_quick(patch: pytest.MonkeyPatch) -> None:
    """Have a store that fails tried again at once, and by the library less often."""
    tries = {"max_retries": 2, "backoff": {"init_backoff": timedelta(milliseconds=10)}}
    patch.setattr("cluster.objects._RETRIES", tries)
    patch.setattr("cluster.objects._WAITS", {"wait_initial": 0.02, "wait_jitter": 0.0})


def configure(patch: pytest.MonkeyPatch, bucket: str, endpoint: str) -> None:
    """Point the settings of this process at a bucket."""
    for name, value in CREDENTIALS.items():
        patch.setenv(name, value)
    patch.setenv("BENCHMARK_RUNNER_STORAGE_URL", f"s3://{bucket}/some/prefix")
    patch.setenv("BENCHMARK_RUNNER_STORAGE_ENDPOINT", endpoint)
