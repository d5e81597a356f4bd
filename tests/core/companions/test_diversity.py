"""Diversity figures with answers that can be worked out by hand."""

import math

import numpy as np
import pytest

from seedcorn.core.companions.diversity import (
    VENDI_MOST,
    compression_ratio,
    form,
    opening_share,
    vendi,
)
from seedcorn.core.text.words import NEWEST


def words(prefix: str, count: int = 40) -> str:
    return " ".join(f"{prefix}{i}" for i in range(count))


def test_vendi_counts_equal_texts_once_and_texts_with_nothing_in_common_fully():
    one, two, three = (words(prefix) for prefix in "abc")

    assert vendi([one] * 7, NEWEST) == pytest.approx(1)
    assert vendi([one, two, three], NEWEST) == pytest.approx(3)
    assert vendi([one, two] * 3, NEWEST) == pytest.approx(2)
    assert vendi([], NEWEST) == 0


def test_vendi_of_groups_of_unequal_size_is_the_exponential_of_their_entropy():
    shares = np.array([5, 2, 1]) / 8
    texts = [words("a")] * 5 + [words("b")] * 2 + [words("c")]

    assert vendi(texts, NEWEST) == pytest.approx(math.exp(-np.sum(shares * np.log(shares))))


def test_vendi_of_two_texts_follows_from_their_cosine():
    # Half of the words are common and stand together: 4, 3, 2 and 1 of 8, 7, 6 and 5 n-grams.
    texts = ["a b c d e f g h", "a b c d s t u v"]
    cosine = np.mean([4 / 8, 3 / 7, 2 / 6, 1 / 5])
    values = np.array([1 + cosine, 1 - cosine]) / 2

    assert vendi(texts, NEWEST) == pytest.approx(math.exp(-np.sum(values * np.log(values))))
    assert vendi(texts[::-1], NEWEST) == pytest.approx(vendi(texts, NEWEST))


def test_vendi_of_too_many_texts_asks_for_a_sample():
    with pytest.raises(ValueError, match="at most 2000"):
        vendi(["a"] * (VENDI_MOST + 1), NEWEST)


def test_compression_ratio_is_about_the_number_of_equal_texts_and_one_for_none():
    draw = np.random.default_rng(1)
    text = draw.integers(33, 127, 20_000).astype(np.uint8).tobytes().decode()

    single = compression_ratio([text])
    assert 1 < single < 1.3
    assert compression_ratio([text] * 8) == pytest.approx(8 * single, rel=0.02)
    assert compression_ratio([]) == compression_ratio(["", ""][:1]) == 1


def test_opening_share_counts_every_text_whose_first_words_another_has():
    texts = [
        "Once upon a time there was a little mill.",
        "once upon a time, there WAS a little house",
        "Once upon a time there was a big mill",
        "short one",
        "Short one!",
        "short",
    ]

    assert opening_share(texts, NEWEST) == pytest.approx(4 / 6)
    assert opening_share(texts, NEWEST, words=4) == pytest.approx(5 / 6)
    assert opening_share(texts, NEWEST, words=1) == 1
    assert opening_share(texts[:1], NEWEST) == opening_share([], NEWEST) == 0


def test_opening_share_does_not_see_where_it_stops_reading():
    start = "x" * 240 + " two three four five"
    texts = [f"{start} sixty seven eight nine", f"{start} sixth seven eight nine", f"{start} six"]

    assert opening_share(texts, NEWEST) == 0
    assert opening_share([*texts, f"{start} sixty seven eight and more"], NEWEST) == 0.5


def test_form_has_both_alarms():
    texts = [words("a"), words("b"), words("a")]

    assert form(texts, NEWEST) == {
        "compression_ratio": compression_ratio(texts),
        "openings": opening_share(texts, NEWEST),
    }
    assert form(texts, NEWEST)["openings"] == pytest.approx(2 / 3)
