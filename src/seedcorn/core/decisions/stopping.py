"""The stop rule: which decisions are due, from what the log holds and nothing else.

A decision on batch k folds the batches that were committed when k was still closed, so it is the
same on every replay; rules on engine-hours read measured times, which is why every decision stands
in the log with its inputs. Each function gives the next decision only: apply it, then ask again,
until None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.decisions.yields import best_of_mix, exhausted, patience_of
from seedcorn.core.forecast.prospects import ALL, governed
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.log.entries import Decision, Measurement
from seedcorn.core.log.state import (
    AUDIT,
    COMPANIONS,
    DROP_STRATUM,
    MOVE_BUDGET,
    STOP,
    CorpusState,
    GenerationState,
)
from seedcorn.core.recipe import (
    BudgetSpec,
    PromptSpec,
    Recipe,
    StopSpec,
    TargetSpec,
    UnitsSpec,
)
from seedcorn.core.rule_numbers import counts_tokens
from seedcorn.core.scheduling.leasing import Cut

TARGET, BUDGET, RULE = "target", "budget", "stop_rule"
"""Why a generation ends before its plan."""
FRESH = "fresh seed documents, another task or a stronger model would bring new content"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why growing ends: `why` is target | budget | stop_rule, `text` a sentence with the figures."""

    why: str
    text: str


def reason_not_to_start(
    state: CorpusState, rule: StopSpec, prompts: Sequence[PromptSpec]
) -> Stop | None:
    """Why no further generation is to be started, though the recipe asks for more."""
    return (
        target_reached(state, rule.target)
        or _taught_nothing(state, rule)
        or _all_imprecise(state, rule, prompts)
    )


def opening(state: CorpusState, recipe: Recipe) -> Decision | None:
    """What is decided before the open generation's next batch opens, whatever its batches show."""
    generation = _open(state)
    budget = recipe.stop.budget.samples
    if 0 < budget < generation.samples:
        samples = max(budget, _committed(generation, recipe.units))
        if samples < generation.samples:
            text = f"the budget is {budget:,} samples of the {generation.samples:,} planned"
            return _stop(generation, samples, generation.batches, Stop(BUDGET, text))
    if generation.batches or not recipe.stop.min_precision:
        return None
    poor = _imprecise(state, recipe.stop, recipe.prompts)
    return _without(state, recipe, 0, *poor) if poor is not None else None


def due(state: CorpusState, recipe: Recipe, alarms: Sequence[Alarm]) -> Decision | None:
    """The next decision that the open generation's committed batches call for.

    `alarms` are those of the generation. Rules on forecasts wait for the one that covers every
    committed batch; nothing is decided on a batch that was open before.
    """
    generation = _open(state)
    cut = Cut(generation.samples, recipe.units.unit, recipe.units.batch)
    batch, _, _ = governed(cut, generation.batches, recipe.units.ahead)
    if batch >= cut.batches or batch <= generation.opened or not generation.batches:
        return None
    whole = target_reached(state, recipe.stop.target) or _spent(generation, recipe.stop.budget)
    if whole is not None:
        return _stop(generation, batch * cut.unit * cut.batch, batch, whole)
    for stratum, weight in weights(generation, recipe.prompts, batch).items():
        text = _verdict(state, generation, recipe, stratum, alarms) if weight > 0 else ""
        if text:
            return _without(state, recipe, batch, stratum, text)
    return None


def weights(
    generation: GenerationState, prompts: Sequence[PromptSpec], batch: int
) -> dict[str, float]:
    """The strata's weights in a batch, decisions included, in the recipe's order."""
    mix = {prompt.name: prompt.weight for prompt in prompts}
    for first, decided in sorted(generation.mixes.items()):
        if first <= batch:
            mix = {name: decided.get(name, 0.0) for name in mix}
    return mix


def shares(
    generation: GenerationState, prompts: Sequence[PromptSpec], batch: int
) -> dict[str, float]:
    """The strata's shares of a batch's samples."""
    mix = weights(generation, prompts, batch)
    total = sum(mix.values())
    return {name: weight / total if total else 0.0 for name, weight in mix.items()}


def accepted_so_far(state: CorpusState) -> int:
    """Accepted samples of all generations that were not withdrawn."""
    accepted = sum(generation.accepted for generation in state.standing.values())
    return accepted - sum(_withdrawn(state, number) for number in state.standing)


def unique_so_far(state: CorpusState) -> float:
    """Unique tokens of all generations, without those of withdrawn samples.

    Under rule 1 of the ledger's unit as their newest forecasts recorded them, and of a generation
    from which samples were withdrawn as large a share as of its samples was kept: an approximation,
    exact where nothing is withdrawn.
    """
    total = 0.0
    for number, generation in state.standing.items():
        if counts_tokens(generation.rules):
            total += generation.unique_tokens
        elif generation.prospects and generation.accepted:
            values = generation.prospects[-1].values
            kept = 1 - _withdrawn(state, number) / generation.accepted
            total += kept * values["strata"][ALL]["sampled"] / values["rate"]
    return total


def _withdrawn(state: CorpusState, number: int) -> int:
    """Samples of a generation that were withdrawn."""
    return sum(body.counts.get(str(number), {}).get("samples", 0) for body in state.withdrawn)


