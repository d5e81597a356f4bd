"""What the finished corpus must be: the promises held against a sequential reference.

The reference is one pass in rank order with a plain map, over the texts that the log committed.
"""

import json
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from seedcorn.core.identity import sample_id
from seedcorn.core.log.entries import BatchCommitted, SeedAdded, decode
from seedcorn.core.log.layout import DATA, DROPPED, STAGING
from seedcorn.core.text.fingerprint import similarity
from tests.faults.simulation.auditor import Auditor
from tests.faults.simulation.processes.driver import seed_entry
from tests.faults.simulation.samples import Row, keys_of, signature_of
from tests.faults.simulation.samples import decode as rows_of
from tests.faults.simulation.weather import Plan
from tests.faults.simulation.world import World

THRESHOLD = np.float32(0.7)


class Kept(NamedTuple):
    """A document that others may repeat."""

    generation: int
    """0: a seed document."""
    name: str
    text: int


class Reference:
    """Greedy by rank, one document after the other."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._owners: dict[int, int] = {}

    def add(self, document: Kept) -> None:
        """Keep it, whatever it repeats."""
        for key in _keys(document.text):
            self._owners.setdefault(key, len(self._kept))
        self._kept.append(document)

    def verdict(self, generation: int, text: int) -> tuple[str, str, str]:
        """(outcome, reason, witness) of a candidate."""
        owners = [self._owners.get(key, -1) for key in _keys(text)]
        exact = owners[-1]
        if exact >= 0 and self._kept[exact].text == text:
            return self._repeats("exact", exact, generation)
        for owner in sorted(set(owners) - {-1}):
            if alike(self._kept[owner].text, text) >= THRESHOLD:
                return self._repeats("near", owner, generation)
        return "accepted", "", ""

    def _repeats(self, kind: str, owner: int, generation: int) -> tuple[str, str, str]:
        of = self._kept[owner].generation
        relation = "seed" if of == 0 else "same" if of == generation else "earlier"
        return "duplicate", f"{kind}:{relation}", self._kept[owner].name


@cache
def _keys(text: int) -> tuple[int, ...]:
    return tuple(int(key) >> 12 for key in keys_of(text))


@cache
def alike(left: int, right: int) -> np.float32:
    """Estimated Jaccard similarity of two texts."""
    return similarity(signature_of(left)[None], signature_of(right)[None])[0]


def judge(world: World, plan: Plan, auditor: Auditor) -> None:
    """Report every promise that the finished corpus breaks."""
    if auditor.state.unfinished is not None or not auditor.state.generations:
        world.violate("liveness", "the last driver ended, and the corpus is not finished")
        return
    reference, texts = Reference(), list[int]()
    for sequence, data in enumerate(auditor.entries):
        body = decode(data, sequence).body
        if isinstance(body, SeedAdded):
            for row, text in enumerate(seed_texts(plan)):
                reference.add(Kept(0, f"docs:{row}", text))
        elif isinstance(body, BatchCommitted):
            texts += _judge_batch(world, auditor, body, reference)
    doubled = [text for text, count in Counter(texts).items() if count > 1]
    if doubled:
        world.violate("P8", f"texts {doubled} were accepted more than once")
    _judge_counts(world, auditor)


def seed_texts(plan: Plan) -> list[int]:
    """Of the seed documents."""
    return json.loads(seed_entry(plan, 0).catalogue["texts"])


def _judge_batch(
    world: World, auditor: Auditor, body: BatchCommitted, reference: Reference
) -> list[int]:
    rows = _rows(auditor, body)
    where = f"batch {body.batch} of generation {body.generation}"
    wanted = list(range(body.first_index, body.last_index + 1))
    if [row.index for row in rows] != wanted:
        world.violate("P2", f"{where} holds samples {[r.index for r in rows]}, not {wanted}")
    counted = Counter(row.outcome for row in rows)
    if any(counted[name] != count for name, count in body.counts.items()):
        world.violate("P3", f"{where} holds {dict(counted)}, its entry says {body.counts}")
    fingerprint = auditor.state.generations[body.generation].fingerprint
    for row in rows:
        _judge_row(world, auditor, (body.generation, where), row, reference)
        if row.outcome == "accepted":
            name = sample_id(fingerprint, body.generation, row.index)
            reference.add(Kept(body.generation, name, row.text))
    return [row.text for row in rows if row.outcome == "accepted"]


def _judge_row(
    world: World, auditor: Auditor, place: tuple[int, str], row: Row, reference: Reference
) -> None:
    generation, where = place
    found = row.outcome, row.reason, row.witness
    candidate = row.outcome in ("accepted", "duplicate")
    staged = (row.text, "candidate", "") if candidate else (row.text, row.outcome, row.reason)
    if staged not in auditor.staged[generation, row.index]:
        world.violate("P4", f"sample {row.index} in {where} was never staged as {staged}")
    if candidate and found != (expected := reference.verdict(generation, row.text)):
        world.violate("P4", f"sample {row.index} in {where} is {found}, must be {expected}")


def _judge_counts(world: World, auditor: Auditor) -> None:
    """Every planned sample once; no object that the log does not name, none missing."""
    for generation in auditor.state.generations.values():
        rows = [
            row.index
            for ref in (*generation.shards, *generation.dropped)
            for row in rows_of(auditor.objects.get(ref.key, b'{"rows":[]}'))
        ]
        if sorted(rows) != list(range(generation.samples)):
            world.violate("P1", f"generation {generation.number} holds samples {sorted(rows)}")
    left = {key for key in auditor.objects if key.startswith((DATA, DROPPED, STAGING))}
    if left != auditor.named.keys():
        extra, missing = left - auditor.named.keys(), auditor.named.keys() - left
        world.violate("P5", f"after gc: left over {sorted(extra)}, missing {sorted(missing)}")


def corpus_of(auditor: Auditor) -> list[Any]:
    """The corpus as it must be for equal texts: every row, and where each generation ended."""
    found: list[Any] = []
    for sequence, data in enumerate(auditor.entries):
        body = decode(data, sequence).body
        if isinstance(body, BatchCommitted):
            found += [(body.generation, row) for row in _rows(auditor, body)]
    ends = [(g.samples, g.finished) for g in auditor.state.generations.values()]
    return [found, ends]


def _rows(auditor: Auditor, body: BatchCommitted) -> list[Row]:
    rows = [
        row
        for ref in (*body.data, *body.dropped)
        for row in rows_of(auditor.objects.get(ref.key, b'{"rows":[]}'))
    ]
    return sorted(rows, key=lambda row: row.index)
