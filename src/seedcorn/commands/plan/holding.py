"""What a recipe would hold back of its seed, where finding it out takes no longer than a moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.figures import counted
from seedcorn.core.holdout.held import hold_out, shortfall, together
from seedcorn.core.holdout.roles import ROLES
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import Recipe
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.worker.holding_out import read_seed
from seedcorn.storage.seeds.seeds import Catalogue
from seedcorn.storage.stores.store import Store

MOST_READ = 20_000
"""Rows of a seed that are read for it: a few seconds."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of the seed that a new corpus would never draw, and the figures of them; without figures
    where the seed is too large to look."""

    rows: NDArray[np.int64]
    figures: Mapping[str, Any] | None = None


def holding(recipe: Recipe, seeds: Sequence[Catalogue], store: Store) -> Holding:
    """What a new corpus would hold back; raises SeedError."""
    spec, rows = recipe.ledger.holdout, sum(seed.rows for seed in seeds)
    if not spec.share or rows > MOST_READ:
        return Holding(np.zeros(0, np.int64))
    starts = accumulate((seed.rows for seed in seeds), initial=0)
    placed = list(zip(starts, seeds, strict=False))
    rule = TextRule.of(rules_of(CorpusState()))
    documents = read_seed(placed, (store, recipe.store), rule, spec.named)
    held, figures = hold_out(documents, [range(rows)], together([]), spec.share)
    return Holding(held.ordinals, figures)


def holding_lines(recipe: Recipe, found: Holding, rows: int) -> Iterator[str]:
    """How much is held back, and whether that suffices."""
    share, figures = recipe.ledger.holdout.share, found.figures
    if not share:
        return
    if figures is None:
        yield (
            f"held back    about {round(share * rows):,} of {counted(rows, 'row')}; which ones is "
            "found when the corpus is begun"
        )
        return
    roles = ", ".join(
        f"{figures['documents'][role]:,} {role} ({counted(figures['words'][role], 'word')})"
        for role in ROLES
    )
    yield (
        f"held back    {counted(len(found.rows), 'document')} of "
        f"{figures['seed_documents']:,}: {roles}"
    )
    if why := shortfall([figures]):
        yield f"             what a generation teaches will be unknown: {why}"
