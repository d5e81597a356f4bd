"""The language model against a plain dictionary version of the same formula, and its honesty."""

import itertools
import math
import random
import re
from collections import Counter

import numpy as np
import pytest

from seedcorn.core.companions.language_model import (
    Vocabulary,
    document_bits,
    evidence,
    fit,
    per_byte,
    token_bits,
)
from seedcorn.core.text.words import NEWEST

WORD = re.compile(r"\w+|[^\w\s]+")


def bits_of(parts: list[list[str]], weights: list[float], scored: list[str]) -> np.ndarray:
    vocabulary = Vocabulary(NEWEST)
    texts = [vocabulary.read(part) for part in parts]
    tokens = vocabulary.read(scored)
    known = [evidence(fit(text, vocabulary), tokens, vocabulary) for text in texts]
    return token_bits(known, weights)


class Plain:
    """Interpolated Kneser-Ney of order 3 with dictionaries, one text; mixes by counts."""

    def __init__(self, documents: list[str]) -> None:
        padded = [["<s>", "<s>", *WORD.findall(text.lower())] for text in documents]
        grams = [tuple(d[i - 2 : i + 1]) for d in padded for i in range(2, len(d))]
        two = Counter(gram[1:] for gram in set(grams))
        raw_two = {gram[1:] for gram in grams}
        self.counts = [Counter(gram[1:] for gram in raw_two), two, Counter(grams)]
        self.discounts = [self._discount(counts) for counts in self.counts]
        self.spelling = self._spelling({word for d in padded for word in d[2:]})

    @staticmethod
    def _discount(counts: Counter) -> float:
        once = sum(c == 1 for c in counts.values())
        twice = sum(c == 2 for c in counts.values())
        return min(0.95, max(0.1, once / max(1, once + 2 * twice)))

    @staticmethod
    def _spelling(words: set[str]) -> dict:
        pairs: Counter = Counter()
        for word in words:
            letters = ["end", *word.encode(), "end"]
            pairs.update(itertools.pairwise(letters))
        return pairs

    def spelled(self, word: str) -> float:
        total = sum(self.spelling.values())
        after: Counter = Counter()
        before: Counter = Counter()
        for (left, right), count in self.spelling.items():
            before[left] += count
            after[right] += count
        letters, p = ["end", *word.encode(), "end"], 1.0
        for left, right in itertools.pairwise(letters):
            single = (after[right] + 1) / (total + 257)
            p *= (self.spelling[left, right] + 8 * single) / (before[left] + 8)
        return p

    def level(self, gram: tuple[str, ...]) -> tuple[float, float, float]:
        """(discounted, reserved, total)"""
        order = len(gram) - 1
        counts, discount = self.counts[order], self.discounts[order]
        same = [c for key, c in counts.items() if key[:-1] == gram[:-1]]
        return max(counts[gram] - discount, 0), discount * len(same), sum(same)


def plain_bits(models: list[Plain], weights: list[float], scored: list[str]) -> list[float]:
    found = []
    for text in scored:
        words = ["<s>", "<s>", *WORD.findall(text.lower())]
        for i in range(2, len(words)):
            p = sum(w * m.spelled(words[i]) for m, w in zip(models, weights, strict=True))
            for order in range(3):
                gram = tuple(words[i - order : i + 1])
                parts = np.array([m.level(gram) for m in models]).T @ np.array(weights)
                p = (parts[0] + parts[1] * p) / parts[2] if parts[2] else p
            found.append(-math.log2(p))
    return found


def small_texts(seed: int, documents: int) -> list[str]:
    draw = random.Random(seed)
    words = ["corn", "seed", "grows", "a", "the", ",", "field", "naïve", f"word{seed}"]
    return [" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(documents)]


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.7, 0.3], [0.0, 1.0]])
def test_token_bits_of_mixed_counts_equal_a_plain_version_of_the_formula(weights):
    old, new, scored = small_texts(1, 6), small_texts(2, 4), [*small_texts(3, 2), "zyx wvu", ""]

    mine = bits_of([old, new], weights, scored)

    assert mine == pytest.approx(plain_bits([Plain(old), Plain(new)], weights, scored), rel=1e-9)


