"""An OpenAI-compatible endpoint that remembers which sample was asked for when: what an engine began
before it was killed, and what was generated a second time, can then be counted exactly."""

import asyncio
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.engines.rude_server import RudeServer, answer

VOCABULARY = 5000
LATENCY_S = (0.2, 1.0)


def words_of(seed: int) -> list[str]:
    """The text that a sample's seed stands for."""
    choose = random.Random(f"endpoint {seed}")
    return [f"w{choose.randrange(VOCABULARY):04d}" for _ in range(choose.randrange(40, 90))]


class Recorder(RudeServer):
    """Answers with the seed's text, after the seed's latency."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[int] = []
        """Seeds in the order in which they were asked for."""

    async def complete(self, request: web.Request) -> web.Response:
        asked: Mapping[str, Any] = await request.json()
        seed = int(asked["seed"])
        self.begun.append(seed)
        await asyncio.sleep(random.Random(f"latency {seed}").uniform(*LATENCY_S))
        words = words_of(seed)
        told = answer(" ".join(words))
        told["usage"]["completion_tokens"] = len(words)
        return web.json_response(told)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Serve on loopback, from a thread of its own."""
    recorder, ready = Recorder(), threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with recorder:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield recorder
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(timeout=10)
        loop.close()
