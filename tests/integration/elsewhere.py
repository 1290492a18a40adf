"""A service elsewhere that models behind an endpoint are asked of: it answers what it was asked,
and says now and then that it is busy."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-of-the-test"
KEY_NAME = "BENCHMARK_TEST_KEY"
MODEL = "elsewhere/parrot"


@dataclass
class Elsewhere:
    url: str = ""
    keys: set[str | None] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def entry(self) -> dict[str, Any]:
        """Its file in the registry."""
        return {
            "model_id": MODEL,
            "name": "Parrot",
            "engine": "endpoint",
            "endpoint": {
                "base_url": self.url,
                "model": "parrot-1",
                "api_key_env": KEY_NAME,
                "max_concurrency": 3,
            },
        }

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        text = str(body["messages"][-1]["content"])
        if text.endswith("0 a good fit?") and text not in self.refused:
            self.refused.add(text)
            return 429, {"error": {"message": "busy"}}
        choice = {
            "message": {"role": "assistant", "content": f"{body['model']}: {text}"},
            "finish_reason": "stop",
        }
        return 200, {"id": f"p-{text}", "choices": [choice], "usage": {"completion_tokens": 5}}


@contextmanager
def running() -> Iterator[Elsewhere]:
    service = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            self.reply(200, {"data": []})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with service.lock:
                service.keys.add(self.headers.get("authorization"))
                service.at_once += 1
                service.most_at_once = max(service.most_at_once, service.at_once)
                status, answer = service.answer(body)
            self.reply(status, answer)
            with service.lock:
                service.at_once -= 1

        def reply(self, status: int, answer: dict[str, Any]) -> None:
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("retry-after", "0.1")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield service
    server.shutdown()
    thread.join()
    server.server_close()