def target_reached(state: CorpusState, target: TargetSpec) -> Stop | None:
    """What the corpus is grown for, once it is there."""
    accepted = accepted_so_far(state)
    if target.accepted and accepted >= target.accepted:
        return Stop(TARGET, f"{accepted:,} accepted samples of {target.accepted:,} wanted")
    unique = unique_so_far(state)
    if target.unique and unique >= target.unique:
        return Stop(TARGET, f"{unique:,.0f} unique tokens of {target.unique:,} wanted")
    return None


def still_wanted(state: CorpusState, target: TargetSpec) -> str:
    """How far the corpus is from its target; empty where it has none, or reached it."""
    if target_reached(state, target) is not None:
        return ""
    parts = []
    if target.accepted:
        parts.append(f"{accepted_so_far(state):,} accepted samples of {target.accepted:,} wanted")
    if target.unique:
        parts.append(f"{unique_so_far(state):,.0f} unique tokens of {target.unique:,} wanted")
    return ", ".join(parts)


def _spent(generation: GenerationState, spec: BudgetSpec) -> Stop | None:
    hours, budget = generation.engine_seconds / 3600, spec.engine_hours
    if budget and hours >= budget:
        return Stop(BUDGET, f"{hours:.3g} engine-hours of {budget:g} are spent")
    return None


def _taught_nothing(state: CorpusState, rule: StopSpec) -> Stop | None:
    """Text stays new while the anchor learns nothing from it: recombination."""
    patience = patience_of(rule)
    found = [g.measured.get((COMPANIONS, ALL)) for g in state.generations.values() if g.finished]
    worths = [_worth(measurement) for measurement in found[-patience:]]
    if not rule.anchor or len(worths) < patience:
        return None
    if any(worth is None or worth > 0 for worth in worths):
        return None
    return Stop(
        RULE,
        f"the last {patience} generations teach nothing about the anchor text, though their "
        f"shingles are new: they recombine what was known; {FRESH}",
    )


def _worth(measurement: Measurement | None) -> float | None:
    """The lower end of what a generation is worth; None where it is unknown."""
    worth = measurement.values.get("worth") if measurement is not None else None
    return worth["low"] if worth is not None else None


def _verdict(
    state: CorpusState,
    generation: GenerationState,
    recipe: Recipe,
    stratum: str,
    alarms: Sequence[Alarm],
) -> str:
    """Why a stratum is to be stopped, or nothing."""
    raised = [alarm for alarm in alarms if alarm.stratum == stratum]
    if raised and recipe.stop.alarms:
        return f"{raised[0].name} alarm in batch {raised[0].batch}: {raised[0].text}"
    poor = _imprecise_stratum(state, recipe.stop, stratum)
    return poor or exhausted(state, generation, recipe.stop, stratum)


def _imprecise(
    state: CorpusState, rule: StopSpec, prompts: Sequence[PromptSpec]
) -> tuple[str, str] | None:
    for stratum, weight in weights(_open(state), prompts, 0).items():
        text = _imprecise_stratum(state, rule, stratum) if weight > 0 else ""
        if text:
            return stratum, text
    return None


def _all_imprecise(
    state: CorpusState, rule: StopSpec, prompts: Sequence[PromptSpec]
) -> Stop | None:
    """No stratum may be drawn: a further generation would be empty."""
    drawn = [prompt.name for prompt in prompts if prompt.weight > 0]
    found = {name: _imprecise_stratum(state, rule, name) for name in drawn}
    if not found or not all(found.values()):
        return None
    why = "; ".join(f"{name}: {text}" for name, text in found.items())
    return Stop(RULE, f"{why}; {FRESH}")


def _imprecise_stratum(state: CorpusState, rule: StopSpec, stratum: str) -> str:
    """The newest audit of the stratum, or of all, found too much that is wrong."""
    least = rule.min_precision
    for generation in reversed(state.standing.values()):
        audit = generation.measured.get((AUDIT, stratum)) or generation.measured.get((AUDIT, ALL))
        if audit is not None:
            low = audit.values["low"]
            text = f"an audit of generation {generation.number} found precision from {low:.3f} up"
            return f"{text}, {least:g} is wanted" if low < least else ""
    return ""


def _without(state: CorpusState, recipe: Recipe, batch: int, stratum: str, why: str) -> Decision:
    """Stop drawing a stratum; stop altogether where it was the last one."""
    generation = _open(state)
    mix = weights(generation, recipe.prompts, batch)
    weight, mix[stratum] = mix[stratum], 0.0
    text = f"{stratum}: {why}"
    if not any(mix.values()):
        samples = batch * recipe.units.unit * recipe.units.batch
        return _stop(generation, samples, batch, Stop(RULE, f"{text}; {FRESH}"))
    value: dict[str, Any] = {"stratum": stratum, "weights": mix}
    action = DROP_STRATUM
    best = best_of_mix(state, mix, recipe.stop) if recipe.stop.move_budget else ""
    if best:
        mix[best] += weight
        action, value["to"] = MOVE_BUDGET, best
        text = f"{text}; {best} inherits its share"
    return Decision(generation.number, batch, action, value, text)


def _stop(generation: GenerationState, samples: int, batch: int, stop: Stop) -> Decision:
    value = {"samples": samples, "why": stop.why}
    return Decision(generation.number, batch, STOP, value, stop.text)


def _committed(generation: GenerationState, units: UnitsSpec) -> int:
    return min(generation.units * units.unit, generation.samples)


def _open(state: CorpusState) -> GenerationState:
    generation = state.unfinished
    if generation is None:
        raise ValueError("decisions are made on an open generation; none is open")
    return generation
