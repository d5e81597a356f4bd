"""A small word n-gram language model whose counts can be mixed: the yardstick of Γ and ΔA.

Interpolated Kneser-Ney of order 3 over words and runs of punctuation, NFKC and lower case. Below
the unigrams lies a byte model of spelling, so a word never seen costs what it takes to spell it,
every string has a probability, and bits per byte are those of a code that could be written down.
Invariant: for any weights the mixed model is a distribution, and a text mixed with itself is the
model of the text.

Source: Kneser and Ney 1995; interpolated form and discount from Chen and Goodman 1999.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import GOLDEN, splitmix64_words
from seedcorn.core.intervals import Interval
from seedcorn.core.teaching.spelling import Spelled, byte_pairs, laid_out, word_bits
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, read_words

ORDER = 3
"""Words per n-gram: two words of context. A sample holds too little text for more."""
RESAMPLES = 1000
"""Bootstrap draws behind an interval."""
_DISCOUNTS = (0.1, 0.95)
"""The discount stays inside, so that text in which nothing occurs once keeps mass for the new."""
_WORDS = re.compile(r"\w+|[^\w\s]+")
_CHARACTERS = re.compile(r"\w|[^\w\s]+")
_START = np.uint64(0x6A09E667F3BCC909)
_STEP = np.uint64(GOLDEN)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of d documents as ids of one vocabulary, laid end to end."""

    words: NDArray[np.int64]
    offsets: NDArray[np.int64]
    """[d + 1]: document i owns `words[offsets[i]:offsets[i + 1]]`."""
    bytes: NDArray[np.int64]
    """[d]: UTF-8 bytes of the normalised text, one for the end of every word included."""

    def reordered(self, order: NDArray[np.int64]) -> "Tokens":
        """The words in another order: int64[n], a permutation inside every document."""
        return Tokens(self.words[order], self.offsets, self.bytes)


class Vocabulary:
    """Ids of words, shared by everything that is fitted or scored together."""

    def __init__(self, rule: TextRule) -> None:
        """`rule`: which documents are of a script without spaces."""
        self._rule = rule
        self._ids: dict[str, int] = {}

    def read(self, texts: Sequence[str]) -> Tokens:
        """The texts as tokens; new words get new ids.

        In scripts without spaces every word character is a word, as in `words.read_words`.
        """
        packed = pack([text.encode("utf-8", "replace") for text in texts])
        unspaced = read_words(*packed, self._rule).unspaced
        ids: list[int] = []
        offsets, sizes = [0], []
        for text, apart in zip(texts, unspaced, strict=True):
            folded = unicodedata.normalize("NFKC", text).lower()
            words = (_CHARACTERS if apart else _WORDS).findall(folded)
            ids.extend([self._ids.setdefault(word, len(self._ids)) for word in words])
            offsets.append(len(ids))
            sizes.append(len("".join(words).encode("utf-8", "replace")) + len(words))
        return Tokens(np.array(ids, np.int64), np.array(offsets), np.array(sizes, np.int64))

    def spelled(self) -> Spelled:
        """All words so far."""
        return laid_out([word.encode("utf-8", "replace") for word in self._ids])


@dataclass(frozen=True, slots=True)
class Level:
    """Discounted counts of one order: n-grams and their contexts, each by ascending key."""

    grams: NDArray[np.uint64]
    discounted: NDArray[np.float64]
    contexts: NDArray[np.uint64]
    total: NDArray[np.float64]
    reserved: NDArray[np.float64]
    """What discounting took from the context's n-grams: the weight of the order below."""


@dataclass(frozen=True, slots=True)
class Model:
    """Counts of one text, orders 1 to 3, and how its words are spelled."""

    levels: tuple[Level, ...]
    spelling: NDArray[np.float64]
    """[257, 257]: probability of a byte (or the end) after a byte (or the end of the last word)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one model knows about n tokens; mixing evidence is mixing counts."""

    spelled: NDArray[np.float64]
    """[n]: probability of the word under the spelling model."""
    discounted: NDArray[np.float64]
    """[3, n]: discounted count of the n-gram that ends here."""
    reserved: NDArray[np.float64]
    total: NDArray[np.float64]


def fit(tokens: Tokens, vocabulary: Vocabulary) -> Model:
    """Count a text. About 1.5 s per million words; a text without words gives an empty model."""
    levels: list[Level] = []
    grams, contexts = _keys(tokens)
    used = np.arange(len(tokens.words))
    for order in range(ORDER - 1, -1, -1):
        levels.append(_level(grams[order][used], contexts[order][used]))
        used = np.unique(grams[order], return_index=True)[1]
    words = vocabulary.spelled()
    known = np.zeros(len(words[1]) - 1, bool)
    known[tokens.words] = True
    return Model(tuple(reversed(levels)), byte_pairs(words, known))


