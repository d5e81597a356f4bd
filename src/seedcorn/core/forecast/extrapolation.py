"""Further ahead than there are documents behind: what shape the curve has, and how it can go on.

Good and Toulmin's sum explodes there. The centre is a curve fitted to how often fingerprints
occur; the ends need no shape: what a document adds on average can only fall (a fingerprint that was
seen is never new), so a curve that is known up to t = 1 lies below each of its earlier secants from
there on, and never sinks.
"""

import math

import numpy as np

from seedcorn.core.forecast.evidence import Evidence


def extrapolated(evidence: Evidence, start: float, end: float) -> float:
    """The yield per document, r (1 + a t)^(-c/a), integrated over the documents ahead.

    r = Q_1 per N; it falls by c = 2 Q_2/Q_1 at first, and a = 3 Q_3/Q_2 - c says how that levels
    off: this is the gamma-Poisson mixture with those three counts (Efron and Thisted 1976). a = 1 is
    Heaps' law, a = 0 the exponential end of a template with equally likely instances; a lies
    between. Heaps' law through the curve where nothing occurs three times yet.
    """
    once, twice, thrice = (*evidence.occurrences[:3].tolist(), 0, 0, 0)[:3]
    if not (twice and thrice):
        return _heaps(evidence, start, end)
    c = 2 * twice / once if once else 0.0
    a = min(max(3 * thrice / twice - c, 1e-6), 1.0)
    first, last = math.log1p(a * start), math.log1p(a * end)
    power = 1 - c / a
    if abs(power) < 1e-9:
        return once / a * (last - first)
    return once / (a * power) * (math.exp(power * last) - math.exp(power * first))


def _heaps(evidence: Evidence, start: float, end: float) -> float:
    """Heaps' law U N^beta through the curve's end, integrated over the documents ahead."""
    distinct = float(evidence.occurrences.sum())
    beta = _heaps_exponent(evidence, distinct)
    return distinct * ((1 + end) ** beta - (1 + start) ** beta)


def _heaps_exponent(evidence: Evidence, distinct: float) -> float:
    """Slope of log U on log N over the curve's later half; Q_1/U where that has one point.

    Under Heaps' law both are beta (Q_1/U is the slope of the rarefaction curve at its end).
    """
    points = [(n, u) for n, u in evidence.curve if n > 0 and u > 0]
    points = [(n, u) for n, u in points if 2 * n >= points[-1][0]]
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return min(evidence.q_sum / distinct, 1.0) if distinct else 0.0
    x, y = np.log(np.array(points, np.float64)).T
    centred = x - x.mean()
    return float(min(max(centred @ y / (centred @ centred), 0.0), 1.0))
