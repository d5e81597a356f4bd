"""W: what 100 words of a text taught, in words of fresh real text that would teach as much.

Both sides at the same size, against the same history, each less a placebo of that size: documents of
the history itself. Invariant: never clipped and never extrapolated; a yardstick that teaches nothing
gives no figure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.intervals import Interval
from seedcorn.core.teaching.gain import RESAMPLES, Learnt, cluster_bytes, resamples


@dataclass(frozen=True)
class Side:
    """Lessons of the blocks of one text."""

    lessons: Sequence[Learnt]
    share: float
    """Words of a block over words of the text it was drawn from: at most a half says how far a
    block may be from the whole."""

    def taught(self, drawn: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """[resamples]: bits that a block teaches about the anchor's clusters as they were drawn.

        Blocks are parts of one sample. The mean of B of them differs from that of the source by a
        variance of (share / (1 - share) + 1 / B) times that of one block around the mean.
        """
        sums = self.lessons[0].anchor.cluster_sums(np.stack([one.bits for one in self.lessons]))
        saved = drawn @ sums.T
        mean = saved.mean(axis=1)
        picked = saved[np.arange(len(drawn)), rng.integers(len(self.lessons), size=len(drawn))]
        share = min(self.share, 0.5)
        return mean + math.sqrt(share / (1 - share) + 1 / len(self.lessons)) * (picked - mean)

    @property
    def per_byte(self) -> float:
        """Mean ΔA of the blocks."""
        return float(np.mean([lesson.per_byte for lesson in self.lessons]))


def worth(generation: Side, yardstick: Side, placebo: Side, seed: int = 0) -> Interval | None:
    """W with its 95 % interval: 1000 resamples of anchor clusters, the same draw for all three, and
    of the blocks of each. None where the yardstick does not surely teach more than the placebo."""
    anchor = generation.lessons[0].anchor
    rng = np.random.default_rng([seed, RESAMPLES])
    drawn = resamples(anchor, seed)
    sides = (generation, yardstick, placebo)
    new, fresh, none = (side.taught(drawn, rng) / cluster_bytes(anchor, drawn) for side in sides)
    if np.quantile(fresh - none, 0.025) <= 0:
        return None
    low, high = np.quantile(100 * (new - none) / (fresh - none), [0.025, 0.975])
    return Interval(ratio(generation, yardstick, placebo), float(low), float(high))


def ratio(generation: Side, yardstick: Side, placebo: Side) -> float:
    """W without its interval."""
    none = placebo.per_byte
    return 100 * (generation.per_byte - none) / (yardstick.per_byte - none)
