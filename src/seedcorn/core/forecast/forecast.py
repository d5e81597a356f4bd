"""What the next samples would add, from what the samples so far shared with each other.

Documents are iid within one policy (same recipe, model, checks), so the unit of every formula is
the document: Q_i counts novel fingerprints of accepted documents that occur in exactly i *verified*
ones, duplicates included. Dedup makes accepted documents share almost nothing; without the
duplicates a saturated template would look endless. Invariant: 0 <= low <= estimate <= high, and
every figure is a fold of committed documents.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.forecast.evidence import DEEP, Evidence
from seedcorn.core.forecast.extrapolation import extrapolated
from seedcorn.core.intervals import Interval, Z, students_t

GOOD_TOULMIN = "good-toulmin"
"""At most as many documents ahead as behind: unbiased."""
EXTRAPOLATED = "extrapolated"
"""Further than that: a bent Heaps' law, between smoothed Good-Toulmin and the present yield."""
EMPTY = "nothing so far"
"""No document brought anything: the rule of three."""
SECANT = 0.5
"""Multiple of N from which on the secant to t = 1 is taken: a longer one lies higher, a shorter one
is less sure."""
GENERATIONS = 4
"""Generations below which a trend is a guess."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Unique fingerprints that `samples` more documents would add, with a 95 % interval."""

    samples: int
    estimate: float
    low: float
    high: float
    method: str
    """GOOD_TOULMIN | EXTRAPOLATED | EMPTY"""
    widen: float = 1.0
    """By how much the interval was widened because earlier ones had failed."""


def forecast(
    evidence: Evidence, more: float, skip: float = 0, widen: float = 1.0, rule: int = 2
) -> Forecast | None:
    """What `more` documents add once `skip` further ones were generated, in fingerprints.

    Up to N documents ahead this is Good and Toulmin 1956 over documents, as a difference of two
    where `skip` > 0. Beyond, the centre is Heaps' law with a bend for saturation. Its ends are under
    `rule` 2 of the ledger's unit those that `_narrowed` explains; under rule 1 the low one starts from
    smoothed Good-Toulmin (Orlitsky, Suresh, Wu 2016), the high one from the present yield per
    document, which can only fall. All keep the error of sampling on top. Without any
    document (N = 0) there is no forecast: None. N documents that brought nothing give 0, and the
    rule of three above it, one fingerprint to a document. Raises ValueError for a negative number.
    """
    if more < 0 or skip < 0 or widen < 1:
        raise ValueError(f"a forecast of {more} after {skip}, widened by {widen}, cannot be")
    if evidence.samples <= 0:
        return None
    if not evidence.occurrences.any():
        ends = Interval(0.0, 0.0, _few(evidence, more))
        return _scaled(evidence.rate, more, ends, EMPTY, widen)
    start, end = skip / evidence.samples, (skip + more) / evidence.samples
    counted, half = _counted(evidence, start, end)
    most = max(counted + half, _few(evidence, more))
    if end <= 1:
        ends = Interval(counted, counted - half, most)
        return _scaled(evidence.rate, more, ends, GOOD_TOULMIN, widen)
    ceiling = (end - start) * evidence.q_sum
    centre = min(extrapolated(evidence, start, end), ceiling)
    ends = Interval(centre, min(counted, centre) - half, max(most, ceiling + half))
    if rule >= 2:
        ends = _narrowed(evidence, start, end, ends)
    return _scaled(evidence.rate, more, ends, EXTRAPOLATED, widen)


def coverage(evidence: Evidence) -> float | None:
    """Good's C = 1 - f1/n: the share of fingerprint occurrences that an earlier document explains.

    n counts every fingerprint once per verified document that holds it (Good 1953). None where
    nothing was counted.
    """
    total = evidence.seen
    return 1 - int(evidence.occurrences[0]) / total if total else None


def trend(unique: Sequence[tuple[int, Interval | float]]) -> Interval | None:
    """U of the generation after the last one, from (generation, U): log U fitted on g.

    Between generations the policy drifts, which no count within a generation can see. A line by
    least squares with its 95 % prediction interval (Student's t, n - 2 degrees of freedom); the
    scatter is at least what the intervals of the U say. Below 4 generations None: "insufficient
    history". A U below 1 counts as 1.
    """
    if len(unique) < GENERATIONS:
        return None
    g = np.array([generation for generation, _ in unique], np.float64)
    logs = np.array([math.log(max(_centre(value), 1.0)) for _, value in unique])
    spread = np.array([_log_error(value) for _, value in unique])
    freedom = len(g) - 2
    centred = g - g.mean()
    slope = float(centred @ logs / (centred @ centred))
    fitted = logs.mean() + slope * centred
    variance = max(float(((logs - fitted) ** 2).sum()) / freedom, float((spread**2).mean()))
    ahead = g.max() + 1 - g.mean()
    half = students_t(freedom) * math.sqrt(
        variance * (1 + 1 / len(g) + ahead**2 / float(centred @ centred))
    )
    centre = float(logs.mean()) + slope * ahead
    return Interval(math.exp(centre), math.exp(centre - half), math.exp(centre + half))


