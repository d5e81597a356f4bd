"""The additive n-gram model: P(w|h) = (c(hw) + μ_k P(w|h')) / (c(h) + μ_k), tuned to convergence.

Counts of a history are sums of sources, each with a weight; the seed's weight is 1. Below the
unigrams lies .7 uniform over the words of the seed (those that the anchor has: whether a word is one
of them stands in the counts, and counts add) and .3 spelling. Invariant: for any weights and any μ
this is a distribution over the anchor's words and everything that can be spelled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.table import Counts

UNIFORM = 0.7
"""Share of the base that is uniform over the seed's words; the rest is spelling."""
_RANGE = 16.0
"""Natural logarithms of μ and weights stay within this of 0: beyond, an order or a source is off."""
_FLAT = 1e-6
"""Bits per word: no slope to speak of."""
_STILL = 1e-12
"""Bits per word: a step that saves no more leads nowhere (a source like another has a flat valley)."""
_ROUNDS = 200
_HALVINGS = 30
_FIRST = 10.0
"""Inverse curvature before any step is known, about; in bits per word it is far from 1."""

Cost = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
"""A point -> its cost and the slope there."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Tuned parameters."""

    mu: NDArray[np.float64]
    """[orders]"""
    weights: NDArray[np.float64]
    """[sources]; the first is 1."""


def base(anchor: Anchor, seed: Counts) -> NDArray[np.float64]:
    """[n]: probability of each word of the anchor below the unigrams."""
    known = seed.grams[anchor.places[0]] > 0
    kinds = len(np.unique(anchor.places[0][known]))
    if not kinds:
        return anchor.spelled
    return UNIFORM * known / kinds + (1 - UNIFORM) * anchor.spelled


def gathered(anchor: Anchor, counts: Counts, order: int) -> NDArray[np.float64]:
    """[n, order, 2]: counts of the n-gram that ends at each word, and of its context.

    Both are 0 where the document is too short for the n-gram: then the order has no say.
    """
    found = np.zeros((anchor.places.shape[1], order, 2))
    found[:, 0, 0] = counts.grams[anchor.places[0]]
    found[:, 0, 1] = counts.words
    followed = counts.grams - counts.ends
    for k in range(1, order):
        there = np.flatnonzero(anchor.places[k] >= 0)
        found[there, k, 0] = counts.grams[anchor.places[k, there]]
        found[there, k, 1] = followed[anchor.places[k - 1, there - 1]]
    return found


def token_bits(
    below: NDArray[np.float64], known: NDArray[np.float64], fit: Fit
) -> NDArray[np.float64]:
    """[n] bits per word; below: [n], known: [sources, n, orders, 2]."""
    return _bits(below, known, fit.mu, fit.weights)


def tune(below: NDArray[np.float64], known: NDArray[np.float64], start: Fit) -> Fit:
    """The μ and weights under which these words cost least, from `start` downhill until nothing
    moves (BFGS in their logarithms, with the exact gradient). The first source keeps weight 1."""
    orders = len(start.mu)
    point = np.log(np.concatenate([start.mu, start.weights[1:]]))

    def at(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        fit = _fit(x, orders)
        cost, slope = _loss(below, known, fit.mu, fit.weights)
        slope = np.delete(slope, orders)
        outward = (np.abs(x) >= _RANGE) & (slope * x < 0)
        return cost, np.where(outward, 0.0, slope)

    return _fit(_descend(at, point), orders)


def _fit(x: NDArray[np.float64], orders: int) -> Fit:
    values = np.exp(x)
    return Fit(values[:orders], np.concatenate([[1.0], values[orders:]]))


def _descend(at: Cost, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minimum of a smooth function by BFGS with backtracking (Nocedal and Wright 2006, ch. 6)."""
    cost, slope = at(x)
    inverse, bent = _FIRST * np.eye(len(x)), False
    for _ in range(_ROUNDS):
        step = -inverse @ slope
        step *= min(1.0, 2.0 / max(1e-300, float(np.abs(step).max())))
        y, found, new = _shortened(at, x, step, cost + 1e-4 * float(slope @ step))
        if np.abs(slope).max() < _FLAT or cost - found < _STILL:
            break
        if not bent:
            inverse, bent = _scaled(inverse, y - x, new - slope), True
        inverse = _updated(inverse, y - x, new - slope)
        x, cost, slope = y, found, new
    return x


def _shortened(
    at: Cost, x: NDArray[np.float64], step: NDArray[np.float64], goal: float
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """The first point along the step, halved and halved again, that costs less than the goal."""
    for _ in range(_HALVINGS):
        y = np.clip(x + step, -_RANGE, _RANGE)
        found, slope = at(y)
        if found <= goal:
            return y, found, slope
        step = step / 2
    return x, *at(x)


def _scaled(
    inverse: NDArray[np.float64], s: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The first estimate of the inverse curvature, at the size that a step found."""
    return np.eye(len(s)) * (float(s @ y) / float(y @ y)) if float(s @ y) > 1e-14 else inverse


def _updated(
    inverse: NDArray[np.float64], s: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The estimate of the inverse curvature after a step `s` that changed the slope by `y`."""
    bend = float(s @ y)
    if bend <= 1e-14:
        return inverse
    turn = np.eye(len(s)) - np.outer(s, y) / bend
    return turn @ inverse @ turn.T + np.outer(s, s) / bend


@njit(nogil=True, cache=True)
def _bits(
    below: NDArray[Any], known: NDArray[Any], mu: NDArray[Any], weights: NDArray[Any]
) -> NDArray[Any]:
    out = np.empty(below.size)
    for i in range(below.size):
        p = below[i]
        for k in range(mu.size):
            counted = total = 0.0
            for s in range(weights.size):
                counted += weights[s] * known[s, i, k, 0]
                total += weights[s] * known[s, i, k, 1]
            p = (counted + mu[k] * p) / (total + mu[k])
        out[i] = -np.log2(p)
    return out


@njit(nogil=True, cache=True)
def _loss(
    below: NDArray[Any], known: NDArray[Any], mu: NDArray[Any], weights: NDArray[Any]
) -> tuple[float, NDArray[Any]]:
    """Mean bits per word, and their slope in the logarithms of μ and weights [orders + sources]."""
    orders, sources = mu.size, weights.size
    cost, slope = 0.0, np.zeros(orders + sources)
    turn = np.empty(orders + sources)
    for i in range(below.size):
        p = below[i]
        turn[:] = 0.0
        for k in range(orders):
            counted = total = 0.0
            for s in range(sources):
                counted += weights[s] * known[s, i, k, 0]
                total += weights[s] * known[s, i, k, 1]
            if total == 0.0:
                continue
            rest = total + mu[k]
            after = (counted + mu[k] * p) / rest
            for j in range(orders + sources):
                turn[j] *= mu[k] / rest
            turn[k] += mu[k] * (p - after) / rest
            for s in range(sources):
                seen = known[s, i, k]
                turn[orders + s] += weights[s] * (seen[0] - after * seen[1]) / rest
            p = after
        cost -= np.log2(p)
        for j in range(orders + sources):
            slope[j] -= turn[j] / p
    return cost / below.size, slope / (below.size * np.log(2.0))
