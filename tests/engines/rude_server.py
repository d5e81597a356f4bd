"""A small real HTTP server that answers as endpoints do on their bad days."""

from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from aiohttp import web

KEY = "sk-secret-0123456789"


def answer(text: str = "fine", **choice: Any) -> dict[str, Any]:
    """A chat completion as OpenAI's interface has it."""
    message = {"role": "assistant", "content": text} | choice.pop("message", {})
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"} | choice],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
    }


class RudeServer:
    """`script` lists the answers to completions in order, the last one for ever after.

    An answer is a JSON object (200), a status, bytes (200), or a (status, body, headers) triple.
    """

    def __init__(self, *script: Any, models: Any = ("m",), needs_key: bool = False) -> None:
        self.script = list(script) or [answer()]
        self.models = models
        self.needs_key = needs_key
        self.calls: Counter[str] = Counter()
        self.bodies: list[Mapping[str, Any]] = []
        self.url = ""

    async def __aenter__(self) -> "RudeServer":
        app = web.Application()
        app.router.add_get("/v1/models", self.list_models)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_post("/v1/completions", self.complete)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def list_models(self, request: web.Request) -> web.Response:
        if self.needs_key and request.headers.get("Authorization") != f"Bearer {KEY}":
            given = request.headers.get("Authorization", "nothing")
            return web.Response(status=401, text=f"bad key: {given}")
        if isinstance(self.models, int):
            return web.Response(status=self.models)
        if isinstance(self.models, bytes):
            return web.Response(body=self.models)
        return web.json_response({"data": [{"id": m, "max_model_len": 512} for m in self.models]})

    async def complete(self, request: web.Request) -> web.Response:
        self.calls[request.path] += 1
        self.bodies.append(await request.json())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, int):
            return web.Response(
                status=step, text=f"status {step}, {request.headers.get('Authorization')}"
            )
        if isinstance(step, bytes):
            return web.Response(body=step)
        if isinstance(step, tuple):
            status, text, headers = step
            return web.Response(status=status, text=text, headers=headers)
        return web.json_response(step)
