"""A small OpenAI-compatible endpoint on loopback, in a thread: a model, a key, a context, a pace."""

import contextlib
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = [
    f"{first}{last}"
    for first in ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu")
    for last in ("dan", "fer", "gil", "hom", "jun", "kas", "lep", "mir", "nor", "pax")
]


@dataclass
class Endpoint:
    """What it serves; may be changed while it runs."""

    url: str = ""
    model: str = "writer"
    key: str = ""
    """Empty: nobody is asked for one."""
    context: int = 0
    """Tokens of prompt and answer together; 0: endless."""
    answer_s: float = 0.0
    answers: int = 0
    tokens: int = 0
    """Of all its answers."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self, body: dict[str, Any]) -> str:
        """A text that depends on the request alone."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return " ".join(random.Random(digest).choices(WORDS, k=40)) + "."


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """Head and body in one packet: else the body waits 40 ms for the client to acknowledge the head."""

    def do_GET(self) -> None:
        if self._admits():
            model = {"id": self.endpoint.model}
            if self.endpoint.context:
                model["max_model_len"] = self.endpoint.context
            self._answer(200, {"data": [model]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._admits():
            return
        if body["model"] != self.endpoint.model:
            self._answer(404, {"error": {"message": f"no model {body['model']}"}})
            return
        time.sleep(self.endpoint.answer_s)
        prompt = sum(len(one["content"].split()) for one in body["messages"])
        if self.endpoint.context and prompt + body["max_tokens"] > self.endpoint.context:
            limit = f"the context length is {self.endpoint.context} tokens, {prompt} were asked"
            self._answer(400, {"error": {"message": limit}})
            return
        text = self.endpoint.text(body)
        with self.endpoint.lock:
            self.endpoint.answers += 1
            self.endpoint.tokens += len(text.split())
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": prompt, "completion_tokens": len(text.split())}
        self._answer(200, {"choices": [choice], "usage": usage})

    def _admits(self) -> bool:
        wanted = f"Bearer {self.endpoint.key}"
        if self.endpoint.key and self.headers.get("Authorization") != wanted:
            self._answer(401, {"error": {"message": "invalid key"}})
            return False
        return True

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        # The client may be gone by now: it was told to stop.
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def serving(**what: Any) -> Iterator[Endpoint]:
    """An endpoint that is up while the block runs; `what` are fields of `Endpoint`."""
    endpoint = Endpoint(**what)
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