def evidence(model: Model, tokens: Tokens, vocabulary: Vocabulary) -> Evidence:
    """Look n tokens up in a model. `tokens` come from the same vocabulary as the model's text."""
    grams, contexts = _keys(tokens)
    discounted, reserved, total = np.zeros((3, ORDER, len(tokens.words)))
    for order, level in enumerate(model.levels):
        place, found = _find(level.grams, grams[order])
        discounted[order, found] = level.discounted[place]
        place, found = _find(level.contexts, contexts[order])
        reserved[order, found] = level.reserved[place]
        total[order, found] = level.total[place]
    spelled = np.exp2(-word_bits(vocabulary.spelled(), model.spelling))[tokens.words]
    return Evidence(spelled, discounted, reserved, total)


def token_bits(parts: Sequence[Evidence], weights: Sequence[float]) -> NDArray[np.float64]:
    """Bits of each of n tokens under the mixture `sum(weight * counts)`; weights sum to 1.

    Cheap: a few additions per token, whatever the size of the models behind the evidence.
    """
    probability = _mixed([part.spelled for part in parts], weights)
    for order in range(ORDER):
        total = _mixed([part.total[order] for part in parts], weights)
        counted = _mixed([part.discounted[order] for part in parts], weights)
        reserved = _mixed([part.reserved[order] for part in parts], weights)
        known = total > 0
        counted[known] += reserved[known] * probability[known]
        probability[known] = counted[known] / total[known]
    return -np.log2(probability)


def document_bits(bits: NDArray[np.float64], tokens: Tokens) -> NDArray[np.float64]:
    """Sums per document, [d], of bits per token, [n]."""
    running = np.concatenate([[0.0], np.cumsum(bits)])
    return np.diff(running[tokens.offsets])


def per_byte(bits: NDArray[np.float64], sizes: NDArray[np.int64], seed: int) -> Interval:
    """Bits per byte of d documents, `sum(bits) / sum(sizes)`, with a bootstrap interval over them.

    bits, sizes: [d], bits (or a difference of bits) and bytes per document. Percentile interval of
    1000 resamples of whole documents (Efron 1979). Raises ValueError where there is no byte.
    """
    if not len(sizes) or sizes.sum() <= 0:
        raise ValueError("no words to take bits per byte of: give documents with words")
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=RESAMPLES)
    ratios = (drawn @ bits) / np.maximum(drawn @ sizes, 1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(float(bits.sum() / sizes.sum()), float(low), float(high))


def _keys(tokens: Tokens) -> tuple[list[NDArray[np.uint64]], list[NDArray[np.uint64]]]:
    """Keys of the n-gram that ends at each token and of its context, for orders 1 to 3.

    64-bit hashes: two of 10^7 n-grams collide with probability 3e-6.
    """
    words = splitmix64_words(tokens.words.astype(np.uint64) + np.uint64(1))
    grams, contexts = [], []
    context = np.full(len(words), _START)
    depth = np.arange(len(words)) - np.repeat(tokens.offsets[:-1], np.diff(tokens.offsets))
    for order in range(ORDER):
        if order:
            before = np.full(len(words), _START)
            before[order:] = words[: len(words) - order]
            context = splitmix64_words(context * _STEP + np.where(depth >= order, before, _START))
        contexts.append(context)
        grams.append(splitmix64_words(context * _STEP + words))
    return grams, contexts


def _level(grams: NDArray[np.uint64], contexts: NDArray[np.uint64]) -> Level:
    keys, first, counts = np.unique(grams, return_index=True, return_counts=True)
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    discount = float(np.clip(once / max(1, once + 2 * twice), *_DISCOUNTS))
    parents, inverse = np.unique(contexts[first], return_inverse=True)
    total, kinds = np.zeros((2, len(parents)))
    np.add.at(total, inverse, counts)
    np.add.at(kinds, inverse, 1)
    return Level(keys, counts.astype(np.float64) - discount, parents, total, discount * kinds)


def _find(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where the keys that exist are, and which of the wanted ones exist."""
    if not len(keys):
        return np.empty(0, np.int64), np.zeros(len(wanted), bool)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[place] == wanted
    return place[found], found


def _mixed(parts: Sequence[NDArray[np.float64]], weights: Sequence[float]) -> NDArray[np.float64]:
    mixed = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        mixed += part * weight
    return mixed
