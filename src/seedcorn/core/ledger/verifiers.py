"""What verification can and cannot add: bits, true and false content, the value of repeats.

Invariant: every figure is a closed form of counts and rates that the log or an audit holds; none
reads texts.
"""

import math

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.intervals import Interval

REPEATS = 15.387756
"""R*: epochs after which repeated text is worth little (Muennighoff et al. 2023)."""


def information_budget(decisions: int, accepted: int) -> float:
    """Bits that N accept or reject decisions can have carried: at most N h(a), a = accepted/N.

    A closed loop of model and verifier gains no more than that from outside.
    """
    if not 0 <= accepted <= decisions:
        raise ValueError(f"{accepted} accepted of {decisions} decisions cannot be")
    return decisions * binary_entropy(accepted / decisions) if decisions else 0.0


def binary_entropy(p: float) -> float:
    """h(p) in bits."""
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


def unique_true(
    chances: NDArray[np.float64], samples: int, correct: float, accepts_right: float
) -> float:
    """E of the distinct true facts accepted in N samples: sum of 1 - (1 - p_i c tau)^N.

    `chances` [V]: p_i, how often a sample is about fact i; c: share of samples that are right; tau:
    share of right ones that the verifier accepts.
    """
    return _collected(chances * correct * accepts_right, samples)


def unique_false(
    chances: NDArray[np.float64], samples: int, correct: float, accepts_wrong: float, wrong: int
) -> float:
    """E of the distinct false statements accepted: w sum of 1 - (1 - p_i (1-c) phi / w)^N.

    Every fact has `wrong` equally likely mistakes; phi: share of wrong samples accepted. True facts
    collide and mistakes do not, so the unique part of a corpus is less true than its samples.
    """
    return wrong * _collected(chances * (1 - correct) * accepts_wrong / wrong, samples)


def adjusted_unique(unique: Interval, precision: Interval) -> tuple[float, float]:
    """U*: unique and true, [U_lo pi_lo, U_hi pi_hi].

    Both intervals at 97.5 % give at least 95 % together (Bonferroni). `precision` is that of unique
    fingerprints; that of samples must not multiply U.
    """
    return unique.low * precision.low, unique.high * precision.high


def worth_of_repeats(unique: float, epochs: float) -> float:
    """D' in tokens: what `epochs` passes over U unique tokens are worth, as an optimistic cap.

    U + U R* (1 - e^(-R/R*)) with R = epochs - 1 repeats (Muennighoff et al. 2023, equation 5).
    """
    if epochs < 1:
        raise ValueError(f"{epochs} epochs: give at least 1")
    return unique + unique * REPEATS * -math.expm1(-(epochs - 1) / REPEATS)


def _collected(chances: NDArray[np.float64], samples: int) -> float:
    return float(-np.expm1(samples * np.log1p(-chances)).sum())
