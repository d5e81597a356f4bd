"""The companions of U for one generation: what a count of new shingles cannot see.

rho, v and B see copies and paraphrases, Γ noise, form and its alarms collapse; what a generation
teaches is added by whoever has an anchor. Invariant: a pure function of the sample and of what was
found of it in history, so a measurement can be repeated; a figure that the budget cannot give is
null, with the reason in `withheld`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.companions.collapse import FormAlarm, form_alarms
from seedcorn.core.companions.diversity import form
from seedcorn.core.companions.neighbours import Found, outside
from seedcorn.core.companions.novel_bits import (
    mean_interval,
    novel_bits,
    ratio_interval,
    shares,
    size,
)
from seedcorn.core.companions.order_gap import insufficient, order_gap
from seedcorn.core.companions.queries import Queries, QueryIndex, query_index
from seedcorn.core.identity import uint64
from seedcorn.core.intervals import Bounds
from seedcorn.core.teaching.taught import Curve, Lesson, Worth
from seedcorn.core.text.words import NEWEST, TextRule

EDITION = 2
"""Of what the figures mean: 2 compares with all of history, 1 did with a sample of it."""
FORM_TEXTS = 64
"""Texts behind the figures of form."""
SEED_TEXTS = 512
"""Texts of the seed that say what is usual."""
PLACEBOS = 64
"""Documents of history that are scored like the generation's."""
COPIED = 0.06
"""Most that the placebos' mean rho may be, unless their texts are too short for zstd to say less."""
SPELT = 1.25
"""As many times what knowing the very text would leave of it counts as found."""
BINS = 20


@dataclass(frozen=True, slots=True)
class Subset:
    """A fair sample of the accepted documents of one generation, in log order."""

    documents: Sequence[str]
    position: Sequence[int]
    """Of each document in the log."""
    since: int
    """Position at which the generation begins."""
    population: int
    """Accepted documents of the generation."""
    placebos: Sequence[str] = ()
    """Documents drawn from all that was there before."""
    rule: TextRule = NEWEST
    """The corpus' text rule."""

    def index(self) -> QueryIndex:
        """What history is to stream past: the sample, then the placebos."""
        texts = [*self.documents, *self.placebos]
        position = [*self.position, *(self.since for _ in self.placebos)]
        return query_index(Queries(texts, position, [self.since] * len(texts)), self.rule)


@dataclass(frozen=True, slots=True)
class Before:
    """Samples of what was there before the generation."""

    seed: Sequence[str] = ()
    earlier: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By generation."""


class NovelShare(TypedDict):
    """Rho over the sample's documents."""

    mean: Bounds
    histogram: list[int]


class Placebo(TypedDict):
    """What the same calls say of documents of history."""

    documents: int
    novel_share: float
    anchor_gain: Bounds | None


class Stamp(TypedDict):
    """What ΔA and W were measured on, and when: seed that came later never rewrites them."""

    fingerprint: str
    sequence: int
    """Entries that the log held."""


class Companions(TypedDict, total=False):
    """What is measured, stored and told. A key is absent where an older version measured."""

    edition: int
    documents: int
    history_documents: int
    history_words: int
    novel_share: NovelShare | None
    outside_share: Bounds | None
    outside_short_share: Bounds | None
    unexplained: Bounds | None
    novel_bits: Bounds | None
    order_gap: Bounds | None
    anchor_gain: Bounds | None
    anchor_gain_trimmed: float | None
    worth: Worth | None
    teaching: Curve | None
    anchor: Stamp
    placebo: Placebo | None
    compression_ratio: float
    openings: float
    repetition: float
    diversity: float
    vendi: float
    """Edition 1."""
    alarms: list[FormAlarm]
    withheld: dict[str, str]


def with_lesson(values: Companions, lesson: Lesson) -> Companions:
    """The companions with what the generation taught."""
    told, nothing, why = lesson
    placebo = values.get("placebo")
    if placebo is not None:
        placebo = {**placebo, "anchor_gain": nothing}
    withheld = {**values.get("withheld", {}), **why}
    return rounded({**values, **told, "placebo": placebo, "withheld": withheld})


