"""Reads the seed, and decides what of it is held back.

The outcome stands in the log, hence it is the same whatever happens afterwards: rows are decided on
once, between the entry that adds them and the first `generation_started` after it, and stay held
under every later recipe.
"""

from collections.abc import Sequence

import pyarrow as pa

from seedcorn.core.holdout.clusters import Documents, joined, read_documents
from seedcorn.core.holdout.held import DECIDES, hold_out, undecided
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import HOLDOUT, CorpusState, Source
from seedcorn.core.recipe import Recipe, StoreSpec
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.held_out import grouped_rows, held_of, write_held
from seedcorn.storage.stores.store import Store


def held_back(
    store: Store, state: CorpusState, recipe: Recipe, seeds: Sequence[tuple[Source, Catalogue]]
) -> Measurement | None:
    """What is held back of rows that no generation could draw so far; None where the recipe holds
    nothing back, or there are no such rows. `seeds` are all sources that the next generation draws
    from. Raises SeedError, StoreError."""
    spec, fresh = recipe.ledger.holdout, undecided(state, [source for source, _ in seeds])
    if not spec.share or not fresh:
        return None
    placed = [(source.ordinal, catalogue) for source, catalogue in seeds]
    rule = TextRule.of(rules_of(state))
    documents = read_seed(placed, (store, recipe.store), rule, spec.group)
    rows = [range(source.ordinal, source.ordinal + source.rows) for source in fresh]
    held, figures = hold_out(documents, rows, held_of(store, state.held), spec.share)
    values = {"share": spec.share, "group": spec.group, **figures}
    subject = {DECIDES: [source.sequence for source in fresh]}
    return Measurement(HOLDOUT, subject, values, [write_held(store, held)])


def read_seed(
    seeds: Sequence[tuple[int, Catalogue]],
    stores: tuple[Store, StoreSpec],
    rule: TextRule,
    group: str,
) -> Documents:
    """Every usable row of some sources, each with the ordinal of its first row."""
    parts: list[Documents] = []
    for ordinal, catalogue in seeds:
        for first, piece, groups in grouped_rows(catalogue, *stores, group):
            usable = piece.problems == ""
            words = read_words(*texts_view(piece.texts.filter(pa.array(usable))), rule)
            named = [name for name, use in zip(groups, usable.tolist(), strict=True) if use]
            ordinals = ordinal + first + usable.nonzero()[0]
            parts.append(read_documents(ordinals, words, named if group else None))
    return joined(parts)
