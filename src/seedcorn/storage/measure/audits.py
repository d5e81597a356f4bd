"""Drawing an audit from a corpus: unique fingerprints in hash order, and who brought each first.

Invariant: a draw is a function of the log up to an entry, generation, stratum and size, so that a
file of verdicts can be checked against the draw that it answers. Memory is a thin sample of the
history and one shard at a time; what is read again are the log's sketches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus, ObjectMissing
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import BatchCommitted, Entry
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState
from seedcorn.core.measure.audits import AuditDraw, AuditError, Question, first_holders
from seedcorn.core.rule_numbers import group_size
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE
from seedcorn.core.text.shingles import shingles
from seedcorn.core.text.words import TextRule
from seedcorn.storage.log.log import Head, LogReader
from seedcorn.storage.log.reading import read_deltas
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store

SPARE = 16
"""Times the fingerprints asked for that the first, thin pass over the sketches expects to see."""
FINER = 8
"""Times the sample rate of a pass that saw too few, for the next one."""
_COLUMNS = ["sample_id", "stratum", "text", "index"]
Drawn = tuple[str, str, str, int]
"""(id, stratum, text, number of its prompt) of a document."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to draw. `generation` None: the last one that accepted anything."""

    generation: int | None
    stratum: str
    fingerprints: int


def new_draw(store: Store, asked: Asked) -> tuple[AuditDraw, list[Question]]:
    """Draw from the corpus as it is; raises AuditError where there is nothing to draw from."""
    state, head = _folded(store)
    generation = _last(store, state) if asked.generation is None else asked.generation
    draw = AuditDraw(generation, asked.stratum, asked.fingerprints, head.sequence, head.previous)
    questions = _questions(store, state, draw)
    if not questions:
        of = f"stratum {draw.stratum!r} of " if draw.stratum else ""
        raise AuditError(f"{of}generation {generation} has nothing unique to audit")
    return draw, questions


def drawn_again(store: Store, draw: AuditDraw, where: str) -> list[Question]:
    """The questions of an earlier draw; raises AuditError where it was not made from this corpus,
    naming the samples that were withdrawn since."""
    state, head = _folded(store, draw.entries)
    if head != Head(draw.entries, draw.chain):
        raise AuditError(f"{where} was drawn from another corpus than {store.uri}")
    questions = _questions(store, state, draw)
    refuse_withdrawn(questions, withdrawn_ids(store, _folded(store)[0]), where)
    return questions


def refuse_withdrawn(questions: Sequence[Question], gone: frozenset[str], where: str) -> None:
    """Raise AuditError where samples of a draw were withdrawn after it."""
    stale = [question.id for question in questions if question.id in gone]
    if stale:
        raise AuditError(
            f"{where} is stale: {len(stale)} of its samples were withdrawn since, such as "
            f"{stale[0]}; draw a new audit"
        )


def _folded(store: Store, until: int | None = None) -> tuple[CorpusState, Head]:
    state, reader = CorpusState(), LogReader(store)
    for entry in _entries(reader, until):
        state.apply(entry)
    if state.sequence == 0:
        raise ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")
    return state, reader.head


def _entries(reader: LogReader, until: int | None) -> Iterator[Entry]:
    """Entries of the log up to number `until`."""
    for entry in reader:
        yield entry
        if reader.head.sequence == until:
            return


def _last(store: Store, state: CorpusState) -> int:
    numbers = [number for number, capacity in state.standing.items() if capacity.accepted]
    if not numbers:
        raise AuditError(f"{store.uri} has no accepted sample yet")
    return max(numbers)


def _questions(store: Store, state: CorpusState, draw: AuditDraw) -> list[Question]:
    """The documents of the first `draw.fingerprints` fingerprints, in order of their first one.

    A first pass at a thin sample rate usually sees enough; every further one looks closer.
    """
    if draw.generation not in state.standing:
        gone = ": it was abandoned" if draw.generation in state.abandoned else ""
        raise AuditError(f"{store.uri} has no generation {draw.generation}{gone}")
    names = [prompt["name"] for prompt in state.generations[draw.generation].recipe["prompts"]]
    if draw.stratum and draw.stratum not in names:
        known = ", ".join(names)
        raise AuditError(
            f"generation {draw.generation} has no stratum {draw.stratum!r}; it has {known}"
        )
    search = _Search(store, draw, names, state)
    rate = search.coarsest_rate(state)
    while True:
        found, finest = search.found(rate)
        if len(found) >= draw.fingerprints or finest:
            return _grouped(found[: draw.fingerprints])
        rate = min(1.0, rate * FINER)


def _grouped(found: Sequence[Drawn]) -> list[Question]:
    documents: dict[Drawn, list[int]] = {}
    for rank, document in enumerate(found):
        documents.setdefault(document, []).append(rank)
    return [
        Question(name, stratum, text, tuple(ranks), group)
        for (name, stratum, text, group), ranks in documents.items()
    ]


