"""What a generation taught, as it is stored: ΔA with its placebo and its curve, and worth.

Texts become counts here, and what too little stands behind becomes unknown. Invariant: a pure
function of texts and counts; a figure is null, with a sentence that says why, or has all it needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from seedcorn.core.figures import counted
from seedcorn.core.intervals import Bounds
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.blocks import BLOCKS, QUARTER, curve_sizes, draw, matched_size, prefix
from seedcorn.core.teaching.gain import RESAMPLES, Learnt, Teacher
from seedcorn.core.teaching.table import AnchorTable, Counts
from seedcorn.core.teaching.worth import Side, ratio, worth
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import read_words

POOL = 8192
"""Documents of generation, yardstick and history that blocks are drawn from."""
ANCHOR_DOCUMENTS = 600
"""Most that are scored: a lesson costs time by the anchor's word."""
LEAST_ANCHOR = 300
"""Documents; fewer tell teaching from chance too rarely."""
LEAST_YARDSTICK = 50_000
"""Words."""
LEAST_BLOCK = 2_000
"""Words of a block; smaller ones differ by chance alone."""
LEAST_CLUSTERS = 16
"""A text of fewer has no eight blocks of whole clusters that differ."""
NOTHING = 0.0005
"""Bits per byte: no more is nothing. A placebo further from 0 says that the scale is off."""
OFF = 0.05
"""So much of what the yardstick teaches a placebo may be off as well."""
SMALL = 0.1
"""A gain of so much of the yardstick's is low whoever carries it; more is a claim to be checked."""
CARRIED = 1 / 3
"""Part of a gain that the best 1 % of the anchor's documents may carry."""

NO_ANCHOR = (
    "no held-out text: give real text of your own as ledger.anchor, and for its worth as "
    "ledger.yardstick too, or hold out a part of the seed (ledger.holdout)"
)
NO_YARDSTICK = "no yardstick: give real text of the anchor's kind, in no seed, as ledger.yardstick"
FEW_CARRY = (
    "1 % of the anchor's documents carry more than a third of what it learnt: they may stand in the "
    "generation"
)
FEW_CARRY_FRESH = (
    "1 % of the anchor's documents carry more than a third of what the yardstick teaches: take a "
    "larger anchor, or drop documents that it shares with the yardstick"
)
NOTHING_FRESH = (
    "the yardstick is not shown to teach more than history itself: give more of it, or text that is "
    "nearer to the anchor"
)

Pool = Sequence[tuple[int, str]]
"""(cluster, text), in an order that says nothing about them."""


class Worth(TypedDict):
    """W: `words` in each of so many `blocks`, `quarter` at a quarter of that size."""

    estimate: float
    low: float
    high: float
    words: int
    quarter: float | None
    blocks: int
    resamples: int


class Curve(TypedDict):
    """ΔA in bits per byte after so many words of each."""

    words: list[int]
    generation: list[float]
    yardstick: list[float | None]


class Taught(TypedDict):
    """What the companions say of it."""

    anchor_gain: Bounds | None
    anchor_gain_trimmed: float | None
    worth: Worth | None
    teaching: Curve | None


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Everything that a generation's lesson is told from."""

    anchor: Anchor
    history: Sequence[Counts]
    """The seed's and references' counts, then those of every earlier generation."""
    generation: Counts
    """Of all its accepted samples."""
    own: Pool
    """Samples of the generation, clusters by parent."""
    placebo: Pool
    """Documents of history."""
    yardstick: Pool
    """Real text that is in no seed; empty where there is none."""


Lesson = tuple[Taught, Bounds | None, dict[str, str]]
"""The figures, the placebo's ΔA, and why what is null is unknown."""


def unknown(why: str, placebo: Bounds | None = None) -> Lesson:
    """No figure, and the reason."""
    values: Taught = {
        "anchor_gain": None,
        "anchor_gain_trimmed": None,
        "worth": None,
        "teaching": None,
    }
    return values, placebo, dict.fromkeys(("anchor_gain", "worth", "teaching"), why)


def too_small(anchor: Sequence[str], clusters: Sequence[int] = ()) -> str:
    """Why an anchor tells nothing; empty where it does. `clusters` as in `Anchor.of`."""
    if not anchor:
        return NO_ANCHOR
    if len(anchor) < LEAST_ANCHOR:
        documents = counted(len(anchor), "document")
        return f"the anchor has {documents} with text, {LEAST_ANCHOR} are needed"
    if clusters and (origins := len(set(clusters))) < LEAST_CLUSTERS:
        return f"the anchor comes from {counted(origins, 'origin')}, {LEAST_CLUSTERS} are needed"
    return ""


def taught(material: Material) -> Lesson:
    """What a generation taught.

    Takes about .1 s per lesson, 100,000 words of anchor and source of history; 10 lessons without a
    yardstick, 60 with one.
    """
    teacher = Teacher(material.anchor, material.history)
    own, yardstick, placebo = (
        _Texts(material.anchor.table, pool)
        for pool in (material.own, material.yardstick, material.placebo)
    )
    lesson = teacher.lesson(material.generation)
    fresh = teacher.lesson(yardstick.whole) if yardstick.total else None
    scale = fresh.per_byte if fresh else 0.0
    none = teacher.lesson(placebo.first(min(material.generation.words, placebo.total)))
    why = _misled(none, max(NOTHING, OFF * scale))
    if why:
        return unknown(why, none.interval.bounds)
    found, missing = None, _uncertain(lesson, fresh, max(NOTHING, SMALL * scale))
    if "worth" not in missing:
        found, why = _worth(teacher, own, yardstick, placebo)
        missing |= {"worth": why} if why else {}
    values: Taught = {
        "anchor_gain": None if "anchor_gain" in missing else lesson.interval.bounds,
        "anchor_gain_trimmed": lesson.trimmed,
        "worth": found,
        "teaching": _curve(teacher, own, yardstick, material.generation, lesson.per_byte),
    }
    return values, none.interval.bounds, missing


