"""The sentences of the report: every figure of the ledger document in words.

Invariant: pure, and a figure that the document does not hold is never worded as zero: callers get
None or a sentence that says it is missing.
"""

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any, NamedTuple

from seedcorn.core.figures import counted, margin, percent, scaled
from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.course import ComingOf
from seedcorn.core.ledger.document import Generation, LedgerDocument
from seedcorn.core.ledger.measures import added_by, headline_coming

RHO = "\N{GREEK SMALL LETTER RHO}"
UNITS = {"uat": "unique accepted tokens", "uvt": "unique verified tokens"}


class Total(NamedTuple):
    """Over all generations whose figure is known; interval ends combined in quadrature."""

    estimate: float
    half: float
    missing: list[int]
    """Generations without one."""


def total_unique(generations: Sequence[Generation]) -> Total:
    """What all generations added: nothing is unique in two of them, so it adds up."""
    known = [u for g in generations if (u := added_by(g))]
    half = sqrt(sum(half_width(u) ** 2 for u in known))
    missing = [g["generation"] for g in generations if not added_by(g)]
    return Total(sum(u["estimate"] for u in known), half, missing)


def half_width(bounds: Bounds) -> float:
    """Half the length of an interval."""
    return (bounds["high"] - bounds["low"]) / 2


def number(value: float | None) -> str:
    """A figure without unit, as `scaled` writes it; `unknown` where there is none."""
    if value is None or not isfinite(value):
        return "unknown"
    return scaled(value).replace("-", "\N{MINUS SIGN}")


def ends(bounds: Bounds) -> str:
    """The ends of an interval, or `exact`."""
    if bounds["low"] == bounds["high"]:
        return "exact"
    return f"{number(bounds['low'])} to {number(bounds['high'])}"


def with_ends(bounds: Bounds) -> str:
    """Estimate and interval: `31.0 k [28.0 k to 34.0 k]`; an exact count stands alone."""
    if bounds["low"] == bounds["high"]:
        return number(bounds["estimate"])
    return f"{number(bounds['estimate'])} [{ends(bounds)}]"


def token_kind_words(generations: Sequence[Generation]) -> str:
    """What the tokens counted are: verified only where every generation's are."""
    units = {g["unit"] for g in generations}
    if len(units) == 1:
        return UNITS.get(units.pop(), "unique tokens")
    return "unique tokens, verified in part"


def headline(document: LedgerDocument) -> str:
    """The one sentence at the top."""
    generations = document["generations"]
    if not generations:
        return "No generation has started yet."
    total = total_unique(generations)
    if len(total.missing) == len(generations):
        return f"How much is new is unknown: {generations[0]['unknown'] or 'nothing counted'}."
    error = f" ({margin(total.half, total.estimate)})" if total.half and total.estimate else ""
    rounds = counted(len(generations), "generation")
    generated = sum(g["tokens"]["generated"] for g in generations)
    sentence = (
        f"{number(total.estimate)}{error} {token_kind_words(generations)} in {rounds}, "
        f"out of {number(generated)} generated"
    )
    if total.missing:
        sentence += f"; unknown for generation {listed(total.missing)}"
    return f"{sentence}."


def deck(document: LedgerDocument) -> list[str]:
    """The sentences under the headline: acceptance, what comes next, how forecasts did."""
    sentences = []
    committed = sum(g["committed"] for g in document["generations"])
    if committed:
        accepted = sum(g["counts"]["accepted"] for g in document["generations"])
        sentences.append(f"{percent(accepted / committed)} of {committed:,} samples were accepted.")
    coming = next_of_all(document)
    if coming:
        last = coming[-1]
        sentences.append(
            f"The next {last['samples']:,} samples would add {with_ends(headline_coming(last))} more "
            "unique tokens."
        )
    scored = forecast_record(document)
    return [*sentences, scored] if scored else sentences


def forecast_record(document: LedgerDocument) -> str:
    """How many forecasts held, as a sentence; empty where none has been scored."""
    scored, covered = document["forecast"]["scored"], document["forecast"]["covered"]
    if not scored:
        return ""
    what = "forecast" if scored == 1 else "forecasts"
    return (
        f"{covered:,} of {scored:,} {what} contained the actual value: "
        f"{percent(covered / scored)}, where 95 % is nominal."
    )


def next_of_all(document: LedgerDocument) -> list[ComingOf]:
    """Forecasts of the whole generation's next samples, nearest first."""
    coming = [one for one in document["forecast"]["next"] if not one["stratum"]]
    return sorted(coming, key=lambda one: one["samples"])


def repeats(document: LedgerDocument) -> str:
    """What repeating the corpus is worth; empty where the document does not say."""
    value = document["repeats"]
    if value is None:
        return ""
    return (
        f"Read {value['epochs']:g} times, {number(value['unique'])} unique tokens are worth at "
        f"most {number(value['worth'])} fresh ones."
    )


def ending(generation: Generation) -> str:
    """How far a generation is, or why it ended."""
    if generation["status"] == "running":
        return f"running, {generation['committed']:,} of {generation['planned']:,} samples"
    if generation["reason"] == "exhausted":
        return "plan complete"
    detail = f": {generation['detail']}" if generation["detail"] else ""
    reason = (generation["reason"] or "finished").replace("_", " ")
    return f"{reason}{detail}"


def listed(items: Sequence[Any]) -> str:
    """`1, 2 and 3`."""
    words = [str(item) for item in items]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
