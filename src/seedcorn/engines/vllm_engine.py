"""vLLM in this process: `AsyncLLM`, on a GPU or the CPU. The only file that touches vLLM's API.

Everything of vLLM is imported inside methods, so that the module costs nothing to import. The
engine must live in one event loop. `start` blocks that loop while the model loads. A dead engine
cannot be revived: the process that holds it has to be replaced.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from seedcorn.core.engine import Completion, EngineInfo, Markers, Message, Request, Use
from seedcorn.core.errors import EngineDead, EngineUnavailable, RequestRefused
from seedcorn.core.generate.system_turn import drops_system_turn
from seedcorn.core.recipe import EngineSpec
from seedcorn.engines import vllm_setup
from seedcorn.engines.in_flight import InFlight

INLINE_CHARS = 8000
"""Prompts up to this length are tokenised on the event loop (about 0.4 ms per 1000 characters): a
hop to a thread costs as much. Longer ones go to a thread, one at a time, because vLLM copies its
whole tokenizer when more than two are in use."""

PROMPT_END = 24
"""Tokens at a prompt's end that are looked at: enough for any marker of a trace."""

START_ERRORS = (ValueError, RuntimeError, OSError, TypeError, ImportError, AssertionError, KeyError)
"""What vLLM raises for a model or a setting it cannot use, apart from its own classes."""


