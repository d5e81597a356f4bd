"""An HTTP proxy in front of an object store that loses, garbles, delays or refuses chosen requests.

It stands where networks fail: the store behind it is real, and so is the client before it.
"""

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

NOT_RELAYED = {"connection", "transfer-encoding", "expect", "content-length"}
PIECES, PAUSE_S = 8, 0.03
"""A slow answer comes in so many pieces, with a pause before each."""
HELD_S = 120.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket whose close is a reset."""


@dataclass(frozen=True)
class Asked:
    """One request. `operation` is put | get | head | list | delete | other; `key` has its bucket."""

    method: str
    operation: str
    key: str

    @classmethod
    def of(cls, method: str, target: str) -> "Asked":
        url = urlsplit(target)
        key, query = unquote(url.path).lstrip("/"), parse_qs(url.query, keep_blank_values=True)
        if method == "GET" and "list-type" in query:
            return cls(method, "list", f"{key.rstrip('/')}/{query.get('prefix', [''])[0]}")
        known = {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete"}
        return cls(method, known.get(method, "other"), key)


class FaultyProxy(ThreadingHTTPServer):
    """Forwards to `upstream`. `plan` lists what happens to the next requests of a method; where it
    has nothing to say, `choose` is asked.

    Faults: `lose_request` (never forwarded, connection closed), `reset` (the same before the body is
    read, by a reset), `reset_in_body` (by a reset in the middle of it), `lose_answer` (forwarded, then
    closed), `cut_answer` (half of the body), `trickle` (in slow pieces), `stall` (forwarded, answered
    after `stall_s`), `late` (forwarded after `stall_s`, when nobody listens any more), or an S3 error
    code with its status, not forwarded, as in `503 SlowDown`. `kill_before` and `kill_after` call
    `kill` before a request is forwarded and after it was, unanswered; `hold` calls it and forwards
    once `released` is set.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.lock = threading.Lock()
        self.plan: dict[str, list[str]] = {}
        self.choose: Callable[[Asked], str] = lambda asked: ""
        self.answered: Callable[[Asked, int], None] = lambda asked, status: None
        """Told of every request that the store answered, whether or not the client is told."""
        self.kill: Callable[[], None] = lambda: None
        self.released = threading.Event()
        self.stall_s = 2.0
        self.injected = Counter[str]()
        self.closing = threading.Event()
        self._active = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self, asked: Asked) -> str:
        with self.lock:
            left = self.plan.get(asked.method, [])
            fault = left.pop(0) if left else self.choose(asked)
            if fault:
                self.injected[fault] += 1
            return fault

    @contextmanager
    def relaying(self) -> Iterator[None]:
        """Counts a request that may still reach the store."""
        with self.lock:
            self._active += 1
        try:
            yield
        finally:
            with self.lock:
                self._active -= 1

    def settle(self) -> None:
        """Wait until no request that was taken may still reach the store."""
        quiet = 0
        while quiet < 3:
            time.sleep(0.02)
            with self.lock:
                quiet = quiet + 1 if self._active == 0 else 0

    def handle_error(self, request, client_address) -> None:
        """Clients that are killed in the middle of a request are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    @property
    def proxy(self) -> FaultyProxy:
        return cast(FaultyProxy, self.server)

    def _serve(self) -> None:
        with self.proxy.relaying():
            self._answer()

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def _answer(self) -> None:
        asked = Asked.of(self.command, self.path)
        fault = self.proxy.next_fault(asked)
        length = int(self.headers.get("Content-Length", 0))
        if fault in ("reset", "reset_in_body"):
            self.rfile.read(0 if fault == "reset" else length // 2)
            self._drop(RESET)
            return
        body = self.rfile.read(length)
        if len(body) < length or fault == "lose_request":  # Or the client died while it sent.
            self._drop()
        elif fault == "kill_before":
            self.proxy.kill()
            self._drop()
        elif fault[:3].isdigit():
            self._refuse(int(fault[:3]), fault[4:])
        else:
            if fault == "late":
                self.proxy.closing.wait(self.proxy.stall_s)
            if fault == "hold":
                self.proxy.kill()
                self.proxy.released.wait(HELD_S)
            self._relay(body, fault)

    def _relay(self, body: bytes, fault: str) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=30)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):  # The store is down: so it looks from afar.
            self._drop(RESET)
            return
        finally:
            connection.close()
        self.proxy.answered(Asked.of(self.command, self.path), answer.status)
        if fault == "kill_after":
            self.proxy.kill()
        if fault in ("lose_answer", "kill_after", "late"):
            self._drop()
            return
        if fault == "stall":
            self.proxy.closing.wait(self.proxy.stall_s)
        self._tell(answer, data, fault)

    def _tell(self, answer: http.client.HTTPResponse, data: bytes, fault: str) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in NOT_RELAYED:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if fault == "cut_answer":
            data = data[: len(data) // 2]
            self.close_connection = True
        size = max(1, -(-len(data) // PIECES)) if fault == "trickle" else max(1, len(data))
        for start in range(0, len(data), size):
            if fault == "trickle":
                self.proxy.closing.wait(PAUSE_S)
            self.wfile.write(data[start : start + size])

    def _refuse(self, status: int, code: str) -> None:
        data = f"<Error><Code>{code}</Code><Message>planned</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _drop(self, linger: bytes = b"") -> None:
        if linger:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Run a proxy before the endpoint `upstream`."""
    with FaultyProxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            proxy.shutdown()
            thread.join()
