"""A real endpoint that answers each kind of question with one kind of garbage."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.engines.rude_server import RudeServer, answer


def words(case: str, count: int = 40) -> str:
    """Words that no other case has."""
    return " ".join(f"{case}{n}" for n in range(count))


def case_of(body: Mapping[str, Any]) -> str:
    """Which kind of garbage a request asks for: the first word of its prompt."""
    return body["messages"][-1]["content"].split(" ", 1)[0]


class GarbageServer(RudeServer):
    """`answers` maps a case to what is answered: see RudeServer, or a Python text to say."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__()
        self.answers = answers

    async def complete(self, request: web.Request) -> web.Response:
        case = case_of(await request.json())
        self.calls[case] += 1
        step = self.answers[case]
        if isinstance(step, str):
            step = json.dumps(answer(step)).encode()  # Lone surrogates become escapes.
        if isinstance(step, bytes):
            return web.Response(body=step, content_type="application/json")
        if isinstance(step, int):
            return web.Response(status=step, text=f"status {step}")
        return web.json_response(step)


@contextmanager
def serving(server: RudeServer) -> Iterator[str]:
    """The URL of `server`, which runs in a thread of its own for the `with` body."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def run() -> None:
        async with server:
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert ready.wait(30)
        yield server.url
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
