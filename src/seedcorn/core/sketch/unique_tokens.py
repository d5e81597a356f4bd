"""Unique tokens: of every accepted document the tokens that nothing before it holds.

A document of T tokens has P positions of eight-word shingles; of U of them it is the first holder
in log order. T U / P of its tokens are unique. A document shorter than eight words has one
position, and is unique only if a three-word shingle of it is new: whole, it could never meet the
shingles of longer ones.

Invariant: every document has one figure, a multiple of `GRAIN` at rate 1, so that sums over
documents, strata, batches and withdrawals are exact, whatever order they are taken in. Below rate 1
the sampled shingles give an unbiased estimate for documents of eight words and more; a short one
counts by its chance to show a sampled shingle if all of its own were new, which is a little low
where only some are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.intervals import FEW, Interval, Z, unique_interval
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, Delta, thin

GRAIN = 2.0**-16
"""What a document's figure is a multiple of, in tokens."""
SHORT = 3
"""Length in words of the shingles that tell whether a document below `HEADLINE` words is new."""
Int64 = NDArray[np.int64]
Sums = Mapping[str, float]
"""Sums over documents, see `sums_of`."""


@dataclass(frozen=True, slots=True, eq=False)
class AcceptedTexts:
    """The n documents of a batch in plan order, as far as unique tokens ask."""

    accepted: NDArray[np.bool_]
    words: Int64
    """By the text rule."""
    tokens: Int64
    """Of the text itself."""
    group: Int64 | None = None
    """Neighbours with one number are one draw of the writer; None: each document is one."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstHeld:
    """What each of n documents was the first to hold; nothing where it was not accepted."""

    texts: AcceptedTexts
    tokens: NDArray[np.float64]
    """Unique tokens."""
    held: NDArray[np.float64]
    """Shingles, at rate 1; a short document holds one or none."""
    sampled: Int64
    """Of those, how many were seen."""
    chance: NDArray[np.float64]
    """Of a shingle to be seen."""


def own_tokens(tokens: Int64, text_bytes: Int64, trace_bytes: Int64) -> Int64:
    """[n]: tokens of a completion's text. Engines count a reasoning trace and the text together:
    the text has its share of the bytes."""
    return tokens * text_bytes // np.maximum(text_bytes + trace_bytes, 1)


def first_held(delta: Delta, history: History, generation: int, texts: AcceptedTexts) -> FirstHeld:
    """What a batch's documents bring to a history that holds everything before them.

    `delta` is the batch's sketch, counted at the history's rate or at a lower one of its own.
    """
    delta = thin(delta, history.rate)
    count = len(texts.accepted)
    long = texts.words >= HEADLINE
    sampled = np.zeros(count, np.int64)
    for of, length in ((long, HEADLINE), (~long, SHORT)):
        if np.any(of & texts.accepted):
            sampled[of] = _newly(delta, history, generation, length, count)[of]
    sampled[~long] = sampled[~long] > 0
    chance = np.where(long, delta.rate, _chances(delta.rate)[np.clip(texts.words, 0, HEADLINE - 1)])
    tokens = texts.tokens * sampled / (_positions(texts.words) * chance)
    return FirstHeld(texts, np.rint(tokens / GRAIN) * GRAIN, sampled / chance, sampled, chance)


def sums_of(found: FirstHeld, documents: NDArray[np.bool_]) -> dict[str, float]:
    """Sums over the accepted ones of the marked documents.

    `tokens` are unique ones of `own` tokens of the texts, `words` unique words, for `held` of
    `positions` shingles; the squares and products of both say how unlike draws are. Where shingles
    were sampled: how many were `sampled` of how many `chances`, and the `variance` of `tokens`. Where
    documents are short: their number (`short`), tokens and unique tokens.
    """
    texts = found.texts
    of = documents & texts.accepted
    tokens, held, own = found.tokens[of], found.held[of], texts.tokens[of]
    positions = _positions(texts.words[of])
    terms = {
        "tokens": tokens,
        "own": own,
        "words": texts.words[of] * held / positions,
        "held": held,
        "positions": positions,
        **_products(*(_by_draw(texts.group, of, values) for values in (tokens, held))),
    }
    chance, sampled = found.chance[of], found.sampled[of]
    if np.any(chance < 1):
        weight = own / positions
        terms["sampled"], terms["chances"] = sampled, positions * chance
        terms["variance"] = weight**2 * sampled * (1 - chance) / chance**2
    short = texts.words[of] < HEADLINE
    if short.any():
        terms |= {"short": short, "short_own": own[short], "short_tokens": tokens[short]}
    # Rounded once each, so that no order of adding shows.
    return {name: fsum(values.tolist()) for name, values in terms.items()}


def sums_by_stratum(found: FirstHeld, strata: Sequence[str]) -> dict[str, dict[str, float]]:
    """`sums_of` every stratum that has an accepted document; `strata` has shape [n]."""
    names = np.array(strata, dtype=object)
    drawn = sorted(set(names[found.texts.accepted].tolist()))
    return {name: sums_of(found, names == name) for name in drawn}


def added(*parts: Sums) -> dict[str, float]:
    """The sums over the documents of all parts."""
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return total


def interval_of(whole: Sums, estimated: Sums, rate: float) -> Interval:
    """Unique tokens with their 95 % interval; `estimated` is the part of batches that were sampled,
    the lowest of whose rates is `rate`. Below 50 sampled shingles their exact interval decides."""
    tokens, part = whole.get("tokens", 0.0), estimated.get("tokens", 0.0)
    chances, sampled = estimated.get("chances", 0.0), round(estimated.get("sampled", 0.0))
    if not chances:
        return Interval(tokens, tokens, tokens)
    exact = tokens - part
    if sampled >= FEW:
        half = Z * sqrt(estimated.get("variance", 0.0))
        return Interval(tokens, max(exact, tokens - half), tokens + half)
    found = unique_interval(sampled, rate)
    each = part / found.estimate if sampled else estimated.get("own", 0.0) / (chances / rate)
    return Interval(tokens, exact + each * found.low, exact + each * found.high)


def _by_draw(
    group: Int64 | None, of: NDArray[np.bool_], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sums over the documents of each draw."""
    if group is None:
        return values
    return np.bincount(group[of] - group.min(), weights=values).astype(np.float64)


