"""A rude server in a thread of its own, for commands that bring their own event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.engines.rude_server import RudeServer


@contextmanager
def endpoint(*script: Any, **options: Any) -> Iterator[RudeServer]:
    """The server, answering until the block is left."""
    loop, server = asyncio.new_event_loop(), RudeServer(*script, **options)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
