"""ΔA: what text teaches the additive model about an anchor that its history has not.

One half of the anchor tunes, the other is scored, both ways round; old and mixed model are tuned
alike. Invariant: counts decide, so a copy of the history adds what is there already and gains
nothing beyond what tuning on one half and scoring on the other costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.intervals import Interval
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.model import Fit, base, gathered, token_bits, tune
from seedcorn.core.teaching.table import Counts

ORDERS = 3
"""Words per n-gram of the scores."""
RESAMPLES = 1000
BEST = 0.01
"""Share of the anchor's documents that must not carry more than a third of a gain."""
_MU = 100.0


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a text taught: bits saved per document of the anchor, [d]."""

    anchor: Anchor
    bits: NDArray[np.float64]

    @property
    def per_byte(self) -> float:
        """ΔA in bits per byte."""
        return float(self.bits.sum() / self.anchor.sizes.sum())

    @property
    def interval(self) -> Interval:
        """ΔA with the 95 % interval of 1000 resamples of the anchor's clusters."""
        drawn = resamples(self.anchor)
        saved = drawn @ self.anchor.cluster_sums(self.bits)
        low, high = np.quantile(saved / cluster_bytes(self.anchor, drawn), [0.025, 0.975])
        return Interval(self.per_byte, float(low), float(high))

    @property
    def trimmed(self) -> float:
        """ΔA without the best 1 % of the anchor's documents."""
        left = np.argsort(self.bits, kind="stable")[: -max(1, round(BEST * len(self.bits)))]
        return float(self.bits[left].sum() / max(1, self.anchor.sizes[left].sum()))


class Teacher:
    """A history, ready to be taught: seed first, then each earlier generation with its own weight.

    Making one takes about .1 s per 100,000 words of the anchor and source, each lesson as much.
    """

    def __init__(self, anchor: Anchor, history: Sequence[Counts], orders: int = ORDERS) -> None:
        """`history`: the seed's counts, then those of every earlier generation."""
        self.anchor = anchor
        self._orders = orders
        self._below = base(anchor, history[0])
        self._known = np.stack([gathered(anchor, counts, orders) for counts in history])
        owner = np.repeat(anchor.half, np.diff(anchor.offsets))
        self._rows = [np.flatnonzero(owner == half) for half in (0, 1)]
        start = Fit(np.full(orders, _MU), np.ones(len(history)))
        self._old = [self._tuned(self._known, half, start) for half in (0, 1)]
        self._bits = self._scored(self._known, self._old)

    def lesson(self, text: Counts) -> Learnt:
        """What the text teaches beyond the history."""
        known = np.concatenate([self._known, gathered(self.anchor, text, self._orders)[None]])
        fits = [
            self._tuned(known, half, Fit(old.mu, np.append(old.weights, 1.0)))
            for half, old in enumerate(self._old)
        ]
        return Learnt(self.anchor, self._by_document(self._bits - self._scored(known, fits)))

    def _tuned(self, known: NDArray[np.float64], half: int, start: Fit) -> Fit:
        rows = self._rows[half]
        return tune(self._below[rows], np.ascontiguousarray(known[:, rows]), start)

    def _scored(self, known: NDArray[np.float64], fits: Sequence[Fit]) -> NDArray[np.float64]:
        """Bits per word; each half under the parameters of the other."""
        bits = np.empty(known.shape[1])
        for half, rows in enumerate(self._rows):
            part = np.ascontiguousarray(known[:, rows])
            bits[rows] = token_bits(self._below[rows], part, fits[1 - half])
        return bits

    def _by_document(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        running = np.concatenate([[0.0], np.cumsum(bits)])
        return np.diff(running[self.anchor.offsets])


def resamples(anchor: Anchor, seed: int = 0) -> NDArray[np.int64]:
    """[1000, clusters]: how often each cluster is drawn in each resample (Efron 1979)."""
    clusters = int(anchor.clusters.max()) + 1
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=RESAMPLES)


def cluster_bytes(anchor: Anchor, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """[1000]: bytes of the anchor in every resample."""
    return np.maximum(drawn @ anchor.cluster_sums(anchor.sizes.astype(np.float64)), 1.0)
