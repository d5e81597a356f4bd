"""A web server on loopback that takes POSTed JSON and remembers it, for whatever sends messages."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Listener(HTTPServer):
    """Answers every POST with `status` and remembers it."""

    def __init__(self, status, headers=()):
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.headers, self.taken = status, headers, []


class Answer(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


@pytest.fixture
def listening():
    servers = []

    def start(status, *headers):
        server = Listener(status, headers)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server, f"http://127.0.0.1:{server.server_port}/hooks/s3cr3t"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
