"""What a recipe must satisfy before anything starts: one clear line for the first problem.

Types are `config.py`'s; this is everything a type cannot say: numbers that make no sense, prompts
that cannot be filled, settings that contradict each other, secrets where they would be stored.
Every message begins with the dotted key.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from math import prod
from typing import Any

from seedcorn.core.checks import NEWEST, build
from seedcorn.core.errors import RecipeError
from seedcorn.core.generate.prompts import PromptFailed, compile_prompt
from seedcorn.core.preflight import nightly as nightly_settings
from seedcorn.core.preflight import placement as placement_settings
from seedcorn.core.recipe import MAX_STRATA, PromptSpec, Recipe, RunSpec, SourceSpec, resolved
from seedcorn.core.recipe.fields import bounds_of
from seedcorn.core.recipe.secrets import refuse_stored_secrets
from seedcorn.core.sample import Draw

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TEXTS = {"name": "", "prompts": [], "checks": []}
"""Keys whose values are no settings and may write of anything."""
_AXIS = re.compile(r"[a-z][a-z0-9_]{0,63}")


def validate(recipe: Recipe) -> None:
    """Raises RecipeError for the first thing that cannot work; pure, reads no file."""
    if not recipe.name.strip():
        raise RecipeError("name: is empty; give the recipe a name")
    check_bounds(recipe)
    _engine(recipe)
    _prompts(recipe.prompts)
    _parents(recipe)
    refuse_stored_secrets({**resolved(recipe), **_TEXTS})
    _heartbeat(recipe.run)
    nightly_settings.check(recipe)
    build(recipe.checks, NEWEST)


def check_bounds(spec: Any, prefix: str = "") -> None:
    """Every number lies within the bounds that stand beside its key."""
    for item in fields(spec):
        key, bounds = f"{prefix}{item.name}", bounds_of(item)
        value: Any = getattr(spec, item.name)
        if is_dataclass(value):
            check_bounds(value, f"{key}.")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                if is_dataclass(one):
                    check_bounds(one, f"{key}.{number}.")
        elif bounds is not None and value is not None and (problem := bounds.problem(value)):
            raise RecipeError(f"{key}: {problem}")


def _engine(recipe: Recipe) -> None:
    engine = recipe.engine
    if engine.settings.needs_model and not engine.model:
        raise RecipeError(f"engine.model: engine {engine.kind} needs a model")
    engine.reasoning.check()
    placement_settings.check(engine, recipe.run.on_ray)
    sampling = engine.sampling
    if sampling.min_tokens > sampling.max_tokens:
        raise RecipeError(
            f"engine.sampling.min_tokens: {sampling.min_tokens} is more than "
            f"max_tokens {sampling.max_tokens}"
        )
    engine.settings.check(sampling, [prompt.name for prompt in recipe.prompts], recipe.samples)


def _prompts(specs: Sequence[PromptSpec]) -> None:
    if not specs:
        raise RecipeError("prompts: none given; add at least one with a name and a template")
    if len(specs) > MAX_STRATA:
        raise RecipeError(f"prompts: {len(specs)} given, at most {MAX_STRATA} (one per stratum)")
    seen: set[str] = set()
    for number, spec in enumerate(specs):
        _prompt(f"prompts.{number}", spec)
        if spec.name in seen:
            raise RecipeError(f"prompts.{number}.name: {spec.name!r} is used twice")
        seen.add(spec.name)
    if not any(spec.weight > 0 for spec in specs):
        raise RecipeError("prompts: every weight is 0; at least one must be positive")


def _prompt(where: str, spec: PromptSpec) -> None:
    if not _NAME.fullmatch(spec.name):
        raise RecipeError(
            f"{where}.name: {spec.name!r} must be 1 to 64 of a-z 0-9 . _ - and start with a letter "
            "or digit"
        )
    if not spec.template.strip():
        raise RecipeError(f"{where}.template: is empty")
    if spec.continuation and spec.system:
        raise RecipeError(f"{where}.system: a continuation has no chat, hence no system message")
    _axes(where, spec)
    _template(where, spec)


def _axes(where: str, spec: PromptSpec) -> None:
    for axis, values in spec.axes.items():
        if not _AXIS.fullmatch(axis) or hasattr(dict, axis):
            raise RecipeError(f"{where}.axes: {axis!r} cannot be an axis name; use a-z 0-9 _")
        if not values or len(set(values)) != len(values):
            raise RecipeError(f"{where}.axes.{axis}: needs at least one value, and none twice")
    if prod(map(len, spec.axes.values())) >= 2**62:
        raise RecipeError(f"{where}.axes: more than 2^62 combinations")


def _template(where: str, spec: PromptSpec) -> None:
    """Compile, then render once with stand-ins: only what no document could mend is refused."""
    compiled = compile_prompt(spec)
    axes = {axis: values[0] for axis, values in spec.axes.items()}
    draw = Draw(0, "0" * 32, spec.name, axes, ((0, 0),) * spec.parents, 0)
    try:
        compiled.render(draw, 1, ["A document."] * spec.parents)
    except PromptFailed as error:
        if error.forbidden:
            raise RecipeError(f"{where}.template: {error}") from error


def _parents(recipe: Recipe) -> None:
    spec = recipe.parents
    orders = ("shuffled", "blocks", "sequential")
    if spec.order not in orders:
        raise RecipeError(f"parents.order: {spec.order!r} is not among {', '.join(orders)}")
    needing = [prompt.name for prompt in recipe.prompts if prompt.parents and prompt.weight > 0]
    if needing and not recipe.seed:
        raise RecipeError(
            f"seed: prompt {needing[0]} takes parents, but there is no seed; add one, or set the "
            "prompt's parents to 0"
        )
    if not spec.seed + spec.previous + spec.earlier > 0:
        raise RecipeError("parents: every weight is 0; at least one must be positive")
    for where, source in _sources(recipe):
        if source.format not in ("auto", "parquet", "jsonl", "text"):
            raise RecipeError(
                f"{where}.format: {source.format!r} is not auto, parquet, jsonl, text"
            )
        if source.split not in ("file", "paragraph", "line"):
            raise RecipeError(f"{where}.split: {source.split!r} is not file, paragraph, line")
        if not source.path:
            raise RecipeError(f"{where}.path: is empty; name a file, a folder or a glob")


def _heartbeat(run: RunSpec) -> None:
    if run.heartbeat_s * 2 > run.lease_s:
        raise RecipeError(
            f"run.heartbeat_s: {run.heartbeat_s:g} is more than half of run.lease_s "
            f"{run.lease_s:g}; a second driver would take a living one for dead"
        )


def _sources(recipe: Recipe) -> Iterator[tuple[str, SourceSpec]]:
    groups: Sequence[tuple[str, list[SourceSpec]]] = (
        ("seed", recipe.seed),
        ("dedup.against", recipe.dedup.against),
        ("dedup.evaluations", recipe.dedup.evaluations),
        ("ledger.anchor", recipe.ledger.anchor),
        ("ledger.yardstick", recipe.ledger.yardstick),
    )
    for key, sources in groups:
        for number, source in enumerate(sources):
            yield f"{key}.{number}", source
