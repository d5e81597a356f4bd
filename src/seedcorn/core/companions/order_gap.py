"""Γ: how many bits per byte the *order* of the words carries. Noise has none, text has much.

Shuffling the words of a document leaves its bag of words and takes its sentences. Two shuffles, of
words and of what stands between spaces, because text shuffled by the second still keeps its
punctuation beside its words. Invariant: for documents of words drawn independently, and for shuffled
ones, text and one of the shuffles are exchangeable, so Γ is 0 in expectation under any model fitted
on other documents.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.companions.language_model import (
    Tokens,
    Vocabulary,
    document_bits,
    evidence,
    fit,
    per_byte,
    token_bits,
)
from seedcorn.core.identity import uint64
from seedcorn.core.intervals import Interval
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import NEWEST, TextRule, read_words

NOISE = 0.1
"""Bits per byte: text whose high end is below this has no word order to speak of."""
LEAST_BYTES = 200_000
"""Below, a model learns too little of real text to tell it from noise (108 kB of Russian had .11)."""


def order_gap(
    documents: Sequence[str],
    history: Sequence[str] = (),
    seed: int = 0,
    rule: TextRule = NEWEST,
) -> Interval:
    """Γ in bits per byte: bpb(shuffled) - bpb(text), the smaller of two shuffles; the ends are the
    smaller ones of their 95 % bootstrap intervals over documents.

    The language model that scores one half of the documents is fitted on the other half and
    `history` (a history-only model would call a new domain noise). Halves are made by content, so
    equal documents stay together and order does not matter. For real text Γ grows with what the model
    has seen of its kind: .2 to .4 after 50 kB, .5 to .9 after 500 kB, 1.5 for copies of the history;
    noise stays within .002. About .7 s per megabyte. Raises ValueError where no document has a word.
    What it says below 200 kB is not to be told: see `insufficient`.
    """
    ranked = sorted(documents, key=lambda text: (uint64("half", seed, text), text))
    side = np.array([uint64("half", seed, text) & 1 for text in ranked], np.int64)
    gaps, sizes = np.zeros((2, len(ranked))), np.zeros(len(ranked), np.int64)
    for half in (0, 1):
        scored = np.flatnonzero(side == half)
        others = [ranked[i] for i in np.flatnonzero(side != half)]
        mine = [ranked[i] for i in scored]
        gaps[:, scored], sizes[scored] = _gaps(mine, [*sorted(history), *others], seed, rule)
    found = [per_byte(gap, sizes, seed) for gap in gaps]
    return Interval(*(min(ends) for ends in zip(*found, strict=True)))


def insufficient(documents: Sequence[str]) -> str:
    """Why Γ of these is not to be told; empty where it is."""
    size = sum(len(text.encode("utf-8", "replace")) for text in documents)
    if size >= LEAST_BYTES:
        return ""
    return (
        f"the documents measured have {size / 1000:,.0f} kB, and word order is told from noise only "
        f"from {LEAST_BYTES // 1000} kB on: measure more documents (ledger.companions)"
    )


def _gaps(
    scored: Sequence[str], fitted: Sequence[str], seed: int, rule: TextRule
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """[2, n]: bits that each shuffle costs each document; and its bytes."""
    vocabulary = Vocabulary(rule)
    old, tokens = vocabulary.read(fitted), vocabulary.read(scored)
    shuffled = vocabulary.read([_apart(text, seed, rule) for text in scored])
    model = fit(old, vocabulary)
    ordered, *mixed = (
        document_bits(token_bits([evidence(model, text, vocabulary)], [1.0]), text)
        for text in (tokens, tokens.reordered(_shuffle(tokens, scored, seed)), shuffled)
    )
    return np.array(mixed) - ordered, tokens.bytes


def _apart(text: str, seed: int, rule: TextRule) -> str:
    """The text with what stands between its spaces in another order; the characters of a script
    without spaces."""
    data = pack([text.encode("utf-8", "replace")])
    pieces = list(text) if read_words(*data, rule).unspaced[0] else text.split()
    order = np.random.default_rng(uint64("apart", seed, text)).permutation(len(pieces))
    return " ".join(pieces[i] for i in order)


def _shuffle(tokens: Tokens, texts: Sequence[str], seed: int) -> NDArray[np.int64]:
    """A permutation of all tokens that moves words inside their document only."""
    order = np.arange(len(tokens.words))
    for i, text in enumerate(texts):
        part = slice(tokens.offsets[i], tokens.offsets[i + 1])
        order[part] = np.random.default_rng(uint64("shuffle", seed, text)).permutation(order[part])
    return order