class _Search:
    """Finds unique fingerprints of one generation, and their first documents that still count."""

    def __init__(
        self, store: Store, draw: AuditDraw, names: Sequence[str], state: CorpusState
    ) -> None:
        self._store, self._draw, self._gone = store, draw, withdrawn_ids(store, state)
        self._abandoned = state.abandoned.keys()
        self._rule = TextRule.of(rules_of(state))
        self._number = names.index(draw.stratum) if draw.stratum else None
        self._batches: list[BatchCommitted] = []
        of = state.generations[draw.generation]
        self._group = group_size(of.rules, int(of.recipe.get("samples_per_prompt", 1)))

    def coarsest_rate(self, state: CorpusState) -> float:
        """A rate at which a text that is wholly new would show `SPARE` times what is asked for."""
        rows = state.generations[self._draw.generation].accepted
        return min(1.0, SPARE * self._draw.fingerprints / max(1, rows))

    def found(self, rate: float) -> tuple[list[Drawn], bool]:
        """The first document of each fingerprint at this sample rate, in
        hash order, as many as were asked for; and whether a higher rate would show no more."""
        hashes, capacity = self._unique(rate)
        found: list[Drawn] = []
        step = self._draw.fingerprints
        for start in range(0, len(hashes), step):
            found += self._first_documents(hashes[start : start + step])
            if len(found) >= step:
                break
        return found, capacity < rate or rate == 1

    def _unique(self, rate: float) -> tuple[NDArray[np.uint64], float]:
        """Novel hashes that withdrawals left, ascending, and the rate they were sampled at."""
        generation = self._draw.generation
        ledger = Ledger(history=History(rate=rate), abandoned=self._abandoned)
        self._batches = []
        for entry in _entries(LogReader(self._store), self._draw.entries):
            ledger.apply(entry, read_deltas(self._store, entry))
            body = entry.body
            if isinstance(body, BatchCommitted) and body.generation == generation:
                self._batches.append(body)
        row = next(row for row in ledger.rows() if row.generation == generation)
        if row.unknown:
            raise AuditError(f"what generation {generation} added is unknown: {row.unknown}")
        columns = ledger.history.snapshot()
        of = {n: columns[f"{HEADLINE}.{n}"] for n in ("key", "first", "strata")}
        left = columns[f"{HEADLINE}.accepted"] > columns[f"{HEADLINE}.withdrawn"]
        # The moment of samples accepted in generation g is 2g, see core/sketch/shingle_table.py.
        mine = left & (of["first"] == 2 * generation)
        if self._number is not None:
            mine &= (of["strata"] >> np.uint64(self._number)) & np.uint64(1) == 1
        return of["key"][mine], ledger.history.rate

    def _first_documents(self, hashes: NDArray[np.uint64]) -> list[Drawn]:
        """One document per hash; none where every holder in this generation was withdrawn."""
        holders: dict[int, Drawn] = {}
        wanted = hashes
        for batch in self._batches:
            here = wanted[np.isin(wanted, self._hashes_of(batch))]
            if len(here):
                holders |= self._in_batch(batch, here)
            wanted = np.array([h for h in wanted.tolist() if h not in holders], np.uint64)
            if not len(wanted):
                break
        return [holders[h] for h in hashes.tolist() if h in holders]

    def _hashes_of(self, batch: BatchCommitted) -> NDArray[np.uint64]:
        """Hashes that accepted samples of a batch hold, by its sketch."""
        if batch.sketch is None:
            return np.empty(0, np.uint64)
        delta = read_delta(self._store, batch.sketch)
        rows = delta.rows(HEADLINE)
        kept = delta.accepted[rows] > 0
        if self._number is not None:
            kept &= delta.stratum[rows] == self._number
        return delta.hash[rows][kept]

    def _in_batch(self, batch: BatchCommitted, hashes: NDArray[np.uint64]) -> dict[int, Drawn]:
        """The first accepted sample in plan order that holds each hash and still counts."""
        table = pa.concat_tables([read_shard(self._store, ref, _COLUMNS) for ref in batch.data])
        ids, strata = table["sample_id"].to_pylist(), table["stratum"].to_pylist()
        asked = self._draw.stratum
        own = [not asked or stratum == asked for stratum in strata]
        kept = [mine and name not in self._gone for mine, name in zip(own, ids, strict=True)]
        rows = table.filter(pa.array(kept, pa.bool_()))
        first = first_holders(hashes, shingles(*texts_view(rows["text"]), self._rule, HEADLINE))
        if np.any(first < 0) and sum(kept) == sum(own):
            raise CorruptCorpus(
                f"generation {batch.generation}, batch {batch.batch}: its shards lack shingles "
                "that its sketch counts"
            )
        documents = [
            (one["sample_id"], one["stratum"], one["text"], one["index"] // self._group)
            for one in rows.to_pylist()
        ]
        return {
            key: documents[row]
            for key, row in zip(hashes.tolist(), first.tolist(), strict=True)
            if row >= 0
        }
