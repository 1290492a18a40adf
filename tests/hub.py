"""A model hub for tests: an HTTP server that gives a folder the way huggingface.co does.

Only what checking a model asks for; every request that is made is noted.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from safetensors.numpy import save_file

COMMIT = "a" * 40

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
}
_LAYER = 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 64 + 2 * 32
PARAMETERS = 100 * 32 + 2 * _LAYER + 32
"""Of a model of this config."""


def snapshot(folder: Path, **config: Any) -> Path:
    """A folder with a config and weights of its shape in float32, and a copy of the tied head."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    tensors = {
        "model.embed_tokens.weight": np.zeros((100, 32), np.float32),
        "lm_head.weight": np.zeros((100, 32), np.float32),
        "model.layers.0.all": np.zeros(_LAYER, np.float32),
        "model.layers.1.all": np.zeros(_LAYER, np.float32),
        "model.layers.2.for_speculation": np.zeros(7, np.float32),
        "model.norm.weight": np.zeros(32, np.float32),
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


@contextmanager
def serve(folder: Path, card: dict[str, Any] | None = None, status: int = 200) -> Iterator[str]:
    """Serve ``folder`` as the repository ``org/tiny``; the server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if status != 200:
                self._send(status, b"", {"X-Error-Code": "GatedRepo"} if status == 403 else {})
            elif path.startswith("/api/models/org/tiny"):
                self._send(200, json.dumps(self._info()).encode(), {})
            elif (
                path.startswith("/org/tiny/resolve/")
                and (file := folder / Path(path).name).is_file()
            ):
                self._send_file(file)
            else:
                code = "EntryNotFound" if path.startswith("/org/tiny/") else "RepoNotFound"
                self._send(404, b"", {"X-Error-Code": code})

        def _info(self) -> dict[str, Any]:
            files = [
                {"rfilename": one.name, "size": one.stat().st_size, "blobId": "b"}
                for one in folder.iterdir()
            ]
            return {"id": "org/tiny", "sha": COMMIT, "siblings": files, "cardData": card}

        def _send_file(self, file: Path) -> None:
            whole = file.read_bytes()
            body, headers = whole, {"ETag": '"etag"', "X-Repo-Commit": COMMIT}
            if wanted := self.headers.get("Range"):
                first, last = (int(one) for one in wanted.removeprefix("bytes=").split("-"))
                body = whole[first : last + 1]
                headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{len(whole)}"
            self._send(206 if wanted else 200, body, headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
