"""Diversity figures with answers that can be worked out by hand."""

import numpy as np
import pytest

from seedcorn.core.companions.diversity import (
    DIVERSITY_MOST,
    compression_ratio,
    diversity,
    form,
    opening_share,
    repetition,
)
from seedcorn.core.text.words import NEWEST
from tests.bench.ledger_fakes import template
from tests.bench.real_text import parts


def words(prefix: str, count: int = 40) -> str:
    return " ".join(f"{prefix}{i}" for i in range(count))


def test_diversity_counts_equal_texts_once_and_texts_with_nothing_in_common_fully():
    one, two, three = (words(prefix) for prefix in "abc")

    assert diversity([one] * 7, NEWEST) == pytest.approx(1 / 7)
    assert diversity([one, two, three], NEWEST) == pytest.approx(1)
    assert diversity([one, two] * 3, NEWEST) == pytest.approx(2 / 6)
    assert diversity([], NEWEST) == 0


def test_diversity_of_two_texts_follows_from_their_cosine():
    # Half of the words are common and stand together: 3, 2 and 1 of 7, 6 and 5 n-grams.
    texts = ["a b c d e f g h", "a b c d s t u v"]
    cosine = np.mean([3 / 7, 2 / 6, 1 / 5])

    assert diversity(texts, NEWEST) == pytest.approx(2 / (2 + 2 * cosine**2))
    assert diversity(texts[::-1], NEWEST) == pytest.approx(diversity(texts, NEWEST))


@pytest.mark.parametrize("source", ["topics", "docstrings", "code"])
def test_diversity_of_new_text_is_three_times_that_of_a_template_or_more(source):
    new, seed = parts(source, 64, 64)

    assert diversity(new, NEWEST) > 3 * diversity(template(seed), NEWEST)


def test_diversity_of_too_many_texts_asks_for_a_sample():
    with pytest.raises(ValueError, match="at most 2000"):
        diversity(["a"] * (DIVERSITY_MOST + 1), NEWEST)


def test_repetition_is_the_share_of_places_whose_four_words_another_text_has():
    texts = ["a b c d e f", "b c d e x y", "a b c d a b c d", "short one", "short one"]

    # Of 3, 3, 5, 1 and 1 places: "a b c d" and "b c d e"; "b c d e"; "a b c d" twice; both short.
    assert repetition(texts, NEWEST) == pytest.approx((2 + 1 + 2 + 1 + 1) / 13)
    assert repetition(texts[:1], NEWEST) == repetition([], NEWEST) == 0


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


def test_form_has_all_figures():
    texts = [words("a"), words("b"), words("a")]

    assert form(texts, NEWEST) == {
        "compression_ratio": compression_ratio(texts),
        "openings": opening_share(texts, NEWEST),
        "repetition": repetition(texts, NEWEST),
        "diversity": diversity(texts, NEWEST),
    }
    assert form(texts, NEWEST)["openings"] == pytest.approx(2 / 3)
