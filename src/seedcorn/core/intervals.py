"""Error bars for counts, without a statistics package.

Two exact intervals rest on one function, the regularised incomplete beta function: it is the
binomial distribution function in the success probability and, for real arguments, in the number of
trials. Invariant: exact intervals cover at least what they promise.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypedDict

Z = 1.96
"""Two-sided 95 % quantile of the normal distribution."""
FEW = 50
"""Below this many sampled items the normal interval is replaced by the exact one."""


class Bounds(TypedDict):
    """An `Interval` as JSON holds it."""

    estimate: float
    low: float
    high: float


class Interval(NamedTuple):
    """An estimate with the ends of its 95 % interval; equal ends mean an exact count."""

    estimate: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether nothing was estimated."""
        return self.low == self.high

    @property
    def bounds(self) -> Bounds:
        """As plain values."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}

    def times(self, other: "Interval") -> "Interval":
        """The product of two figures that are not negative, end by end: at least as wide as it is."""
        return Interval(*(mine * theirs for mine, theirs in zip(self, other, strict=True)))

    @classmethod
    def of(cls, bounds: Bounds) -> "Interval":
        """The inverse of `bounds`."""
        return cls(bounds["estimate"], bounds["low"], bounds["high"])


@lru_cache(maxsize=4096)
def unique_interval(m: int, rate: float, tail: float = 0.025) -> Interval:
    """How many distinct items there are when `m` of them fell into a hash sample of this rate.

    m is Binomial(U, rate) with U unknown. From 50 sampled items on m/s ± 1.96 sqrt(m(1-s))/s;
    below, the U that put at least `tail` on either side of m (Clopper and Pearson 1934, inverted
    for the number of trials). U is never below m.
    """
    if m < 0 or not 0 < rate <= 1:
        raise ValueError(f"{m} items sampled at rate {rate} cannot be")
    if rate == 1:
        return Interval(float(m), float(m), float(m))
    estimate = m / rate
    if m >= FEW:
        half = Z * math.sqrt(m * (1 - rate)) / rate
        return Interval(estimate, max(float(m), estimate - half), estimate + half)
    low = 0 if m == 0 else _first(lambda u: at_least(m, u, rate) >= tail, m)
    high = _first(lambda u: 1 - at_least(m + 1, u, rate) < tail, m) - 1
    return Interval(estimate, float(low), float(high))


def clopper_pearson(k: int, n: int, tail: float = 0.025) -> Interval:
    """Exact interval of a proportion after `k` successes in `n` trials; n = 0 gives [0, 1]."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} successes in {n} trials cannot be")
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    low = 0.0 if k == 0 else _bisect(lambda p: at_least(k, n, p) >= tail)
    high = 1.0 if k == n else _bisect(lambda p: 1 - at_least(k + 1, n, p) < tail)
    return Interval(k / n, low, high)


@lru_cache(maxsize=1024)
def students_t(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t, by its tail I_{v / (v + t^2)}(v / 2, 1 / 2) = .05."""
    tail = _bisect(lambda x: incomplete_beta(x, freedom / 2, 0.5) > 0.05)
    return math.sqrt(freedom * (1 / tail - 1))


def at_least(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) >= k)."""
    if k <= 0:
        return 1.0
    return 0.0 if k > n else incomplete_beta(p, k, n - k + 1)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1].

    By its continued fraction (DLMF 8.17.22), evaluated with Lentz's method on the side of the mean
    where it converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x))
    if x <= (a + 1) / (a + b + 2):
        return front / a * _beta_fraction(x, a, b)
    return 1 - front / b * _beta_fraction(1 - x, b, a)


def _beta_fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for index in range(1, 100_000):
        coefficient = _coefficient(index, x, a, b)
        d = 1 + coefficient * d
        c = 1 + coefficient / c
        d = 1 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        value *= c * d
        if abs(c * d - 1) < 1e-14:
            return 1 / value
    raise ArithmeticError(f"the incomplete beta function did not converge at {x}, {a}, {b}")


def _coefficient(index: int, x: float, a: float, b: float) -> float:
    m = index // 2
    scale = x / ((a + index - 1) * (a + index))
    return -(a + m) * (a + b + m) * scale if index % 2 else m * (b - m) * scale


def _first(holds: Callable[[int], bool], start: int) -> int:
    """Smallest integer >= start from which on a monotone condition holds."""
    if holds(start):
        return start
    low, step = start, 1
    while not holds(low + step):
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _bisect(holds: Callable[[float], bool]) -> float:
    """Where in [0, 1] a monotone condition begins to hold, to the precision of a float."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return (low + high) / 2
