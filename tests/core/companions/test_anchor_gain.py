"""ΔA: real text of the anchor's domain teaches, copies and noise do not."""

import random
import re

import pytest

from seedcorn.core.companions.anchor_gain import NEGLIGIBLE, anchor_gain
from tests.bench.real_text import parts


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str], list[str]]:
    old, new, anchor = parts("topics", 60, 60, 60)
    return old, new, anchor


@pytest.mark.statistics
def test_gain_from_copies_is_nought_to_the_precision_of_a_float(texts):
    old, _, anchor = texts

    assert anchor_gain(anchor, old, old[::-1]) == pytest.approx((0, 0, 0), abs=1e-12)


def test_gain_from_a_part_of_the_old_or_from_noise_is_negligible(texts):
    old, _, anchor = texts
    draw = random.Random(1)
    words = sorted({word for text in old for word in re.findall(r"\w+", text.lower())})
    salad = [" ".join(draw.choices(words, k=150)) for _ in range(60)]

    for new in (old[:20], salad, [text.upper() for text in old]):
        gain = anchor_gain(anchor, old, new)
        assert gain.low <= NEGLIGIBLE
        assert gain.high < 4 * NEGLIGIBLE


def test_gain_from_new_text_of_the_domain_is_clear_and_grows_with_the_text(texts):
    old, new, anchor = texts

    few, many = anchor_gain(anchor, old, new[:20]), anchor_gain(anchor, old, new)

    assert few.low > 2 * NEGLIGIBLE
    assert many.estimate > 1.5 * few.estimate
    assert many.low < many.estimate < many.high


def test_gain_without_any_old_text_is_all_there_is_to_learn(texts):
    old, new, anchor = texts

    assert anchor_gain(anchor, [], new).low > anchor_gain(anchor, old, new).high


def test_gain_does_not_depend_on_the_order_of_any_of_its_texts(texts):
    old, new, anchor = texts

    first = anchor_gain(anchor[:20], old[:20], new[:20], seed=2)

    assert anchor_gain(anchor[19::-1], old[19::-1], new[19::-1], seed=2) == first


def test_gain_on_an_anchor_that_cannot_be_halved_is_refused(texts):
    old, new, anchor = texts

    for small in ([], anchor[:1], [anchor[0], anchor[0]]):
        with pytest.raises(ValueError, match=r"anchor has [01] distinct"):
            anchor_gain(small, old, new)