def _products(
    tokens: NDArray[np.float64], held: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    return {
        "tokens_squared": tokens**2,
        "tokens_held": tokens * held,
        "held_squared": held**2,
    }


def _newly(delta: Delta, history: History, generation: int, length: int, count: int) -> Int64:
    """[n]: sampled shingles of one length that each document is the first accepted one to hold."""
    rows = delta.rows(length)
    hashes, first = delta.hash[rows], delta.first[rows]
    new = history.unheld(hashes, length, generation) & (delta.accepted[rows] > 0)
    hashes, first = hashes[new], first[new]
    strata = delta.stratum[rows]
    if len(hashes) and strata[0] != strata[-1]:
        # Each stratum's hashes are in order, which a stable sort only has to merge.
        order = np.argsort(hashes, kind="stable")
        hashes = hashes[order]
        starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
        first = np.minimum.reduceat(first[order], starts)
    return np.bincount(first, minlength=count)


def _positions(words: Int64) -> Int64:
    return np.maximum(words - HEADLINE + 1, 1)


def _chances(rate: float) -> NDArray[np.float64]:
    """By number of words below `HEADLINE`: chance that any of the document's `SHORT`-word shingles
    is in a sample of this rate. By products alone, which every machine rounds alike."""
    chances, missed = np.empty(HEADLINE), 1.0
    for words in range(HEADLINE):
        if words == 0 or words > SHORT:
            missed *= 1 - rate
        chances[words] = 1 - missed
    return chances
