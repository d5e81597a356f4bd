"""The engine without a model: `core.simulation.simulation` behind the same protocol as vLLM.

It ships because it is useful: a pipeline, a store or a thousand engines can be rehearsed on a
laptop, with a ledger whose truth is known. With zero latency a submit never suspends.
"""

import asyncio
import os
from collections.abc import Mapping

from seedcorn.core.engine import Completion, EngineInfo, Request
from seedcorn.core.errors import EngineDead, EngineUnavailable, RequestRefused
from seedcorn.core.identity import uint64
from seedcorn.core.recipe import EngineSpec, SimulatedSpec
from seedcorn.core.simulation import simulation
from seedcorn.core.simulation.simulation import Kind, Simulated
from seedcorn.engines.in_flight import InFlight


class SimulatedEngine:
    """Deterministic completions; tokens are words."""

    def __init__(self, spec: EngineSpec) -> None:
        self._name = spec.model or "simulated"
        self._spec: SimulatedSpec = spec.simulated
        self._in_flight = InFlight()
        self._slots = asyncio.Semaphore(max(1, spec.simulated.concurrency))
        self._tokens = 0
        self._started = False

    async def start(self) -> EngineInfo:
        """Raises EngineUnavailable for `fail_start`."""
        if self._spec.fail_start:
            raise EngineUnavailable("the simulated engine was told not to start (fail_start: true)")
        self._started = True
        return EngineInfo(
            engine=f"simulated {simulation.VERSION}",
            model=self._name,
            sampling={name: getattr(self._spec, name) for name in ("words", "vocabulary", "style")},
            capacity=self._spec.concurrency,
        )

    async def submit(self, request: Request) -> Completion:
        """The planned text, after the planned latency; a poison index ends the process at once."""
        if not self._started:
            raise EngineDead("the simulated engine is not running")
        with self._in_flight:
            if self._spec.latency_s > 0:
                async with self._slots:
                    await asyncio.sleep(self._latency(request))
            return self._answer(request)

    async def stats(self) -> Mapping[str, float]:
        """Requests in flight and finished, tokens written."""
        return {
            "running": float(self._in_flight.count),
            "finished": float(self._in_flight.finished),
            "generation_tokens": float(self._tokens),
        }

    async def drain(self) -> None:
        """Return once nothing is in flight."""
        await self._in_flight.drained()

    async def close(self) -> None:
        """Refuse further requests."""
        self._started = False

    def _latency(self, request: Request) -> float:
        """Seconds: `latency_s`, give or take the share `latency_jitter`, by hash of the id."""
        swing = 2 * uint64("latency", request.sample_id) / 2**64 - 1
        return max(0.0, self._spec.latency_s * (1 + self._spec.latency_jitter * swing))

    def _answer(self, request: Request) -> Completion:
        result = simulation.simulate(
            request.recipe,
            request.generation,
            request.index,
            self._spec,
            request.parent,
            request.stratum,
        )
        if result.kind is Kind.POISON:
            # As a crash would: no cleanup, no message, and every neighbour in flight is lost too.
            os._exit(1)
        if result.kind is Kind.FAILED:
            raise RequestRefused(f"planted failure of sample {request.sample_id}")
        return self._completion(request, result)

    def _completion(self, request: Request, result: Simulated) -> Completion:
        self._tokens += result.words
        return Completion(
            text=result.text,
            prompt_tokens=prompt_words(request),
            completion_tokens=result.words,
            finish_reason="stop",
        )


def prompt_words(request: Request) -> int:
    """Words of the prompt by counting spaces: splitting it would cost more than the simulation."""
    texts = [message.content for message in request.messages] or [request.prompt]
    return sum(text.count(" ") + 1 for text in texts if text)
