"""What a generation taught, as it is stored: ΔA, worth, placebo and curve, or why there is none.

Invariant: a figure that cannot be known is null, with a sentence that says what would make it known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from seedcorn.core.intervals import Bounds
from seedcorn.core.teaching.blocks import BLOCKS
from seedcorn.core.teaching.counted import Counted
from seedcorn.core.teaching.gain import RESAMPLES, Lesson, Teacher
from seedcorn.core.teaching.table import Counts
from seedcorn.core.teaching.worth import Side, ratio, worth

ANCHOR_DOCUMENTS = 300
"""An anchor of fewer tells chance from teaching too rarely."""
ANCHOR_MOST = 2000
"""An anchor of more is sampled down to so many, by hash: time and memory follow the anchor."""
YARDSTICK_WORDS = 50_000
CLUSTERS = 16
"""A text of fewer clusters has no eight blocks of whole ones that differ."""
FALL = 1 / 3
"""Share of a gain that the best 1 % of the anchor's documents may carry."""
SILENT = 0.0005
"""Bits per byte: no more is nothing. A placebo further from 0 says that the instrument is wrong."""
SMALL = 0.05
"""So much of what the yardstick teaches is nothing as well."""

NO_ANCHOR = (
    "no anchor: hold out some of the seed (ledger.holdout), or give real text that is in no seed "
    "(ledger.anchor, measure --anchor)"
)
NO_YARDSTICK = (
    "no yardstick: give more real text of the anchor's kind that is in no seed (ledger.yardstick, "
    "measure --yardstick)"
)
BROKEN = (
    "documents of the history itself seem to teach: the placebo is not at 0, so these figures "
    "cannot be trusted"
)
FEW_CARRY = (
    "one document in a hundred of the anchor carries more than a third of it: look for copies of "
    "anchor documents in the generation"
)
FEW_CARRY_FRESH = (
    "one document in a hundred of the anchor carries more than a third of what the yardstick "
    "teaches: take a larger anchor, or drop documents that anchor and yardstick share"
)
NOTHING_FRESH = (
    "the yardstick itself teaches nothing that can be told from chance at this size: take a larger "
    "anchor and yardstick, or one closer to the seed"
)
NO_PLACEBO = "the history has too little text for a placebo of the same size"


class Worth(TypedDict):
    """W as it is stored."""

    estimate: float
    low: float
    high: float
    words: int
    quarter: float | None
    blocks: int
    resamples: int


class Teaching(TypedDict):
    """The curve of teaching: ΔA in bits per byte after so many words of each."""

    words: list[int]
    generation: list[float]
    yardstick: list[float | None]


class Taught(TypedDict):
    """Those keys of the companions that an anchor gives."""

    anchor_gain: Bounds | None
    anchor_gain_trimmed: float | None
    worth: Worth | None
    placebo_gain: Bounds | None
    teaching: Teaching | None
    withheld: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sizes:
    """What there is to measure with."""

    anchor_documents: int
    yardstick_words: int
    generation_clusters: int
    yardstick_clusters: int


def lacking(sizes: Sizes) -> dict[str, str]:
    """Why ΔA and worth cannot be known, by key; empty where both can."""
    reasons: dict[str, str] = {}
    if not sizes.anchor_documents:
        reasons = {"anchor_gain": NO_ANCHOR, "worth": NO_ANCHOR}
    elif sizes.anchor_documents < ANCHOR_DOCUMENTS:
        few = (
            f"the anchor has {sizes.anchor_documents} documents that are in neither seed nor "
            f"yardstick, and needs {ANCHOR_DOCUMENTS}"
        )
        reasons = {"anchor_gain": few, "worth": few}
    elif not sizes.yardstick_words:
        reasons = {"worth": NO_YARDSTICK}
    elif sizes.yardstick_words < YARDSTICK_WORDS:
        reasons = {
            "worth": f"the yardstick has {sizes.yardstick_words:,} words, and needs "
            f"{YARDSTICK_WORDS:,}"
        }
    elif min(sizes.generation_clusters, sizes.yardstick_clusters) < CLUSTERS:
        reasons = {
            "worth": f"generation and yardstick have {sizes.generation_clusters} and "
            f"{sizes.yardstick_clusters} groups of documents of common origin, and need {CLUSTERS}"
        }
    return reasons


