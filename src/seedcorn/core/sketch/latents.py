"""Latent instances: what a constructed sample is about, whatever words it is told in.

Shingles count renderings; of ten tellings of one calculation only the first brought a new instance.
A check that understands its task gives each answer a canonical form z, and the ledger counts
distinct z as it counts distinct shingles. Invariant: a function of text and checks alone.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from seedcorn.core.checks import Check
from seedcorn.core.identity import uint64
from seedcorn.core.text.shingles import ALL, Shingles


@runtime_checkable
class Constructed(Protocol):
    """A check whose task has instances."""

    def latent(self, answer: str) -> bytes | None:
        """The canonical form of what the answer is about; None where there is none."""
        ...


def latent_hashes(
    texts: Sequence[str], checks: Sequence[Check], limit: int = ALL
) -> Shingles | None:
    """At most one hash below `limit` per text, as if z were its only shingle.

    None where no check of the recipe knows instances. With several such checks, z is what all of
    them together say.
    """
    knowing = [check for check in checks if isinstance(check, Constructed)]
    if not knowing:
        return None
    found = [_hash(text, knowing) for text in texts]
    kept = [value is not None and value < limit for value in found]
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    hashes = [value for value, keep in zip(found, kept, strict=True) if keep]
    return Shingles(np.array(hashes, np.uint64), offsets)


def _hash(text: str, checks: Sequence[Constructed]) -> int | None:
    forms = [check.latent(text) for check in checks]
    known = [form for form in forms if form is not None]
    # The largest value marks a free slot in the tables, as it does for shingles.
    return min(uint64("latent", *known), 2**64 - 2) if known else None
