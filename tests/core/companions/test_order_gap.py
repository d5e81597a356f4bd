"""Γ: nought for noise of any kind (T12), clearly more for text, whatever order it comes in."""

import random
import re

import numpy as np
import pytest

from seedcorn.core.companions.order_gap import LEAST_BYTES, NOISE, insufficient, order_gap
from tests.bench.real_text import parts

WORD = re.compile(r"\w+")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return parts("topics", 90)[0]


def drawn(words: list[str], weights: list[float] | None, documents: int = 80) -> list[str]:
    draw = random.Random(3)
    return [" ".join(draw.choices(words, weights, k=150)) for _ in range(documents)]


def test_gap_of_word_salad_is_nought_with_and_without_a_history_of_real_text(texts):
    words = sorted({word for text in texts for word in WORD.findall(text.lower())})
    zipf = [1 / (rank + 1) for rank in range(len(words))]

    for salad in (drawn(words, None), drawn(words, zipf)):
        for history in ((), texts[:30]):
            gap = order_gap(salad, history)
            assert abs(gap.estimate) < 0.02
            assert gap.high < NOISE
            assert gap.low <= gap.estimate <= gap.high


def test_gap_of_real_text_is_clear_and_vanishes_once_its_words_are_shuffled(texts):
    draw = random.Random(4)
    shuffled = [" ".join(draw.sample(words, len(words))) for words in map(WORD.findall, texts)]

    assert order_gap(texts).low > 1.5 * NOISE
    assert abs(order_gap(shuffled).estimate) < 0.02


def test_gap_of_a_new_domain_does_not_depend_on_history_knowing_it(texts):
    foreign = [text.replace("e", "é").replace("t", "ŧ") for text in texts[:60]]

    assert order_gap(foreign, texts[60:]).low > NOISE


def test_gap_does_not_depend_on_the_order_of_documents_or_history(texts):
    documents, history = texts[:30], texts[30:60]

    first = order_gap(documents, history, seed=5)

    assert order_gap(documents[::-1], history[::-1], seed=5) == first
    assert order_gap(documents, history, seed=6) != first


def test_gap_of_one_document_is_judged_by_history_alone(texts):
    assert np.isfinite(order_gap(texts[:1], texts[1:40])).all()


def test_gap_of_documents_without_a_word_is_refused():
    for documents in ([], ["", "  \n"]):
        with pytest.raises(ValueError, match="no words"):
            order_gap(documents)


def test_gap_of_text_shuffled_by_its_spaces_is_nought_though_punctuation_stays(texts):
    draw = random.Random(4)
    shuffled = [" ".join(draw.sample(words, len(words))) for words in map(str.split, texts)]

    gap = order_gap(shuffled, parts("topics", 90, 90)[1])

    assert abs(gap.estimate) < 0.02
    assert gap.high < NOISE


def test_gap_of_a_script_without_spaces_is_that_of_its_characters(texts):
    alphabet = {letter: chr(0x4E00 + number) for number, letter in enumerate("etaoinshrdlu")}
    unspaced = [
        "".join(alphabet.get(letter, letter) for letter in text.lower() if letter != " ")
        for text in texts
    ]

    assert order_gap(unspaced).low > NOISE


def test_gap_of_less_than_200_kilobytes_is_insufficient(texts):
    assert insufficient(["é" * (LEAST_BYTES // 2)]) == ""
    assert "200 kB" in insufficient(texts[:5])