class VllmEngine:
    """Engine over `AsyncLLM`; refuses at start a model whose chat template cannot do what `use` says."""

    def __init__(self, spec: EngineSpec, use: Use) -> None:
        self._spec = spec
        self._use = use
        self._engine: Any = None
        self._closed = False
        self._sampling: dict[str, Any] = {}
        self._info = EngineInfo(engine="vllm", model=spec.model)
        self._figures = SchedulerFigures()
        self._in_flight = InFlight()
        self._ids: set[str] = set()
        self._rendering = asyncio.Lock()

    async def start(self) -> EngineInfo:
        """Load the model. Raises EngineUnavailable with vLLM's own cause."""
        name, version = vllm_setup.installed_vllm()
        vllm_setup.require_model(self._spec.model)
        vllm_setup.refuse_unsafe_environment(os.environ)
        variables = vllm_setup.engine_environment(self._spec, os.cpu_count() or 1)
        for key, value in variables.items():
            os.environ.setdefault(key, value)
        from vllm.exceptions import VLLMError

        try:
            self._engine = self._load()
            self._sampling = self._resolve_sampling()
        except (*START_ERRORS, VLLMError) as problem:
            await self.close()
            raise EngineUnavailable(
                f"{name} {version} cannot start {self._spec.model}: {problem}"
            ) from problem
        self._info = self._describe(f"{name} {version}")
        if problem := self._template_problem(self._engine):
            await self.close()
            raise EngineUnavailable(f"{self._spec.model} {problem}")
        return self._info

    async def submit(self, request: Request) -> Completion:
        """Write one sample; cancelling the call aborts the request in the engine."""
        from vllm.exceptions import VLLMError
        from vllm.v1.engine.exceptions import EngineDeadError

        engine = self._engine
        if engine is None:
            raise EngineDead("the vLLM engine is not running")
        with self._in_flight:
            self._ids.add(request.sample_id)
            try:
                return await self._generate(engine, request)
            except EngineDeadError as death:
                raise EngineDead("the vLLM engine process died") from death
            except VLLMError as problem:
                if engine.errored:
                    raise EngineDead("the vLLM engine process died") from problem
                cause = problem.__cause__ or problem
                raise RequestRefused(f"vLLM: {type(cause).__name__}: {cause}") from problem
            finally:
                self._ids.discard(request.sample_id)

    async def stats(self) -> Mapping[str, float]:
        """Queue lengths, share of the KV cache in use, share of prompt tokens found cached."""
        return self._figures.snapshot() | {"in_flight": float(self._in_flight.count)}

    async def drain(self) -> None:
        """Return once nothing is in flight."""
        await self._in_flight.drained()

    async def close(self) -> None:
        """End the engine's processes; what is in flight raises EngineDead."""
        engine, self._engine, self._closed = self._engine, None, True
        if engine is None:
            return
        if not engine.errored and self._ids:
            await engine.abort(list(self._ids))
            await self._in_flight.drained()
        engine.shutdown()

    def _load(self) -> Any:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        on_cpu = current_platform.is_cpu()
        if self._spec.vllm.device not in ("auto", "cpu" if on_cpu else "gpu"):
            raise EngineUnavailable(
                f"engine.vllm.device is {self._spec.vllm.device!r}, but the installed vLLM runs on"
                f" {'the CPU' if on_cpu else 'a GPU'} here: use auto, or install the other extra"
            )
        # Without the offline context vLLM schedules 128 sequences and 2048 tokens at most.
        return AsyncLLM.from_engine_args(
            AsyncEngineArgs(**vllm_setup.engine_arguments(self._spec, on_cpu)),
            usage_context=UsageContext.LLM_CLASS,
            stat_loggers=[self._figures.attach],
        )

    def _resolve_sampling(self) -> dict[str, Any]:
        """The model's own defaults under the recipe's settings, as vLLM understands them."""
        from vllm import SamplingParams

        own = self._engine.model_config.get_diff_sampling_param()
        asked = {k: v for k, v in asdict(self._spec.sampling).items() if v not in (None, [])}
        merged = own | asked
        params = SamplingParams(**merged)
        names = [*asdict(self._spec.sampling), "stop_token_ids", "ignore_eos"]
        return {name: getattr(params, name) for name in names}

    def _describe(self, engine: str) -> EngineInfo:
        tokenizer = self._engine.get_tokenizer()
        template = getattr(tokenizer, "chat_template", None) or ""
        text = template if isinstance(template, str) else repr(sorted(template.items()))
        config, special = self._engine.model_config, special_tokens(tokenizer)
        # Where the template is code, the model's own tokens tell how it marks its traces.
        markers = self._markers(text or " ".join(added_tokens(tokenizer)), special)
        return EngineInfo(
            engine=engine,
            model=self._spec.model,
            revision=self._revision(config),
            chat_template=hashlib.sha256(text.encode()).hexdigest()[:16] if text else "",
            sampling=self._sampling,
            special_tokens=special,
            markers=markers,
            max_prompt_tokens=config.max_model_len - self._sampling["max_tokens"],
            capacity=self._spec.vllm.max_num_seqs,
        )

    def _markers(self, template: str, special: Sequence[str]) -> Markers | None:
        """How the model marks its traces, where they are to be split off."""
        markers = self._spec.reasoning.of_template(template) if self._use.split else None
        if markers is not None and any(token in "".join(astuple(markers)) for token in special):
            # vLLM leaves control tokens out of the text, and with them the markers.
            self._sampling["skip_special_tokens"] = False
        return markers

    def _revision(self, config: Any) -> str:
        folder = Path(self._spec.model)
        if folder.is_dir():
            return vllm_setup.weights_revision(folder)
        return getattr(config.hf_config, "_commit_hash", None) or self._spec.vllm.revision

    def _template_problem(self, engine: Any) -> str:
        """What of its use the chat template cannot do, to follow the model's name; empty: nothing."""
        if self._use.chat and not self._has_template():
            return (
                "has no chat template: use an instruction-tuned model, or set"
                " `continuation: true` on every prompt to send raw text"
            )
        if not self._use.system:
            return ""
        remedy = "write what `system` says into the prompts' templates, or use another model"
        try:
            dropped = drops_system_turn(partial(self._as_text, engine))
        except TemplateError as refusal:
            return f"refuses a system turn ({refusal}): {remedy}"
        return f"drops the system turn, its chat template has no place for it: {remedy}" * dropped

    def _as_text(self, engine: Any, messages: Sequence[Message]) -> str:
        """A chat as the model reads it; raises TemplateError where the chat template refuses it."""
        from vllm.exceptions import VLLMError

        request = Request("", "", 0, 0, 0, messages=tuple(messages))
        try:
            prompt = engine.renderer.render_chat(*self._conversation(request))[1][0]
        except (*START_ERRORS, VLLMError, TemplateError) as problem:
            raise TemplateError(str(problem.__cause__ or problem)) from problem
        return engine.get_tokenizer().decode(prompt["prompt_token_ids"])

    def _end_of(self, engine: Any, tokens: Sequence[int]) -> str:
        """How a prompt ends, where that matters: its template may have opened a trace."""
        if self._info.markers is None:
            return ""
        return engine.get_tokenizer().decode(tokens[-PROMPT_END:])

    def _has_template(self) -> bool:
        """Renderers other than Hugging Face's carry their template in code."""
        from vllm.renderers.hf import HfRenderer

        hugging_face = isinstance(self._engine.renderer, HfRenderer)
        return bool(self._info.chat_template) or not hugging_face

    async def _generate(self, engine: Any, request: Request) -> Completion:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        prompt = await self._rendered(engine, request)
        length = len(prompt["prompt_token_ids"])
        if length > self._info.max_prompt_tokens:
            raise RequestRefused(
                f"the prompt has {length} tokens; {self._info.max_prompt_tokens} leave room for"
                f" max_tokens={self._sampling['max_tokens']}"
            )
        params = SamplingParams(
            **self._sampling,
            seed=request.seed,
            output_kind=RequestOutputKind.FINAL_ONLY,
            skip_clone=True,
        )
        final: Any = None
        async for output in engine.generate(prompt, params, request.sample_id):
            final = output
        written = final.outputs[0]
        if self._closed and written.finish_reason == "abort":
            raise EngineDead("the vLLM engine was closed while this request was in flight")
        return Completion(
            text=written.text,
            prompt_tokens=length,
            completion_tokens=len(written.token_ids),
            finish_reason=written.finish_reason or "error",
            cached_tokens=final.num_cached_tokens or 0,
            prompt_end=self._end_of(engine, prompt["prompt_token_ids"]),
        )

    async def _rendered(self, engine: Any, request: Request) -> Any:
        """The prompt as tokens, by vLLM's own renderer for this model."""
        if request.messages and not self._info.chat_template and not self._has_template():
            raise RequestRefused(f"{self._spec.model} has no chat template")
        size = len(request.prompt) + sum(len(message.content) for message in request.messages)
        if size <= INLINE_CHARS:
            if request.messages:
                return engine.renderer.render_chat(*self._conversation(request))[1][0]
            return engine.renderer.render_cmpl([{"prompt": request.prompt}])[0]
        async with self._rendering:
            if request.messages:
                rendered = await engine.renderer.render_chat_async(*self._conversation(request))
                return rendered[1][0]
            return (await engine.renderer.render_cmpl_async([{"prompt": request.prompt}]))[0]

    def _conversation(self, request: Request) -> tuple[list[list[dict[str, str]]], Any]:
        from vllm.renderers.params import ChatParams

        turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        options = {"add_generation_prompt": True} | self._spec.chat_template_kwargs
        return [turns], ChatParams(chat_template_kwargs=options)


