"""What is stored of a lesson, and which sentence stands where there is none."""

import numpy as np
import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.blocks import curve_sizes, matched_size
from seedcorn.core.teaching.counted import Counted, Plan, count
from seedcorn.core.teaching.gain import Lesson, Teacher
from seedcorn.core.teaching.table import Counts
from seedcorn.core.teaching.taught import (
    BROKEN,
    FEW_CARRY,
    NO_ANCHOR,
    NO_PLACEBO,
    NO_YARDSTICK,
    NOTHING_FRESH,
    Sizes,
    lacking,
    taught,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, Words, read_words
from tests.core.teaching import sources

SEED = sources.documents(300, 1)


def read(texts: list[str]) -> Words:
    return read_words(*pack([text.encode() for text in texts]), TextRule.TWO)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    anchor = Anchor.of(sources.documents(100, 2), TextRule.TWO)
    return Teacher(anchor, [anchor.table.count(SEED)])


def counted(teacher: Teacher, texts: list[str], size: int, points: list[int] | None) -> Counted:
    words = read(texts)
    plan = Plan.of(words.counts, range(len(texts)), size, points)
    return count(teacher.anchor.table, words, plan)


@pytest.fixture(scope="module")
def sides(teacher):
    """Generation, yardstick, placebo."""
    texts = [sources.documents(100, 3), sources.documents(120, 4), SEED[:100]]
    words = [int(read(one).counts.sum()) for one in texts]
    size = matched_size(*words)
    points = [None, curve_sizes(words[0]), []]
    return [counted(teacher, *one) for one in zip(texts, [size] * 3, points, strict=True)]


def test_all_figures_of_new_text_are_known(teacher, sides):
    found = taught(teacher, *sides, {})

    assert found["withheld"] == {}
    worth, curve, gain = found["worth"], found["teaching"], found["anchor_gain"]
    assert worth is not None
    assert curve is not None
    assert gain is not None
    assert worth["low"] < 100 < worth["high"]
    assert 50 < (worth["quarter"] or 0) < 200
    assert worth["words"] == pytest.approx(matched_size(sides[0].whole.words, 10**6), rel=0.05)
    assert len(curve["words"]) == len(curve["generation"]) == len(curve["yardstick"]) == 6
    assert curve["generation"] == sorted(curve["generation"])
    assert curve["generation"][-1] == gain["estimate"]
    assert all(curve["yardstick"])
    assert abs(found["placebo_gain"]["estimate"]) < 0.0005


def test_anchor_alone_gives_a_gain_without_worth(teacher, sides):
    reasons = lacking(Sizes(400, 0, 100, 0))

    found = taught(teacher, sides[0], None, sides[2], reasons)

    assert found["anchor_gain"] is not None
    assert found["worth"] is None
    assert found["withheld"] == {"worth": NO_YARDSTICK}
    assert found["teaching"]["yardstick"] == [None] * 6


def test_reason_from_before_leaves_everything_out(teacher, sides):
    found = taught(teacher, *sides, lacking(Sizes(0, 10**6, 100, 100)))

    assert found["anchor_gain"] is found["teaching"] is None
    assert found["withheld"] == {"anchor_gain": NO_ANCHOR, "worth": NO_ANCHOR}


@pytest.mark.parametrize(
    ("sizes", "keys", "said"),
    [
        (Sizes(299, 10**6, 99, 99), {"anchor_gain", "worth"}, "299 documents"),
        (Sizes(300, 49_999, 99, 99), {"worth"}, "49,999 words"),
        (Sizes(300, 50_000, 15, 99), {"worth"}, "15 and 99 groups"),
        (Sizes(300, 50_000, 16, 16), set(), ""),
    ],
)
def test_too_little_text_is_named(sizes, keys, said):
    reasons = lacking(sizes)

    assert reasons.keys() == keys
    assert all(said in reason for reason in reasons.values())


def test_a_placebo_that_teaches_withholds_everything(teacher, sides):
    found = taught(teacher, sides[0], sides[1], sides[1], {})

    assert found["anchor_gain"] is found["worth"] is None
    assert found["withheld"] == {"anchor_gain": BROKEN, "worth": BROKEN}


def test_a_gain_that_one_document_in_a_hundred_carries_is_withheld(sides):
    texts = sources.documents(150, 2)
    copied = sources.documents(2, 77)
    anchor = Anchor.of([*texts, *(f"{text} {text}" for text in copied)], TextRule.TWO)
    teacher = Teacher(anchor, [anchor.table.count(SEED)])
    known, fresh, placebo = (
        counted(teacher, one, 3000, None)
        for one in ([*copied * 20, *SEED[100:200]], sources.documents(100, 4), SEED[:100])
    )

    found = taught(teacher, known, fresh, placebo, {})

    assert found["withheld"].keys() == {"anchor_gain", "worth"}
    assert found["withheld"]["anchor_gain"] == FEW_CARRY
    assert found["anchor_gain_trimmed"] is not None


def test_a_yardstick_that_teaches_nothing_and_a_history_without_text_give_no_worth(teacher, sides):
    new, _, placebo = sides
    flat = counted(teacher, SEED[100:200], 3000, [])
    empty = Counted(placebo.whole, [], [], [], 0.0)

    assert taught(teacher, new, flat, placebo, {})["withheld"] == {"worth": NOTHING_FRESH}
    assert taught(teacher, new, sides[1], empty, {})["withheld"] == {"worth": NO_PLACEBO}


def test_lessons_are_of_counts_alone(teacher, sides):
    again = Counts.from_bytes(sides[0].whole.to_bytes())

    one, two = (teacher.lesson(counts) for counts in (again, sides[0].whole))

    assert isinstance(one, Lesson)
    assert np.array_equal(one.bits, two.bits)
