"""What is stored of a lesson, and which sentence stands where there is none."""

from dataclasses import replace

import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.blocks import matched_size
from seedcorn.core.teaching.taught import (
    FEW_CARRY,
    FEW_CARRY_FRESH,
    LEAST_ANCHOR,
    NO_ANCHOR,
    NO_YARDSTICK,
    NOTHING_FRESH,
    Material,
    Pool,
    taught,
    too_small,
    unknown,
)
from seedcorn.core.text.words import TextRule
from tests.core.teaching import sources

SEED = sources.documents(300, 1)
FRESH = sources.documents(700, 4)


def pool(texts: list[str], together: int = 1) -> Pool:
    return [(number // together, text) for number, text in enumerate(texts)]


def lesson(anchor: Anchor, texts: list[str], seed: list[str] = SEED) -> Material:
    return Material(
        anchor=anchor,
        history=[anchor.table.count(seed)],
        generation=anchor.table.count(texts),
        own=pool(texts),
        placebo=pool(SEED[:100]),
        yardstick=pool(FRESH),
    )


@pytest.fixture(scope="module")
def anchor() -> Anchor:
    return Anchor.of(sources.documents(100, 2), TextRule.TWO)


@pytest.fixture(scope="module")
def material(anchor) -> Material:
    return lesson(anchor, sources.documents(100, 3))


def test_all_figures_of_new_text_are_known(material):
    values, placebo, missing = taught(material)

    worth, curve, gain = values["worth"], values["teaching"], values["anchor_gain"]
    assert missing == {}
    assert worth is not None
    assert curve is not None
    assert gain is not None
    assert placebo is not None
    assert worth["low"] < 100 < worth["high"]
    assert 50 < (worth["quarter"] or 0) < 200
    assert worth["words"] == matched_size(material.generation.words, 10**6)
    assert len(curve["words"]) == len(curve["generation"]) == len(curve["yardstick"]) == 6
    assert curve["generation"] == sorted(curve["generation"])
    assert curve["generation"][-1] == gain["estimate"]
    assert all(curve["yardstick"])
    assert abs(placebo["estimate"]) < 0.0005


def test_a_copy_is_worth_nought_and_told_though_few_documents_carry_its_chance_gain(anchor):
    values, _, missing = taught(lesson(anchor, SEED[100:200]))

    assert missing == {}
    assert values["worth"] is not None
    assert values["worth"]["low"] <= 0 <= values["worth"]["high"] < 5


def test_anchor_alone_gives_a_gain_without_worth(material):
    values, _, missing = taught(replace(material, yardstick=()))

    assert values["anchor_gain"] is not None
    assert values["worth"] is None
    assert missing == {"worth": NO_YARDSTICK}
    assert values["teaching"] is not None
    assert values["teaching"]["yardstick"] == [None] * 6


def test_small_or_missing_anchors_are_named():
    assert too_small([]) == NO_ANCHOR
    assert "299 documents" in too_small(["a"] * (LEAST_ANCHOR - 1))
    assert too_small(["a"] * LEAST_ANCHOR) == ""
    assert too_small(["a"] * LEAST_ANCHOR, list(range(LEAST_ANCHOR))) == ""
    few = [n % 15 for n in range(LEAST_ANCHOR)]
    assert "comes from 15 origins, 16 are needed" in too_small(["a"] * LEAST_ANCHOR, few)
    values, placebo, missing = unknown(NO_ANCHOR)
    assert set(values.values()) == {None}
    assert placebo is None
    assert missing.keys() == {"anchor_gain", "worth", "teaching"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"yardstick": pool(FRESH[:500])}, "50,000 are needed"),
        ({"own": pool(FRESH[:40])}, "words are all that generation"),
        ({"placebo": ()}, "words are all that generation"),
        ({"own": pool(FRESH[:100], together=7)}, "come from 15 and 700 origins"),
    ],
)
def test_too_little_text_for_worth_is_named_and_the_gain_told(material, changed, said):
    values, _, missing = taught(replace(material, **changed))

    assert values["anchor_gain"] is not None
    assert values["worth"] is None
    assert missing.keys() == {"worth"}
    assert said in missing["worth"]


def test_a_placebo_that_teaches_withholds_everything(material):
    values, placebo, missing = taught(replace(material, placebo=pool(FRESH[:200])))

    assert set(values.values()) == {None}
    assert placebo is not None
    assert missing.keys() == {"anchor_gain", "worth", "teaching"}
    assert "where about 0 is right" in missing["worth"]


def test_a_gain_that_one_document_in_a_hundred_carries_is_withheld():
    copied = sources.documents(2, 77)
    texts = [*sources.documents(150, 2), *(f"{text} {text}" for text in copied)]
    anchor = Anchor.of(texts, TextRule.TWO)

    values, _, missing = taught(lesson(anchor, [*copied * 20, *SEED[100:200]]))

    assert missing == {"anchor_gain": FEW_CARRY, "worth": FEW_CARRY}
    assert values["anchor_gain"] is None
    assert values["anchor_gain_trimmed"] is not None


def test_so_is_worth_where_it_carries_the_yardsticks(anchor, material):
    copied = pool([*sources.documents(100, 2)[:1] * 30, *SEED * 3])

    _, _, missing = taught(replace(material, yardstick=copied))

    assert missing == {"worth": FEW_CARRY_FRESH}


def test_a_yardstick_that_teaches_nothing_gives_no_worth(material):
    _, _, missing = taught(replace(material, yardstick=pool(SEED * 3)))

    assert missing == {"worth": NOTHING_FRESH}
