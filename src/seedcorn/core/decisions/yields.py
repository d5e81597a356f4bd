"""What forecasts promise per sample and per engine-hour: when a stratum is exhausted, and which one
is best.

The best stratum is the one that surely adds most of what no other has, history does not explain and
is right, for what is scarce. That is samples where an amount, a plan or a budget counts samples; it
is paid engine time where hours were asked for or are budgeted. Invariants: one ranking for all who
ask, those that were stopped last; a function of the log's forecasts and measurements, which measured
time enters only where the question is about time.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from seedcorn.core.figures import scaled
from seedcorn.core.forecast.prospects import ALL, Prospect, prospects_of
from seedcorn.core.forecast.tokens_per_shingle import TokensPerShingle, of_generation
from seedcorn.core.intervals import Interval
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import AUDIT, COMPANIONS, CorpusState, GenerationState
from seedcorn.core.recipe import StopSpec
from seedcorn.core.rule_numbers import counts_tokens
from seedcorn.core.scheduling.goodput import devices_of


def forecast_until(generation: GenerationState) -> int:
    """How many batches the newest forecast covers."""
    return int(generation.prospects[-1].subject["batches"]) if generation.prospects else 0


def patience_of(rule: StopSpec) -> int:
    """Batches, or generations, in a row that must agree; at least one."""
    return max(1, rule.patience)


def exhausted(state: CorpusState, generation: GenerationState, rule: StopSpec, stratum: str) -> str:
    """Why a stratum is to be stopped: even the upper end of the last forecasts, as many as the rule's
    patience, promises too little. Empty where it does not."""
    patience = patience_of(rule)
    wanted = rule.min_per_sample > 0 or rule.min_per_engine_hour > 0
    if not wanted or len(generation.prospects) < patience:
        return ""
    if forecast_until(generation) < generation.batches:
        return ""
    worth = of_generation(generation, stratum)
    newest = generation.prospects[-patience:]
    predicted = [_predicted(measurement, stratum, worth) for measurement in newest]
    known = [value for value in predicted if value is not None]
    if len(known) < patience:
        return ""
    best = _novel_share(state) * max(known)
    if best < rule.min_per_sample:
        return (
            f"the next sample promises at most {scaled(best)} unique tokens, "
            f"{rule.min_per_sample:g} are wanted"
        )
    seconds = _seconds(generation, stratum)
    if seconds and best * 3600 / seconds < rule.min_per_engine_hour:
        return (
            f"the next engine-hour promises at most {scaled(best * 3600 / seconds)} unique tokens, "
            f"{scaled(rule.min_per_engine_hour)} are wanted"
        )
    return ""


class Candidate(NamedTuple):
    """A stratum that may be drawn, and what it promises."""

    stratum: str
    low: float
    """Unique tokens per sample, at the lower end."""
    exclusive: float
    """Share of its unique content that no other stratum has."""
    seconds: float | None
    """Engine time of a sample; None or 0 where unknown."""
    sound: float = 1.0
    """Share of its unique content that surely is neither explained nor wrong, see `Soundness`."""
    stopped: bool = False
    """A decision or its verdict says stop."""


class Soundness(NamedTuple):
    """What the newest measurements say of a stratum's unique content, at the lower ends; None where
    nothing was measured, which discounts nothing."""

    unexplained: float | None = None
    """Share that the history does not explain."""
    precision: float | None = None

    @property
    def share(self) -> float:
        """Of both."""
        return math.prod(1.0 if one is None else one for one in self)


UNKNOWN = Soundness()


def soundness(
    companions: Iterable[Mapping[str, Any] | None], audits: Iterable[Mapping[str, Any] | None]
) -> Soundness:
    """Of a stratum's companions and audits, the newest first."""
    explained = (found.get("unexplained") for found in companions if found)
    unexplained = next((one["low"] for one in explained if one), None)
    return Soundness(unexplained, next((one["low"] for one in audits if one), None))