def _counted(evidence: Evidence, start: float, end: float) -> tuple[float, float]:
    """What lies between two multiples of N by the alternating sum, and 1.96 deviations of it."""
    n, weights = evidence.samples, _weights(evidence, start, end)
    counted = float(weights @ evidence.occurrences[: len(weights)])
    counted = min(max(counted, 0.0), (end - start) * evidence.q_sum)
    return counted, Z * _deviation(evidence, weights, (end - start) * n, start * n, counted)


def _narrowed(evidence: Evidence, start: float, end: float, wide: Interval) -> Interval:
    """Ends beyond t = 1 that hold whatever the shape: the curve never sinks, so at least what comes
    up to there is added; and it bends down, so from there on at most as much per document as on
    average over the half before. Neither end leaves `wide`."""
    n, near = evidence.samples, min(start, 1.0)
    least, half = _counted(evidence, near, 1.0)
    low = max(wide.low, least - half)
    share = (end - max(start, 1.0)) / (1 - SECANT)
    weights = _weights(evidence, near, 1.0) + share * _weights(evidence, SECANT, 1.0)
    most = max(float(weights @ evidence.occurrences[: len(weights)]), 0.0)
    most += Z * _deviation(evidence, weights, (end - start) * n, start * n, most)
    high = max(low, min(wide.high, most), _few(evidence, (end - start) * n))
    return Interval(min(max(wide.estimate, low), high), low, high)


def _weights(evidence: Evidence, start: float, end: float) -> NDArray[np.float64]:
    """[i - 1]: what a fingerprint in i documents adds to the forecast from start * N to end * N.

    Good and Toulmin's -(-t)^i, differenced; beyond t = 1 times P(Binomial(k, q) >= i) with
    q = 2/(2+t), k = log_3(N t^2/(t-1)) / 2. From DEEP on nothing: chance alone never hides a
    fingerprint that frequent.
    """
    size = min(len(evidence.occurrences), DEEP - 1)
    if end <= 1:
        i = np.arange(1, size + 1)
        return np.where(i % 2 == 1, 1.0, -1.0) * (end**i - start**i)
    k = max(1, math.floor(math.log(evidence.samples * end**2 / (end - 1), 3) / 2))
    i = np.arange(1, min(size, k) + 1)
    q = 2 / (2 + end)
    chances = np.array([math.comb(k, j) * q**j * (1 - q) ** (k - j) for j in range(k + 1)])
    at_least = np.cumsum(chances[::-1])[::-1][i]
    return np.where(i % 2 == 1, 1.0, -1.0) * (end**i - start**i) * at_least


def _deviation(
    evidence: Evidence, weights: NDArray[np.float64], more: float, skip: float, estimate: float
) -> float:
    """Standard deviation of estimate - truth, in the sample: the largest of three.

    With independent fingerprints it is sum(w^2 Q) + U (the future is independent of the past, and
    the cross term cancels because a fingerprint that was seen is never new). With documents that
    share nothing it is that of their own sizes, var(q) (M + M^2/N). Fingerprints that travel
    together, c at a time, multiply the first by c; what a fixed number of documents, instead of a
    Poisson one, takes off again is at least r^2 M + A^2 N, where r bounds the yield per document
    at the end from below: e^-x >= 1 - x.
    """
    n, counts = evidence.samples, evidence.occurrences
    alone = float(weights**2 @ counts[: len(weights)]) + estimate
    mean = evidence.q_sum / n
    spread = max(evidence.q_squares - n * mean**2, 0.0) / (n - 1) if n > 1 else mean**2
    documents = spread * (more + more**2 / n)
    clump = evidence.q_squares / evidence.q_sum if evidence.q_sum else 1.0
    twice = int(counts[1]) if len(counts) > 1 else 0
    last = max(mean - 2 * (skip + more) * twice / n**2, 0.0)
    drift = max(more * last - skip * (mean - last), 0.0) / n
    together = clump * alone - last**2 * more - drift**2 * n
    return math.sqrt(max(alone, documents, together))


def _few(evidence: Evidence, more: float) -> float:
    """Rule of three: what was in none of N documents is in at most 3/N of all (95 %).

    The least that a high end can be, however saturated the documents, with the fingerprints of a
    mean document to each.
    """
    return 3 * more / evidence.samples * max(1.0, evidence.seen / evidence.samples)


def _scaled(rate: float, more: float, ends: Interval, method: str, widen: float) -> Forecast:
    """The forecast for all fingerprints, from that for the sampled ones."""
    estimate, low, high = ends
    return Forecast(
        math.ceil(more),
        estimate / rate,
        max(0.0, estimate - widen * (estimate - low)) / rate,
        (estimate + widen * (high - estimate)) / rate,
        method,
        widen,
    )


def _centre(value: Interval | float) -> float:
    return value.estimate if isinstance(value, Interval) else float(value)


def _log_error(value: Interval | float) -> float:
    """Standard error of the logarithm; 0 for an exact count."""
    if not isinstance(value, Interval):
        return 0.0
    return math.log(max(value.high, 1.0) / max(value.low, 1.0)) / (2 * Z)