def companions(sample: Subset, index: QueryIndex, found: Found, before: Before) -> Companions:
    """The "companions" object of the ledger document, without what a generation teaches.

    `index` is the sample's, `found` what all of history and the generation itself had to say to it.
    Raises ValueError for a sample without any text. 400 documents of 1 kB take about 3 s.
    """
    if not any(text.strip() for text in sample.documents):
        raise ValueError("companions of no text: a generation without accepted text has none")
    withheld: dict[str, str] = {}
    values: Companions = {
        "edition": EDITION,
        "documents": len(sample.documents),
        "history_documents": found.documents,
        "history_words": found.words,
        **_explained(sample, index, found, withheld),
        "order_gap": _order(sample, before, withheld),
        **form(by_content(sample.documents, FORM_TEXTS), sample.rule),
        "alarms": form_alarms(
            by_content(sample.documents, FORM_TEXTS), before.seed, before.earlier, sample.rule
        ),
        "withheld": withheld,
    }
    return rounded(values)


def _explained(
    sample: Subset, index: QueryIndex, found: Found, withheld: dict[str, str]
) -> Companions:
    """rho, v and what follows from them; all withheld where the placebos were not found again."""
    n, rho = len(sample.documents), shares(index, found)
    fresh, apart, short = outside(index, found)
    words = index.words.astype(np.float64)
    placebo, why = _placebo(sample, index, rho[n:])
    least = np.minimum(np.minimum(fresh, apart), rho)[:n] * words[:n]
    values: Companions = {
        "novel_share": {
            "mean": mean_interval(rho[:n], sample.population).bounds,
            "histogram": histogram(rho[:n]),
        },
        "outside_share": ratio_interval(apart[:n] * words[:n], words[:n], sample.population).bounds,
        "outside_short_share": ratio_interval(
            short[:n] * words[:n], words[:n], sample.population
        ).bounds,
        "unexplained": ratio_interval(least, fresh[:n] * words[:n], sample.population).bounds,
        "novel_bits": novel_bits(sample.documents, rho[:n], sample.population).bounds,
    }
    if why:
        withheld |= dict.fromkeys(values, why)
        values = {
            "novel_share": None,
            "outside_share": None,
            "outside_short_share": None,
            "unexplained": None,
            "novel_bits": None,
        }
    return {**values, "placebo": placebo}


def _placebo(
    sample: Subset, index: QueryIndex, rho: NDArray[np.float64]
) -> tuple[Placebo | None, str]:
    """The placebo row, and why it discredits the others, if it does."""
    if not len(rho):
        return None, ""
    mean = float(rho.mean())
    row: Placebo = {"documents": len(rho), "novel_share": mean, "anchor_gain": None}
    if mean < COPIED:
        return row, ""
    whole = [(size(text, (text,)), size(text, ())) for text in sample.placebos]
    least = sum(own for own, _ in whole) / max(1, sum(alone for _, alone in whole))
    if mean < SPELT * least:
        return row, ""
    return row, (
        f"{len(rho)} documents of history, scored like the generation's, came out as new by "
        f"{mean:.2f}, where less than {COPIED} is right: not all of history was compared"
    )


def _order(sample: Subset, before: Before, withheld: dict[str, str]) -> Bounds | None:
    if why := insufficient(sample.documents):
        withheld["order_gap"] = why
        return None
    history = [*before.seed, *(text for some in before.earlier.values() for text in some)]
    return order_gap(sample.documents, history, rule=sample.rule).bounds


def rounded(value: Any) -> Any:
    """Nine significant digits: beyond them a sum depends on how many threads it was made with."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def histogram(shares: NDArray[np.float64]) -> list[int]:
    """20 counts of rho in bins of .05; the last one holds everything from .95 up."""
    edges = np.arange(1, BINS) / BINS
    return np.bincount(np.searchsorted(edges, shares, side="right"), minlength=BINS).tolist()


def by_content(texts: Sequence[str], most: int) -> list[str]:
    """At most so many of the texts, those of the least content hash: the same in any order."""
    return sorted(texts, key=lambda text: (uint64("form", text), text))[:most]