def nothing(reasons: dict[str, str]) -> Taught:
    """What is stored where there is no anchor to score."""
    return {
        "anchor_gain": None,
        "anchor_gain_trimmed": None,
        "worth": None,
        "placebo_gain": None,
        "teaching": None,
        "withheld": reasons,
    }


def taught(
    teacher: Teacher,
    generation: Counted,
    yardstick: Counted | None,
    placebo: Counted | None,
    reasons: dict[str, str],
) -> Taught:
    """All figures of a generation. `reasons`: see `lacking`; a key in it is not measured.

    About 50 lessons, see `Teacher`: 5 s of one core for an anchor of 60,000 words.
    """
    if "anchor_gain" in reasons:
        return nothing(reasons)
    withheld = dict(reasons)
    lesson = teacher.lesson(generation.whole)
    fresh = teacher.lesson(yardstick.whole) if yardstick else None
    control = teacher.lesson(placebo.whole) if placebo else None
    least = max(SILENT, SMALL * fresh.per_byte if fresh else 0.0)
    if control and abs(control.per_byte) > least and not _has_nought(control):
        withheld |= {"anchor_gain": BROKEN, "worth": BROKEN}
    elif _carried_by_few(lesson, least):
        withheld |= {"anchor_gain": FEW_CARRY, "worth": reasons.get("worth", FEW_CARRY)}
    elif fresh and _carried_by_few(fresh, SILENT):
        withheld.setdefault("worth", FEW_CARRY_FRESH)
    found: Worth | None = None
    if "worth" not in withheld and yardstick:
        found, why = _worth(teacher, generation, yardstick, placebo)
        withheld |= {"worth": why} if why else {}
    return {
        "anchor_gain": None if "anchor_gain" in withheld else lesson.interval.bounds,
        "anchor_gain_trimmed": lesson.trimmed,
        "worth": found,
        "placebo_gain": control.interval.bounds if control else None,
        "teaching": _curve(teacher, generation, lesson, yardstick),
        "withheld": withheld,
    }


def _has_nought(lesson: Lesson) -> bool:
    interval = lesson.interval
    return interval.low <= 0 <= interval.high


def _carried_by_few(lesson: Lesson, least: float) -> bool:
    """Whether the best 1 % of the anchor carry a gain of more than `least`."""
    return lesson.per_byte > least and lesson.trimmed < (1 - FALL) * lesson.per_byte


def _worth(
    teacher: Teacher, generation: Counted, yardstick: Counted, placebo: Counted | None
) -> tuple[Worth | None, str]:
    """W, or why there is none."""
    if not placebo or not placebo.blocks:
        return None, NO_PLACEBO
    texts = (generation, yardstick, placebo)
    sides = [_side(teacher, text.blocks, text.share) for text in texts]
    interval = worth(sides[0], sides[1], sides[2])
    if interval is None:
        return None, NOTHING_FRESH
    small = [_side(teacher, text.quarters, text.quarter_share) for text in texts]
    known = small[1].per_byte > small[2].per_byte
    words = round(sum(one.words for one in generation.blocks) / len(generation.blocks))
    return {
        **interval.bounds,
        "words": words,
        "quarter": ratio(small[0], small[1], small[2]) if known else None,
        "blocks": BLOCKS,
        "resamples": RESAMPLES,
    }, ""


def _side(teacher: Teacher, counts: Sequence[Counts], share: float) -> Side:
    return Side([teacher.lesson(one) for one in counts], share)


def _curve(
    teacher: Teacher, generation: Counted, whole: Lesson, yardstick: Counted | None
) -> Teaching:
    """ΔA after ever more of the generation, beside as many words of the yardstick."""
    gains, fresh = (
        [teacher.lesson(one).per_byte for one in counts]
        for counts in (generation.curve, yardstick.curve if yardstick else ())
    )
    words = [*(one.words for one in generation.curve), generation.whole.words]
    return {
        "words": words,
        "generation": [*gains, whole.per_byte],
        "yardstick": [*fresh, *[None] * (len(words) - len(fresh))][: len(words)],
    }
