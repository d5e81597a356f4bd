"""An OpenAI-compatible endpoint that already runs: vLLM's own server, or anything that speaks it.

Retries live here and nowhere above: what is transient is tried again with jittered back-off, a
bounded number of times, and what remains is either this request's fault (RequestRefused) or the
endpoint's (EngineDead). The key is read from the environment and appears in no message.
"""

import asyncio
import json
import os
import random
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import aiohttp
from yarl import URL

from seedcorn.core.engine import Completion, EngineInfo, Request
from seedcorn.core.errors import (
    EngineDead,
    EngineUnavailable,
    EngineUnreachable,
    RequestRefused,
)
from seedcorn.core.recipe import EngineSpec
from seedcorn.core.recipe.secrets import redacted
from seedcorn.engines.in_flight import InFlight

ATTEMPTS = 5
LONGEST_PAUSE_S = 30.0
MAX_ANSWER = 32 << 20
"""Bytes of one answer, decompressed: what is longer never ends, or fills the memory."""
MAX_COUNT = 2**31 - 1
TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, 425, 429})
"""Client errors that say nothing about the request itself; all 5xx are transient as well."""

ENDPOINT_FAULTS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""The key or the model is gone: no request can work, so the sample is not to blame."""

FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "function_call": "stop",
    "repetition": "repetition",
    "abort": "abort",
}


class Transient(Exception):
    """One attempt failed in a way that another may not."""

    def __init__(self, problem: str, pause_s: float = 0.0) -> None:
        super().__init__(problem)
        self.pause_s = pause_s


class EndpointEngine:
    """Chat and text completions over HTTP; `backoff_s` is the first pause between attempts."""

    def __init__(self, spec: EngineSpec, backoff_s: float = 1.0) -> None:
        self._spec = spec
        self._backoff_s = backoff_s
        self._url = endpoint_url(spec.openai.base_url)
        self._shown = str(self._url.with_user(None).with_query(None))
        self._model = spec.model
        self._key = ""
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(max(1, spec.openai.max_concurrency))
        self._in_flight = InFlight()
        self._retries = 0

    async def start(self) -> EngineInfo:
        """Check that the endpoint answers and serves the model; nothing is loaded.

        Raises EngineUnavailable naming the URL, and the models on offer; EngineUnreachable where
        nothing answers that another attempt might reach.
        """
        self._key = os.environ.get(self._spec.openai.api_key_env, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise EngineUnavailable(
                f"${self._spec.openai.api_key_env} contains characters that no key has"
            )
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=aiohttp.ClientTimeout(total=self._spec.openai.timeout_s),
            connector=aiohttp.TCPConnector(limit=0),
        )
        try:
            served = await self._served_models()
            entry = self._chosen(served)
        except EngineUnavailable:
            await self.close()
            raise
        context = count(entry.get("max_model_len"))
        return EngineInfo(
            engine="openai-endpoint",
            model=self._model,
            sampling=self._sampling() | {"seed": self._spec.openai.send_seed},
            max_prompt_tokens=max(0, context - self._spec.sampling.max_tokens),
            capacity=self._spec.openai.max_concurrency,
        )

    async def submit(self, request: Request) -> Completion:
        """One completion; EngineDead once the endpoint has failed it ATTEMPTS times."""
        with self._in_flight:
            async with self._slots:
                path, body = self._body(request)
                for attempt in range(1, ATTEMPTS + 1):
                    try:
                        return completion(await self._post(path, body))
                    except Transient as problem:
                        if attempt == ATTEMPTS:
                            raise EngineDead(
                                f"{self._shown} failed {ATTEMPTS} times in a row: {problem}"
                            ) from problem
                        self._retries += 1
                        await asyncio.sleep(self._pause(attempt, problem.pause_s))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def ask(self, request: Request) -> dict[str, Any]:
        """One answer as the endpoint gives it, tried once; raises EngineError."""
        try:
            return await self._post(*self._body(request))
        except Transient as problem:
            raise EngineUnreachable(f"{self._shown}: {problem}") from problem

    async def stats(self) -> Mapping[str, float]:
        """Requests in flight and finished, attempts repeated."""
        return {
            "in_flight": float(self._in_flight.count),
            "finished": float(self._in_flight.finished),
            "retries": float(self._retries),
        }

    async def drain(self) -> None:
        """Return once nothing is in flight."""
        await self._in_flight.drained()

    async def close(self) -> None:
        """Close the connections; the endpoint itself is not ours to end."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _served_models(self) -> list[dict[str, Any]]:
        """Entries of /models; empty where the endpoint has no such list."""
        assert self._session is not None
        try:
            async with self._session.get(
                self._url / "models", allow_redirects=False, timeout=aiohttp.ClientTimeout(total=30)
            ) as response:
                if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                    return []
                if response.status != HTTPStatus.OK:
                    refusal = await self._refusal(response)
                    if isinstance(self._problem(response, refusal), Transient):
                        raise EngineUnreachable(refusal)
                    raise EngineUnavailable(refusal)
                listed = parsed(await body_of(response))
        except RequestRefused as problem:
            raise EngineUnavailable(f"{self._shown}/models: {problem}") from None
        except (aiohttp.ClientError, TimeoutError, OSError, Transient) as problem:
            raise EngineUnreachable(
                f"no OpenAI-compatible endpoint answers at {self._shown}: {self._safe(problem)}."
                " Check engine.openai.base_url"
            ) from None
        entries = listed.get("data")
        return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []

    def _chosen(self, served: list[dict[str, Any]]) -> dict[str, Any]:
        """The entry of the recipe's model; a sole model serves a recipe that names none."""
        names = [str(entry.get("id")) for entry in served]
        if not self._model and len(names) == 1:
            self._model = names[0]
        if not self._model or (names and self._model not in names):
            offer = ", ".join(names[:8]) or "no list of models"
            raise EngineUnavailable(
                f"{self._shown} does not serve engine.model {self._model!r}; it offers {offer}"
            )
        return served[names.index(self._model)] if names else {}

    def _sampling(self) -> dict[str, Any]:
        """What is sent: only what the recipe sets, so that the model's own defaults hold."""
        asked = asdict(self._spec.sampling)
        return {
            k: v for k, v in asked.items() if v not in (None, []) and (k, v) != ("min_tokens", 0)
        }

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"model": self._model, **self._sampling()}
        if self._spec.openai.send_seed:
            body["seed"] = request.seed
        if not request.messages:
            return "completions", body | {"prompt": request.prompt}
        if self._spec.chat_template_kwargs:
            body["chat_template_kwargs"] = self._spec.chat_template_kwargs
        body["messages"] = [asdict(message) for message in request.messages]
        return "chat/completions", body

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if self._session is None:
            raise EngineDead(f"the engine for {self._shown} is not running")
        try:
            async with self._session.post(
                self._url / path, json=body, allow_redirects=False
            ) as response:
                if response.status == HTTPStatus.OK:
                    return parsed(await body_of(response))
                raise self._problem(response, await self._refusal(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Transient(f"{type(problem).__name__}: {self._safe(problem)}") from None

    def _problem(self, response: aiohttp.ClientResponse, message: str) -> Exception:
        """Whose fault a status is: nobody's for long, the endpoint's, or the request's."""
        status = response.status
        if status in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Transient(message, retry_after(response.headers.get("Retry-After", "")))
        if status in ENDPOINT_FAULTS or status < HTTPStatus.BAD_REQUEST:
            return EngineDead(message)
        return RequestRefused(message)

    async def _refusal(self, response: aiohttp.ClientResponse) -> str:
        """Status and the server's own words, shortened; the key never survives in them."""
        answer = await response.content.read(2000)
        words = self._safe(answer.decode("utf-8", "replace"))[:300]
        hint = ""
        if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            state = "the key in" if self._key else "no key:"
            hint = f" ({state} ${self._spec.openai.api_key_env}{'' if self._key else ' is empty'})"
        return f"{self._shown} answered {response.status}{hint}: {words}"

    def _safe(self, message: object) -> str:
        text = str(message) or type(message).__name__
        return text.replace(self._key, "***") if self._key else text

    def _pause(self, attempt: int, asked_s: float) -> float:
        """Seconds before the next attempt: full jitter below a doubling bound, or as asked."""
        bound = min(LONGEST_PAUSE_S, self._backoff_s * 2.0 ** (attempt - 1))
        return min(LONGEST_PAUSE_S, max(asked_s, random.uniform(0, bound)))


def endpoint_url(base_url: str) -> URL:
    """The API root; `/v1` is added where the recipe gives a bare host."""
    try:
        url = URL(base_url.rstrip("/"))
        known = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        url, known = URL(), False
    if not known:
        raise EngineUnavailable(
            f"engine.openai.base_url is {redacted(base_url)!r}: give the endpoint's URL, such as"
            " http://127.0.0.1:8000/v1"
        )
    return url / "v1" if url.path in ("", "/") else url


async def body_of(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; raises RequestRefused for more than MAX_ANSWER bytes, however compressed."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            response.close()
            raise RequestRefused(f"the answer is longer than {MAX_ANSWER >> 20} MiB")
    return bytes(body)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; raises Transient for anything else, such as a proxy's page."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise Transient(f"the answer is not JSON: {body[:80]!r}") from None
    if not isinstance(answer, dict):
        raise Transient(f"the answer is not a JSON object: {body[:80]!r}")
    return answer


def completion(answer: Mapping[str, Any]) -> Completion:
    """One answer as a Completion; raises Transient where it has no usable choice."""
    try:
        choice = answer["choices"][0]
        message = choice.get("message", choice)
        text = message["content" if "message" in choice else "text"]
        trace = message.get("reasoning") or message.get("reasoning_content")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Transient(f"the answer has no choice: {str(answer)[:80]}") from None
    if not (isinstance(text, str | None) and isinstance(trace, str | None)):
        raise Transient(f"the answer's text is not a string: {str(text)[:80]}")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise RequestRefused("the endpoint's content filter refused the request")
    usage = _mapping(answer.get("usage"))
    return Completion(
        text=text or "",
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        finish_reason=FINISH_REASONS.get(reason, "error") if isinstance(reason, str) else "error",
        cached_tokens=count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
        trace=trace or "",
    )


def count(value: Any) -> int:
    """A number of tokens as a server tells it; 0 for what is no such number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= MAX_COUNT else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def retry_after(header: str) -> float:
    """Seconds a server asks to wait; 0 for none, or for a date."""
    header = header.strip()
    return float(header) if header.isascii() and header.isdecimal() else 0.0
