"""How much two corpora hold at equal size: distinct fingerprints expected in fewer documents.

Comparing distinct counts of corpora of different size compares their sizes. Rarefaction draws the
larger one down. Invariant: at all documents it returns the count itself, and it never decreases
with the documents kept.
"""

import math

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.intervals import Interval, Z


def rarefied_interval(
    occurrences: NDArray[np.int64],
    documents: int,
    keep: float | int,
    rate: float = 1.0,
    clump: float = 1.0,
) -> Interval:
    """Expected distinct fingerprints in a random subset of `keep` documents, without replacement,
    divided by the sample rate, with a 95 % interval for other draws of the source.

    `occurrences`: [Q_1, Q_2, ...], fingerprints that occur in exactly i of the `documents`; `keep`:
    how many (int), or which share of them (float). Hurlbert 1971 and Shinozaki 1963: the sum of
    Q_i (1 - C(N-i, m)/C(N, m)). Raises ValueError for a subset larger than the whole.

    The unconditional variance of Colwell et al. 2012 (equation 5): sum of (1 - a_i)^2 Q_i less
    S(m)^2 / S, a_i the chance to miss a fingerprint of i documents, S the Chao2 estimate of all
    there are. It treats fingerprints as independent; those of one document are not, so it is
    multiplied by `clump`, the mean number that come together (sum of q_d^2 / sum of q_d).
    """
    found = _found(occurrences, documents, keep)
    expected = float(found @ occurrences)
    if expected == 0:
        return Interval(0.0, 0.0, 0.0)
    everything = _chao2(occurrences, documents)
    variance = float(found**2 @ occurrences) - expected**2 / everything
    half = Z * math.sqrt(clump * max(variance, 0.0)) / rate
    estimate = expected / rate
    return Interval(estimate, max(0.0, estimate - half), estimate + half)


def _found(
    occurrences: NDArray[np.int64], documents: int, keep: float | int
) -> NDArray[np.float64]:
    """[i - 1]: 1 - C(N-i, m)/C(N, m), the chance that a subset has a fingerprint of i documents."""
    m = keep * documents if isinstance(keep, float) else keep
    if not 0 <= m <= documents or len(occurrences) > documents:
        raise ValueError(
            f"{keep} of {documents} documents with fingerprints in up to {len(occurrences)} of them"
        )
    # The ratio is the product of 1 - m/(N - j) over j < i: stable for any N, no factorials.
    j = np.arange(len(occurrences))
    with np.errstate(divide="ignore"):
        return -np.expm1(np.cumsum(np.log1p(-np.minimum(m / (documents - j), 1.0))))


def _chao2(occurrences: NDArray[np.int64], documents: int) -> float:
    """Lower bound of all fingerprints the source holds (Chao 1987, bias-corrected)."""
    once = int(occurrences[0])
    twice = int(occurrences[1]) if len(occurrences) > 1 else 0
    unseen = (documents - 1) / documents * once * (once - 1) / (2 * (twice + 1))
    return float(occurrences.sum()) + unseen