def _misled(placebo: Learnt, least: float) -> str:
    """Why these lessons must not be told."""
    nothing = placebo.interval
    if abs(nothing.estimate) <= least or nothing.low <= 0 <= nothing.high:
        return ""
    return (
        f"documents of history, taught once more, changed the anchor by {1000 * placebo.per_byte:+.1f} "
        "mb/B, where about 0 is right"
    )


def _uncertain(lesson: Learnt, fresh: Learnt | None, least: float) -> dict[str, str]:
    """Why figures must not be told, by key."""
    if _carried_by_few(lesson, least):
        return {"anchor_gain": FEW_CARRY, "worth": FEW_CARRY}
    if fresh and _carried_by_few(fresh, NOTHING):
        return {"worth": FEW_CARRY_FRESH}
    return {}


def _carried_by_few(lesson: Learnt, least: float) -> bool:
    """Whether the best 1 % of the anchor carry a gain of more than `least`."""
    return lesson.per_byte > least and lesson.trimmed < (1 - CARRIED) * lesson.per_byte


class _Texts:
    """A pool as counts of any of its documents."""

    def __init__(self, table: AnchorTable, pool: Pool) -> None:
        self._table = table
        self._clusters = [cluster for cluster, _ in pool]
        data = [text.encode("utf-8", "replace") for _, text in pool]
        self._words = read_words(*pack(data), table.rule)
        self.total = int(self._words.counts.sum())
        self.clusters = len(set(self._clusters))

    @property
    def whole(self) -> Counts:
        """Counts of all documents."""
        return self._table.count_words(self._words)

    def blocks(self, size: int) -> tuple[list[Counts], float]:
        """Counts of random blocks of so many words, and a block's share of the pool."""
        drawn = draw(self._words.counts, self._clusters, size)
        return self._counts(drawn.groups(), BLOCKS), drawn.share

    def first(self, size: int) -> Counts:
        """Counts of the first documents with about so many words."""
        if not size:
            return self._table.none()
        order = np.arange(len(self._clusters))
        chosen = prefix(order, self._words.counts, size)
        return self._counts({number: [0] for number in chosen.tolist()}, 1)[0]

    def _counts(self, groups: Mapping[int, Sequence[int]], most: int) -> list[Counts]:
        every = [groups.get(number, ()) for number in range(len(self._clusters))]
        return self._table.count_groups(self._words, every, most)


def _curve(teacher: Teacher, own: _Texts, yardstick: _Texts, whole: Counts, gain: float) -> Curve:
    """The last point is all of the generation."""
    sizes = [size for size in curve_sizes(own.total) if size < whole.words]
    fresh = [
        teacher.lesson(yardstick.first(size)).per_byte if size <= yardstick.total else None
        for size in [*sizes, whole.words]
    ]
    told = [teacher.lesson(own.first(size)).per_byte for size in sizes]
    return {"words": [*sizes, whole.words], "generation": [*told, gain], "yardstick": fresh}


def _no_blocks(own: _Texts, yardstick: _Texts, size: int) -> str:
    """Why there is nothing to compare at one size; empty where there is."""
    if not yardstick.total:
        return NO_YARDSTICK
    if yardstick.total < LEAST_YARDSTICK:
        return f"the yardstick has {yardstick.total:,} words, {LEAST_YARDSTICK:,} are needed"
    if size < LEAST_BLOCK:
        return f"blocks of {size:,} words are all that generation and history allow"
    if min(own.clusters, yardstick.clusters) < LEAST_CLUSTERS:
        return (
            f"generation and yardstick come from {own.clusters} and {yardstick.clusters} origins, "
            f"{LEAST_CLUSTERS} are needed"
        )
    return ""


def _worth(
    teacher: Teacher, own: _Texts, yardstick: _Texts, placebo: _Texts
) -> tuple[Worth | None, str]:
    """W, or why there is none."""
    size = matched_size(own.total, yardstick.total, placebo.total)
    why = _no_blocks(own, yardstick, size)
    if why:
        return None, why
    pools = own, yardstick, placebo
    found = worth(*_sides(teacher, pools, size))
    if found is None:
        return None, NOTHING_FRESH
    small = _sides(teacher, pools, size // QUARTER)
    return {
        **found.bounds,
        "words": size,
        "quarter": ratio(*small) if worth(*small) is not None else None,
        "blocks": BLOCKS,
        "resamples": RESAMPLES,
    }, ""


def _sides(
    teacher: Teacher, pools: tuple[_Texts, _Texts, _Texts], size: int
) -> tuple[Side, Side, Side]:
    """Lessons of blocks of so many words."""

    def side(texts: _Texts) -> Side:
        blocks, share = texts.blocks(size)
        return Side([teacher.lesson(block) for block in blocks], share)

    return side(pools[0]), side(pools[1]), side(pools[2])
