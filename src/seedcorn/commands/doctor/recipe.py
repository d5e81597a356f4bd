"""A recipe's part of `seedcorn doctor`: what otherwise only the run finds. Nothing is grown."""

import asyncio
import time
from collections.abc import Iterator

from seedcorn.commands.doctor import endpoint, model
from seedcorn.commands.doctor.room import room
from seedcorn.commands.doctor.table import Group
from seedcorn.commands.plan.drafts import Planned, planned, written
from seedcorn.commands.plan.lengths import Lengths
from seedcorn.commands.plan.text import rendering
from seedcorn.core.engine import Completion, Engine, EngineInfo, Request
from seedcorn.core.errors import EngineError, RecipeError, SeedError
from seedcorn.core.figures import counted
from seedcorn.core.log.rules import rules_for_next
from seedcorn.core.log.state import CorpusState
from seedcorn.core.pipeline import use_of
from seedcorn.core.preflight.fit import Fit
from seedcorn.core.recipe import LoadedRecipe
from seedcorn.core.scheduling.leasing import require_window
from seedcorn.engines.opening import open_engine
from seedcorn.runtime.event_loop import run_to_end
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Finding

START_S = 900.0
"""An engine that takes longer to start and write one sample hangs."""


def examined(loaded: LoadedRecipe, start: bool) -> Iterator[Group]:
    """One group after the other; with `start` the engine is started and writes a sample.

    Raises RecipeError as grow.
    """
    recipe, path = loaded.recipe, loaded.path
    lengths, context = Lengths(recipe), 0
    if recipe.engine.kind == "vllm":
        found = [*model.files(recipe.engine), *model.template(recipe, lengths)]
        yield f"model of {path}", found
    elif recipe.engine.kind == "openai":
        found, context = endpoint.asked(recipe)
        yield f"endpoint of {path}", found
    try:
        plan = planned(loaded, 0, lengths.special_tokens)
    except SeedError as problem:
        refusal = Finding("the seed can be read", FAILS, str(problem), "correct the source", "seed")
        yield f"seed and prompts of {path}", [refusal]
    else:
        yield f"seed and prompts of {path}", prompts(plan, lengths, context)
        yield f"room for {path}", room(plan)
    yield f"engine of {path}", engine(loaded, start)


def prompts(plan: Planned, lengths: Lengths, context: int) -> list[Finding]:
    """The seed, a sample of the prompts, and what in the recipe is probably not meant."""
    rows = f"{counted(plan.seed_rows, 'row')} of {counted(len(plan.seeds), 'source')}"
    found = [Finding("the seed can be read", OK, rows, key="seed"), _window(plan), _rendered(plan)]
    fit = lengths.fit(plan.sample, context)
    if fit is not None:
        found.append(_fits(fit))
    elif lengths.unknown:
        found.append(
            Finding("the prompts fit the context", WARNING, lengths.unknown, key="prompts")
        )
    return found + [Finding(c.text, WARNING, "", c.advice, c.key) for c in plan.concerns]


def _window(plan: Planned) -> Finding:
    name, recipe = "the open batches keep the engines busy", plan.recipe
    try:
        require_window(recipe.engine, recipe.units, recipe.samples)
    except RecipeError as problem:
        return Finding(name, FAILS, str(problem), "see units: in the recipe", "units")
    return Finding(name, OK, key="units")


def _rendered(plan: Planned) -> Finding:
    name, lost = "the prompts can be rendered", [d for d in plan.sample if d.rendered is None]
    if not lost:
        return Finding(name, OK, rendering(plan), key="prompts")
    level = FAILS if len(lost) == len(plan.sample) else WARNING
    return Finding(name, level, rendering(plan), "see `seedcorn plan` for the prompts", "prompts")


def _fits(fit: Fit) -> Finding:
    name = "the prompts fit the context"
    if fit.max_model_len and not fit.too_long:
        return Finding(name, OK, fit.text, key="prompts")
    if not fit.max_model_len:
        return Finding(name, WARNING, fit.text, key="prompts")
    level = FAILS if fit.too_long == len(fit.tokens) else WARNING
    advice = "each of them fails: lower max_chars of the seed or max_tokens, or raise max_model_len"
    return Finding(name, level, fit.text, advice, "engine.sampling.max_tokens")


def engine(loaded: LoadedRecipe, start: bool) -> list[Finding]:
    """Whether the recipe's engine can be opened; with `start`, whether it writes a sample."""
    name = "the engine's package and model are available"
    spec = loaded.recipe.engine
    try:
        opened = open_engine(spec, use_of(loaded.recipe, rules_for_next(CorpusState())))
    except EngineError as error:
        return [Finding(name, FAILS, str(error), "see engine: in the recipe", "engine")]
    found = [Finding(name, OK, spec.kind, key="engine.kind")]
    return [*found, _one_sample(opened, loaded)] if start else found


def _one_sample(opened: Engine, loaded: LoadedRecipe) -> Finding:
    name, begun = "the engine starts and writes a sample", time.monotonic()
    request = _first_request(loaded)
    try:
        info, completion = run_to_end(_written(opened, request))
    except (EngineError, TimeoutError) as error:
        detail = str(error) or f"no answer within {START_S:g} s"
        return Finding(name, FAILS, detail, "see the engine's own messages above")
    took = time.monotonic() - begun
    words = len(completion.text.split())
    detail = f"{info.engine}, {info.model}: {words} words in {took:.1f} s, start included"
    if not completion.text.strip():
        return Finding(name, FAILS, f"{detail}: the sample is empty", "try other prompts")
    return Finding(name, OK, detail)


def _first_request(loaded: LoadedRecipe) -> Request:
    """The first prompt of the plan that can be rendered."""
    recipe = loaded.recipe
    drafts = planned(loaded, 1).drafts
    for draft in drafts:
        if draft.rendered is not None:
            return Request(
                draft.draw.sample_id,
                recipe.fingerprint,
                generation=1,
                index=draft.draw.index,
                seed=draft.draw.seed,
                messages=draft.rendered.messages,
                prompt=draft.rendered.prompt,
                parent=written(draft.rendered),
                stratum=draft.draw.prompt,
            )
    return Request("doctor", recipe.fingerprint, 1, 0, 0, prompt="Once upon a time")


async def _written(opened: Engine, request: Request) -> tuple[EngineInfo, Completion]:
    try:
        async with asyncio.timeout(START_S):
            info = await opened.start()
            return info, await opened.submit(request)
    finally:
        await opened.close()