def test_model_probabilities_after_a_context_sum_to_what_spelling_leaves():
    text = small_texts(1, 8)
    words = sorted({word for document in text for word in WORD.findall(document)})
    context = "the seed"

    bits = [bits_of([text], [1.0], [f"{context} {word}"])[-1] for word in words]
    plain = Plain(text)
    unseen = 1 - sum(plain.spelled(word) for word in words)
    held_back = 1.0
    for gram in (("x",), ("seed", "x"), ("the", "seed", "x")):
        _, reserved, total = plain.level(gram)
        held_back *= reserved / total if total else 1.0

    assert sum(2.0**-b for b in bits) == pytest.approx(1 - held_back * unseen, rel=1e-9)


def test_mixture_of_a_text_with_its_copy_is_the_model_of_the_text():
    text, scored = small_texts(4, 20), small_texts(5, 5)

    alone = bits_of([text], [1.0], scored)

    for weight in (1.0, 0.9, 0.3):
        both = bits_of([text, list(text)], [weight, 1 - weight], scored)
        assert both == pytest.approx(alone, rel=1e-12)


def test_unknown_words_cost_their_spelling_so_random_letters_cost_what_letters_carry():
    draw = random.Random(6)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def noise(words: int) -> list[str]:
        return ["".join(draw.choices(letters, k=9)) for _ in range(words)]

    seen, unseen = noise(2000), noise(500)
    vocabulary = Vocabulary(NEWEST)
    fitted, tokens = vocabulary.read([" ".join(seen)]), vocabulary.read([" ".join(unseen)])
    bits = token_bits([evidence(fit(fitted, vocabulary), tokens, vocabulary)], [1.0])

    assert tokens.bytes.tolist() == [500 * 10]
    # Nine letters of log2(26) bits, and after each byte one in ten words ends.
    expected = (9 * math.log2(26) + 9 * math.log2(10 / 9) + math.log2(10)) / 10
    assert bits.sum() / tokens.bytes.sum() == pytest.approx(expected, rel=0.01)


def test_vocabulary_reads_scripts_without_spaces_by_character_and_counts_their_bytes():
    tokens = Vocabulary(NEWEST).read(["日本語、日本", "two Words", "Two two!", ""])

    assert tokens.words.tolist() == [0, 1, 2, 3, 0, 1, 4, 5, 4, 4, 6]
    assert tokens.offsets.tolist() == [0, 6, 8, 11, 11]
    assert tokens.bytes.tolist() == [6 * 4, 10, 10, 0]


def test_model_of_no_text_still_gives_every_word_a_finite_cost():
    bits = bits_of([[]], [1.0], ["any words at all", "é" * 2000])

    assert np.isfinite(bits).all()
    assert (bits > 8).all()


def test_document_bits_are_sums_over_the_words_of_each_document():
    vocabulary = Vocabulary(NEWEST)
    tokens = vocabulary.read(["a b", "", "c"])

    assert document_bits(np.array([1.0, 2.0, 4.0]), tokens).tolist() == [3.0, 0.0, 4.0]


def test_per_byte_interval_covers_the_truth_at_its_rate_and_repeats_with_its_seed():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(60):
        sizes = rng.integers(500, 1500, 60)
        bits = sizes * rng.normal(2.0, 0.5, 60)
        interval = per_byte(bits, sizes, seed=trial)
        covered += interval.low <= 2.0 <= interval.high
        assert trial or interval == per_byte(bits, sizes, seed=trial)
    assert covered >= 54


def test_per_byte_of_nothing_is_refused():
    for sizes in (np.array([], np.int64), np.array([0])):
        with pytest.raises(ValueError, match="no words"):
            per_byte(np.zeros(len(sizes)), sizes, seed=0)