class SchedulerFigures:
    """Keeps the scheduler's latest figures: a stat logger in vLLM's sense, but only a snapshot."""

    def __init__(self) -> None:
        self._latest: dict[str, float] = {}
        self._queried = self._hits = 0

    def attach(self, config: Any, engine_index: int = 0) -> Any:
        """The factory that vLLM calls once per engine core."""
        return self

    def record(self, scheduler_stats: Any, iteration_stats: Any, **others: Any) -> None:
        """Called by vLLM after every step."""
        if scheduler_stats is None:
            return
        self._queried += scheduler_stats.prefix_cache_stats.queries
        self._hits += scheduler_stats.prefix_cache_stats.hits
        self._latest = {
            "running": float(scheduler_stats.num_running_reqs),
            "waiting": float(scheduler_stats.num_waiting_reqs),
            "kv_cache_usage": float(scheduler_stats.kv_cache_usage),
        }

    def snapshot(self) -> dict[str, float]:
        """The latest figures; empty before the first step."""
        share = self._hits / self._queried if self._queried else 0.0
        return self._latest | ({"prefix_cache_hit_rate": share} if self._latest else {})

    def log(self) -> None:
        """Part of vLLM's interface; a snapshot logs nothing."""

    def log_engine_initialized(self) -> None:
        """Part of vLLM's interface; a snapshot logs nothing."""


def special_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Every string that the tokenizer turns into a control token, sorted."""
    found = set(getattr(tokenizer, "all_special_tokens", ()))
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return tuple(sorted(found | {token.content for token in added if token.special}))


def added_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Control tokens, and others that stand for one string each, such as markers of a trace."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return (*special_tokens(tokenizer), *(token.content for token in added))