def ranking(candidates: Iterable[Candidate], per_engine_time: bool) -> list[Candidate]:
    """The strata, the one to draw next first, those in stop last.

    Where the engine time of any candidate is unknown, all are ranked per sample: figures of two
    kinds cannot be compared.
    """
    known = list(candidates)
    timed = per_engine_time and all(one.seconds for one in known)

    def worth(one: Candidate) -> float:
        own = one.low * one.exclusive * one.sound
        return own / one.seconds if timed and one.seconds else own

    return sorted(known, key=lambda one: (not one.stopped, worth(one), one.stratum), reverse=True)


def best_stratum(candidates: Iterable[Candidate], per_engine_time: bool) -> str:
    """The stratum to draw next; empty where none is left."""
    drawn = [one for one in ranking(candidates, per_engine_time) if not one.stopped]
    return drawn[0].stratum if drawn else ""


def best_of_mix(state: CorpusState, mix: Mapping[str, float], rule: StopSpec) -> str:
    """The best stratum of the open generation's mix by the newest forecast; empty where none says.

    Engine time is scarce where the recipe limits it. Everywhere else the decision must not hang on a
    clock: equal texts give equal decisions. Rule 1 of the ledger's unit knows no soundness.
    """
    generation = state.unfinished
    if generation is None or not generation.prospects:
        return ""
    newest, found = generation.prospects[-1], list[Candidate]()
    for stratum, weight in mix.items():
        worth, values = of_generation(generation, stratum), _values(newest, stratum)
        low = _predicted(newest, stratum, worth, "low")
        if weight > 0 and low is not None and values["sampled"]:
            alone = values["exclusive"] * newest.values["rate"] / values["sampled"]
            sound = _soundness(state, generation, stratum).share
            seconds = _seconds(generation, stratum)
            found.append(Candidate(stratum, low, alone, seconds, sound))
    return best_stratum(found, rule.budget.engine_hours > 0)


def _soundness(state: CorpusState, generation: GenerationState, stratum: str) -> Soundness:
    if not counts_tokens(generation.rules):
        return UNKNOWN
    newest = list(reversed(state.standing.values()))

    def values(name: str) -> Iterator[Mapping[str, Any] | None]:
        for one in newest:
            found = one.measured.get((name, stratum)) or one.measured.get((name, ALL))
            yield found.values if found is not None else None

    return soundness(values(COMPANIONS), values(AUDIT))


def seconds_per_sample(
    engine_seconds: float, generated: int, tokens: int, samples: int
) -> float | None:
    """Engine time of a stratum's sample, shared out by the `tokens` of all `generated` ones that
    its `samples` took; None where it was not measured."""
    if not engine_seconds or not generated or not samples:
        return None
    return engine_seconds / generated * tokens / samples or None


def _predicted(
    measurement: Measurement,
    stratum: str,
    worth: TokensPerShingle,
    end: Literal["low", "high"] = "high",
) -> float | None:
    """Unique tokens per sample that a forecast promised, at one end of its interval."""
    coming = _values(measurement, stratum)["next"]
    if not coming or not coming["samples"]:
        return None
    found = worth.tokens(Interval.of(coming), coming["samples"])
    return getattr(found, end) / coming["samples"]


def _values(measurement: Measurement, stratum: str) -> Prospect:
    strata = prospects_of(measurement)
    return strata.get(stratum, strata[ALL])


def _novel_share(state: CorpusState) -> float:
    """Upper end of the mean novel share where the last finished generation measured it, else 1."""
    finished = [g for g in state.generations.values() if g.finished]
    measured = finished[-1].measured.get((COMPANIONS, ALL)) if finished else None
    share = measured.values.get("novel_share") if measured is not None else None
    return min(1.0, share["mean"]["high"]) if share is not None else 1.0


def _seconds(generation: GenerationState, stratum: str) -> float | None:
    """Engine time of a stratum's sample: what was paid for, by time in flight; under rule 1 of the
    ledger's unit, and where no slot was measured, busy time by tokens."""
    values, slots = _values(generation.prospects[-1], stratum), generation.slot_seconds
    if counts_tokens(generation.rules) and slots.get(stratum) and values["samples"]:
        held = max(generation.held_seconds, generation.engine_seconds)
        share = slots[stratum] / sum(slots.values())
        return devices_of(generation.recipe.get("engine", {})) * held * share / values["samples"]
    whole = generation.engine_seconds, generation.tokens
    return seconds_per_sample(*whole, values["tokens"], values["samples"])
