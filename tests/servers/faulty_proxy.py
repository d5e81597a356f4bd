"""An HTTP proxy in front of an object store that loses or garbles chosen answers.

It stands where networks fail: the store behind it is real, and so is the client before it.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

NOT_RELAYED = {"connection", "transfer-encoding", "expect", "content-length"}


class FaultyProxy(ThreadingHTTPServer):
    """Forwards to `upstream`; `plan` lists what happens to the next requests of a method.

    Faults: `lose_request` (never forwarded, connection closed), `lose_answer` (forwarded, then
    closed), `cut_answer` (half of the body), or an S3 error code with its status, not forwarded,
    as in `503 SlowDown`.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.lock = threading.Lock()
        self.plan: dict[str, list[str]] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self, method: str) -> str:
        with self.lock:
            left = self.plan.get(method, [])
            return left.pop(0) if left else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def proxy(self) -> FaultyProxy:
        return cast(FaultyProxy, self.server)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.next_fault(self.command)
        if fault == "lose_request":
            self.close_connection = True
        elif fault[:3].isdigit():
            self._refuse(int(fault[:3]), fault[4:])
        else:
            self._relay(body, fault)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def _relay(self, body: bytes, fault: str) -> None:
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if fault == "lose_answer":
            self.close_connection = True
            return
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
        self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        data = f"<Error><Code>{code}</Code><Message>planned</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Run a proxy before the endpoint `upstream`."""
    with FaultyProxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
