"""An endpoint on loopback that answers with given texts, and corpora that are grown from it."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping, Sequence

import pyarrow.parquet as pq

from tests.cases.running import seedcorn, write_recipe

Message = Mapping[str, str | None]


@contextlib.contextmanager
def answering(messages: Sequence[Message]) -> Iterator[str]:
    """The endpoint's URL; the prompt `answer N` gets the N-th of these messages."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            self._reply({"data": [{"id": "m", "max_model_len": 4096}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = int(asked["messages"][-1]["content"].rpartition(" ")[2])
            choice = {"message": {"role": "assistant", **messages[number]}, "finish_reason": "stop"}
            usage = {"prompt_tokens": 5, "completion_tokens": 9}
            self._reply({"choices": [choice], "usage": usage})

        def _reply(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def grow_answers(folder, messages: Sequence[Message], **engine: object) -> dict[int, dict]:
    """Grows a corpus that asks for each message once; its rows by the number of the message."""
    prompts = [{"name": "ask", "template": "answer {{ index }}", "parents": 0}]
    with answering(messages) as url:
        openai = {"kind": "openai", "model": "m", "openai": {"base_url": url}}
        whole = {"prompts": prompts, "engine": openai | engine, "samples": len(messages)}
        path = write_recipe(folder, **whole, units={"unit": 8, "batch": 16})
        assert seedcorn("grow", path) == 0
    parts = (folder / "corpus").glob("d*/gen-*/*.parquet")
    return {row["index"]: row for part in parts for row in pq.read_table(part).to_pylist()}
