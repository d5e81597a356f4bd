"""Sketches held against the texts they were made from."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from seedcorn.core.checks import build
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.entries import BatchCommitted, Entry
from seedcorn.core.rule_numbers import group_size
from seedcorn.core.sketch.latents import latent_hashes
from seedcorn.core.sketch.sketch import COLUMNS, LATENT, LENGTHS, Delta, batch_delta, limit, thin
from seedcorn.core.text.shingles import shingles_many
from seedcorn.core.text.words import TextRule
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.core.verify.rechecking import Grown
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.stores.store import Store


def highest_rate(entries: Iterable[Entry]) -> float:
    """That any batch was sampled at."""
    bodies = (entry.body for entry in entries)
    return max((b.sketch_rate for b in bodies if isinstance(b, BatchCommitted)), default=1.0)


def check_sketch(store: Store, sequence: int, batch: BatchCommitted, found: Delta) -> None:
    """Raise CorruptCorpus where the sketch that an entry names is not `found`."""
    if batch.sketch is None:
        return
    stored = thin(read_delta(store, batch.sketch), batch.sketch_rate)
    for name in COLUMNS:
        if not np.array_equal(getattr(stored, name), getattr(found, name)):
            raise CorruptCorpus(
                f"log entry {sequence}: {batch.sketch.key} is not the sketch of its batch's texts "
                f"({name} differs); what the ledger says of it is wrong"
            )


def sketch_of(table: pa.Table, rows: BatchRows, grown: Grown, rate: float) -> Delta:
    """The sketch of a batch, from its texts."""
    recipe, rules = grown
    view = texts_view(table["text"])
    shingles = shingles_many(*view, TextRule.of(rules), LENGTHS, limit(rate))
    accepted = np.array([outcome == "accepted" for outcome in rows.outcome], bool)
    passed = accepted | np.array([outcome == "duplicate" for outcome in rows.outcome], bool)
    texts = zip(rows.text, passed, strict=True)
    counted_texts = [text if counts else "" for text, counts in texts]
    checks = build(recipe.checks, rules)
    if (latent := latent_hashes(counted_texts, checks, limit(rate))) is not None:
        shingles[LATENT] = latent
    strata = [prompt.name for prompt in recipe.prompts]
    numbers = np.array([strata.index(name) for name in rows.stratum], np.uint8)
    size = group_size(rules, recipe.samples_per_prompt)
    group = np.array(rows.index, np.int64) // size if size > 1 else None
    return batch_delta(shingles, accepted, passed, numbers, rate, group)
