"""What happens to a source that is fed its own output, where algebra knows the answer.

The ledger is tested against these. Invariant: every function is
an exact expectation under the stated model, not a fit.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def heterozygosity_replaced(start: float, draws: int, generation: int) -> float:
    """E[1 - sum p^2] after g refits of a word distribution to `draws` of its own samples.

    Each generation replaces the one before: h_0 (1 - 1/N)^g (Wright 1931; Fisher 1930: random
    drift with 2N = `draws` genes).
    """
    return start * (1 - 1 / draws) ** generation


def heterozygosity_accumulated(start: float, draws: int, generation: int) -> float:
    """E[1 - sum p^2] where every generation joins the pool that the next is fitted to.

    h_0 times the product over i of 1 - 1/(N (i+1)^2): N new draws from a pool of iN make a share
    1/(i+1) of the next one. The pool starts with N real draws, whose heterozygosity is h_0.
    """
    return start * math.prod(1 - 1 / (draws * (i + 1) ** 2) for i in range(1, generation + 1))


def variance_replaced(samples: int, generation: int) -> float:
    """E[sigma^2_g] / sigma^2 of a Gaussian refitted to `samples` of its own: (1 - 1/n)^g.

    Maximum likelihood variance, each generation replaces the one before (Shumailov et al. 2024
    describe the collapse; the expectation is that of a biased variance estimate, g times).
    """
    return (1 - 1 / samples) ** generation


def variance_accumulated(samples: int, generation: int) -> float:
    """E[sigma^2_g] / sigma^2 where the fit of g sees the samples of all generations before it.

    The product over i <= g of 1 - 1/(n i^2); g = 1 is the fit to real data. Its limit is
    sin(pi/sqrt(n)) / (pi/sqrt(n)) > 0 (Euler's product; Kazdan et al. 2024 for the model).
    """
    return math.prod(1 - 1 / (samples * i**2) for i in range(1, generation + 1))


def regression_error_replaced(noise: float, width: int, rows: int, generation: int) -> float:
    """E of the test error above the noise after g refits of a linear model to its own labels.

    g s^2 d / (T - d - 1) for Gaussian inputs, redrawn for every fit, and label noise of variance
    s^2 = `noise` (Dohmatob et al. 2024; Gerstgrasser et al. 2024).
    """
    return generation * noise * width / (rows - width - 1)


def regression_error_bound(noise: float, width: int, rows: int) -> float:
    """What that error stays below for ever where generations accumulate: pi^2/6 of one fit's."""
    return math.pi**2 / 6 * noise * width / (rows - width - 1)


def new_types(
    chances: NDArray[np.float64], before: int, after: int, known: NDArray[np.bool_] | None = None
) -> float:
    """E of the types that occur in draws `before` + 1 to `after` and neither earlier nor in the seed.

    `chances`: [V] probability of every type in one draw; `known`: [V] types the seed holds. The sum
    of (1 - p)^before - (1 - p)^after: of a fixed source, and of a closed loop that is never
    refitted, whose total is bounded by what it can recombine.
    """
    p = chances if known is None else chances[~known]
    missed = np.log1p(-p[p < 1])
    return float((np.exp(before * missed) - np.exp(after * missed)).sum()) + (
        float((p == 1).sum()) if before == 0 < after else 0.0
    )


def template_instances(instances: int, draws: int) -> float:
    """E of the distinct instances that a uniform template of S `instances` shows in n draws.

    S (1 - (1 - 1/S)^n): the coupon collector's curve.
    """
    return -instances * math.expm1(draws * math.log1p(-1 / instances)) if instances > 1 else 1.0


def template_saturation(instances: int, batch: int, below: float) -> int:
    """Number, from 0, of the first batch of samples that is expected to bring fewer than `below`
    new instances of a uniform template."""
    number = 0
    while _template_yield(instances, batch, number) >= below:
        number += 1
    return number


def pitman_yor_types(draws: int, discount: float, concentration: float) -> float:
    """E[K_n] of a Pitman-Yor stream: distinct types in n draws (Pitman 2006, section 3.3).

    G(t+n+a) G(t+1) / (a G(t+n) G(t+a)) - t/a for discount a in (0, 1) and concentration t > -a; it
    grows as n^a, as Heaps' law says of text.
    """
    a, t, n = discount, concentration, draws
    logs = math.lgamma(t + n + a) + math.lgamma(t + 1) - math.lgamma(t + n) - math.lgamma(t + a)
    return math.exp(logs) / a - t / a


def breaking_noise(accepts_right: float, accepts_wrong: float) -> float:
    """Share of wrong labels p* beyond which a learner on accepted data learns the wrong answer.

    a_1 / (a_1 + a_0): accepted wrong labels outnumber right ones where p a_0 > (1 - p) a_1. Without
    a verifier (a_1 = a_0) it is 1/2 (Feng et al. 2024; Angluin and Laird 1988 for 1/2).
    """
    return accepts_right / (accepts_right + accepts_wrong)


def accepted_noise(noise: float, accepts_right: float, accepts_wrong: float) -> float:
    """Share of wrong labels among accepted samples."""
    wrong, right = noise * accepts_wrong, (1 - noise) * accepts_right
    return wrong / (wrong + right)


def heterozygosity(counts: Sequence[int] | NDArray[np.int64]) -> float:
    """1 - sum p^2 of a distribution given as counts: the chance that two draws differ."""
    p = np.asarray(counts, np.float64)
    return float(1 - ((p / p.sum()) ** 2).sum())


def _template_yield(instances: int, batch: int, number: int) -> float:
    before = template_instances(instances, number * batch)
    return template_instances(instances, (number + 1) * batch) - before
