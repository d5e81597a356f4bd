"""What forecasts promise per sample and per engine-hour: when a stratum is exhausted, and which one
deserves its share.

Invariant: a function of the log's forecasts; measured time enters the rule on engine-hours alone.
"""

from collections.abc import Mapping
from typing import Any

from seedcorn.core.figures import scaled
from seedcorn.core.forecast.prospects import ALL
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import COMPANIONS, CorpusState, GenerationState
from seedcorn.core.recipe import Recipe


def said_until(generation: GenerationState) -> int:
    """How many batches the newest forecast covers."""
    return int(generation.prospects[-1].subject["batches"]) if generation.prospects else 0


def patience_of(recipe: Recipe) -> int:
    """Batches, or generations, in a row that must agree; at least one."""
    return max(1, recipe.stop.patience)


def exhausted(state: CorpusState, generation: GenerationState, recipe: Recipe, stratum: str) -> str:
    """Why a stratum is to be stopped: even the upper end of the last forecasts, as many as the rule's
    patience, promises too little. Empty where it does not."""
    rule, patience = recipe.stop, patience_of(recipe)
    wanted = rule.min_per_sample > 0 or rule.min_per_engine_hour > 0
    if not wanted or len(generation.prospects) < patience:
        return ""
    if said_until(generation) < generation.batches:
        return ""
    promised = [_promise(measurement, stratum) for measurement in generation.prospects[-patience:]]
    known = [value for value in promised if value is not None]
    if len(known) < patience:
        return ""
    best = _novel_share(state) * max(known)
    if best < rule.min_per_sample:
        return (
            f"the next sample promises at most {scaled(best)} unique tokens, "
            f"{rule.min_per_sample:g} are wanted"
        )
    seconds = _seconds_per_sample(generation, stratum)
    if seconds and best * 3600 / seconds < rule.min_per_engine_hour:
        return (
            f"the next engine-hour promises at most {scaled(best * 3600 / seconds)} unique tokens, "
            f"{scaled(rule.min_per_engine_hour)} are wanted"
        )
    return ""


def deserving(generation: GenerationState, mix: Mapping[str, float]) -> str:
    """The stratum of the mix that surely adds most per sample of what no other stratum has; empty
    where no forecast says."""
    if not generation.prospects:
        return ""
    newest = generation.prospects[-1]
    worth: dict[str, float] = {}
    for stratum, weight in mix.items():
        low, values = _promise(newest, stratum, "low"), _values(newest, stratum)
        if weight > 0 and low is not None and values["sampled"]:
            alone = values["exclusive"] * newest.values["rate"] / values["sampled"]
            worth[stratum] = low * alone
    return max(worth, key=lambda name: (worth[name], name)) if worth else ""


def _promise(measurement: Measurement, stratum: str, end: str = "high") -> float | None:
    """Unique tokens per sample that a forecast promised, at one end of its interval."""
    coming = _values(measurement, stratum).get("next")
    return coming[end] / coming["samples"] if coming and coming["samples"] else None


def _values(measurement: Measurement, stratum: str) -> Mapping[str, Any]:
    strata = measurement.values["strata"]
    return strata.get(stratum, strata[ALL])


def _novel_share(state: CorpusState) -> float:
    """Upper end of the mean novel share where the last finished generation measured it, else 1."""
    finished = [g for g in state.generations.values() if g.finished]
    measured = finished[-1].measured.get((COMPANIONS, ALL)) if finished else None
    share = measured.values.get("novel_share") if measured is not None else None
    return min(1.0, share["mean"]["high"]) if share is not None else 1.0


def _seconds_per_sample(generation: GenerationState, stratum: str) -> float:
    """Engine seconds of a sample of the stratum, shared out by the tokens it took."""
    values = _values(generation.prospects[-1], stratum)
    if not generation.tokens or not values["samples"]:
        return 0.0
    return generation.engine_seconds * values["tokens"] / generation.tokens / values["samples"]
