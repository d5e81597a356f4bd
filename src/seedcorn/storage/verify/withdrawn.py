"""Withdrawals held against the rows: every id exists, is counted once, and its sketch is its texts.

Fed batch by batch while `verify` reads the shards, so that no text is read twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.ledger.withdrawal import withdrawn_delta
from seedcorn.core.log.entries import Entry, Withdrawn
from seedcorn.core.sketch.sketch import COLUMNS, Delta, combine
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.stores.parquet_objects import table_of
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.rows import read_object

PARTS = 64
"""Deltas held before they are combined."""


@dataclass(slots=True)
class _Withdrawal:
    """One `withdrawn` entry: what it says, and what the rows have shown so far."""

    sequence: int
    body: Withdrawn
    delta: Delta | None
    samples: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    unique: dict[str, dict[str, float]] = field(default_factory=dict)
    parts: list[Delta] = field(default_factory=list)


class WithdrawalProof:
    """All withdrawals of a corpus."""

    def __init__(self, store: Store, entries: Sequence[Entry], rule: TextRule | None) -> None:
        """Reads ids and sketches; raises CorruptCorpus when an id is withdrawn twice. `rule` is how
        texts are read; None takes sketches on trust."""
        self._rule = rule
        self._taken: list[_Withdrawal] = []
        self._by_id: dict[str, int] = {}
        for entry in entries:
            if isinstance(entry.body, Withdrawn):
                self._read(store, entry.sequence, entry.body)

    @property
    def samples(self) -> int:
        """Samples withdrawn by all entries."""
        return len(self._by_id)

    def add(self, table: pa.Table, rows: BatchRows, strata: Sequence[str]) -> None:
        """One committed batch."""
        if not self._by_id:
            return
        picked: dict[int, list[int]] = {}
        for position, (name, outcome) in enumerate(zip(rows.sample_id, rows.outcome, strict=True)):
            number = self._by_id.get(name)
            if number is None or outcome != "accepted":
                continue
            taken = self._taken[number]
            generation = str(rows.generation[position])
            taken.samples[generation] += 1
            taken.tokens[generation] += rows.completion_tokens[position]
            unique = rows.unique_tokens[position] if rows.unique_tokens else None
            if unique is not None:
                found, stratum = taken.unique.setdefault(generation, {}), rows.stratum[position]
                found[stratum] = found.get(stratum, 0.0) + unique
            picked.setdefault(number, []).append(position)
        for number, positions in picked.items():
            self._learn(self._taken[number], table, positions, strata)

    def settle(self) -> None:
        """All batches were added: raises CorruptCorpus for the first entry that is wrong."""
        for taken in self._taken:
            found = {
                generation: {"samples": samples, "tokens": taken.tokens[generation]}
                for generation, samples in taken.samples.items()
            }
            if found != taken.body.counts:
                raise CorruptCorpus(
                    f"log entry {taken.sequence} withdraws {taken.body.counts}; of the ids it "
                    f"names, the shards hold {found} as accepted samples"
                )
            if taken.delta is not None and not _same(taken.delta, combine(taken.parts)):
                raise CorruptCorpus(
                    f"log entry {taken.sequence}: the sketch is not that of the withdrawn texts"
                )
            if taken.unique != taken.body.unique:
                raise CorruptCorpus(
                    f"log entry {taken.sequence} withdraws {taken.body.unique} unique tokens; its "
                    f"samples had brought {taken.unique}"
                )

    def _read(self, store: Store, sequence: int, body: Withdrawn) -> None:
        ids = table_of(read_object(store, body.ids))["sample_id"].to_pylist()
        if len(ids) != body.ids.rows:
            raise CorruptCorpus(
                f"{body.ids.key} holds {len(ids)} rows, the log says {body.ids.rows}"
            )
        wanted = body.sketch if self._rule is not None else None
        delta = read_delta(store, wanted) if wanted is not None else None
        number = len(self._taken)
        self._taken.append(_Withdrawal(sequence, body, delta))
        for name in ids:
            if self._by_id.setdefault(name, number) != number:
                raise CorruptCorpus(
                    f"log entry {sequence} withdraws {name}, which was withdrawn before"
                )

    def _learn(
        self, taken: _Withdrawal, table: pa.Table, positions: list[int], strata: Sequence[str]
    ) -> None:
        if taken.delta is None or self._rule is None:
            return
        part = table.take(pa.array(positions))
        numbers = [strata.index(name) for name in part["stratum"].to_pylist()]
        words = read_words(*texts_view(part["text"]), self._rule)
        delta = withdrawn_delta(words, numbers, taken.delta.rate)
        taken.parts.append(delta)
        if len(taken.parts) >= PARTS:
            taken.parts = [combine(taken.parts)]


def _same(stored: Delta, found: Delta) -> bool:
    """Equal in everything but `first`, which orders documents of one batch only."""
    names = [name for name in COLUMNS if name != "first"]
    return len(stored) == len(found) and all(
        np.array_equal(getattr(stored, name), getattr(found, name)) for name in names
    )
