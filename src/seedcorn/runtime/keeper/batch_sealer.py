"""Seals batches: deduplicate as a whole, in plan order, and write the shards a log entry will name.

Verdicts are a function of texts and plan alone: the index is asked (read-only), the batch is
decided greedily by rank, and only what was kept is inserted. Nothing here exists until the
coordinator's log entry commits it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.checks import Check
from seedcorn.core.dedup.containment import Containment
from seedcorn.core.dedup.decontamination import EvaluationSet, contamination
from seedcorn.core.dedup.dedup import Verdicts, insertions, resolve
from seedcorn.core.dedup.sealing import Ancestry, tags, tally
from seedcorn.core.ledger.alarms import form_of, spaced
from seedcorn.core.ledger.goodput import split
from seedcorn.core.ledger.latents import Constructed, latent_hashes
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.log.layout import ShardName
from seedcorn.core.sketch.sketch import LATENT, LENGTHS, Delta, batch_delta, limit
from seedcorn.core.text.fingerprint import Fingerprints
from seedcorn.core.text.shingles import Shingles, below, shingles_many, subset
from seedcorn.runtime.job import SealRequest
from seedcorn.runtime.keeper.index_client import IndexClient
from seedcorn.storage.log.sketches import write_delta
from seedcorn.storage.samples.batches import read_batch, texts_view, write_accepted, write_dropped
from seedcorn.storage.samples.samples import ENGINE_SECONDS, fingerprints_of
from seedcorn.storage.stores.store import Store


@dataclass(slots=True)
class Verdict:
    """The batch decided: outcome columns of all its rows, and which were accepted."""

    accepted: NDArray[np.bool_]
    verified: NDArray[np.bool_]
    columns: dict[str, list[object]]


class BatchSealer:
    """Seals the batches of one corpus, one after the other."""

    def __init__(
        self,
        store: Store,
        index: IndexClient,
        evaluations: Sequence[EvaluationSet],
        containment: Containment,
        checks: Sequence[Check],
    ) -> None:
        """`index` and `containment` hold everything before the next batch; `checks` of the recipe."""
        self._checks = [check for check in checks if isinstance(check, Constructed)]
        self._store, self._index = store, index
        self._evaluations, self._containment = evaluations, containment

    def seal(
        self, request: SealRequest, ancestry: Ancestry, strata: Sequence[str], rule: "SealRule"
    ) -> tuple[BatchCommitted, Delta]:
        """Write one batch; returns the entry that makes it exist, and its sketch.

        `strata` lists the recipe's branch names; a stratum's number is its place in it.
        """
        first, last = request.first_index, request.last_index
        table, lost = read_batch(self._store, request.segments, first, last)
        candidate = _flags(table, "candidate")
        shingles = shingles_many(*texts_view(table["text"]), LENGTHS, 2**64)
        verdict = self._judge(table, candidate, request, ancestry, rule.threshold, shingles)
        numbers = np.array([strata.index(s) for s in table["stratum"].to_pylist()], np.uint8)
        thinned = {n: below(s, limit(rule.rate)) for n, s in shingles.items()}
        if (latent := self._latent(table, verdict, limit(rule.rate))) is not None:
            thinned[LATENT] = latent
        delta = batch_delta(thinned, verdict.accepted, verdict.verified, numbers, rule.rate)
        kept = subset(shingles[8], verdict.accepted)
        entry = self._write(table, verdict, request, delta, lost, kept)
        return entry, delta

    def _latent(self, table: pa.Table, verdict: Verdict, below: int) -> Shingles | None:
        """Latent instances of the verified rows; other rows count for nothing."""
        texts = table["text"].to_pylist()
        return latent_hashes(
            [
                text if verified else ""
                for text, verified in zip(texts, verdict.verified, strict=True)
            ],
            self._checks,
            below,
        )

    def _judge(
        self,
        table: pa.Table,
        candidate: NDArray[np.bool_],
        request: SealRequest,
        ancestry: Ancestry,
        threshold: float,
        shingles: dict[int, Shingles],
    ) -> Verdict:
        columns: dict[str, list[object]] = {
            name: table[name].to_pylist() for name in ("outcome", "reason", "detail")
        }
        columns |= {"duplicate_of": [None] * len(candidate), "similarity": [None] * len(candidate)}
        clean = candidate.copy()
        for position, detail in contamination(self._evaluations, shingles).items():
            if candidate[position]:
                clean[position] = False
                _set(columns, position, outcome="rejected", reason="contaminated", detail=detail)
        positions = np.flatnonzero(clean)
        rows = table.take(pa.array(positions))
        decided = deduplicate(
            self._index, fingerprints_of(rows), rows["index"].to_numpy(), request, threshold
        )
        self._name_duplicates(columns, positions, decided, request.generation, ancestry)
        accepted = np.zeros(len(candidate), dtype=bool)
        accepted[positions[decided.verdicts.kept]] = True
        for position in np.flatnonzero(accepted):
            columns["outcome"][position] = "accepted"
        return Verdict(accepted, clean, columns)

    def _name_duplicates(
        self,
        columns: dict[str, list[object]],
        positions: NDArray[np.int64],
        decided: "Decided",
        generation: int,
        ancestry: Ancestry,
    ) -> None:
        verdicts = decided.verdicts
        for row in np.flatnonzero(~verdicts.kept):
            ordinal = int(verdicts.witness[row])
            relation, name = ancestry.name(ordinal, decided.labels[ordinal], generation)
            similarity = float(verdicts.similarity[row])
            _set(
                columns,
                int(positions[row]),
                outcome="duplicate",
                reason=f"{'exact' if verdicts.exact[row] else 'near'}:{relation}",
                detail=f"{similarity:.3f} similar to {name}",
                duplicate_of=name,
                similarity=similarity,
            )

    def _write(
        self,
        table: pa.Table,
        verdict: Verdict,
        request: SealRequest,
        delta: Delta,
        lost: float,
        kept: Shingles,
    ) -> BatchCommitted:
        units = (request.generation, request.first_unit, request.last_unit, "")
        tokens = table["completion_tokens"].to_numpy()
        outcomes = [str(value) for value in verdict.columns["outcome"]]
        reasons = [str(reason or "") for reason in verdict.columns["reason"]]
        counts, named, strata = tally(
            outcomes, reasons, table["stratum"].to_pylist(), tokens.tolist()
        )
        data = write_accepted(self._store, table, verdict.accepted, ShardName("data", *units))
        dropped = write_dropped(self._store, table, verdict.columns, ShardName("dropped", *units))
        sketch = write_delta(self._store, delta, delta.rate)
        goodput = split(outcomes, table[ENGINE_SECONDS].to_pylist(), lost)
        return BatchCommitted(
            form=_forms(table, verdict),
            generation=request.generation,
            batch=request.batch,
            first_unit=request.first_unit,
            last_unit=request.last_unit,
            first_index=request.first_index,
            last_index=request.last_index,
            ordinal=request.ordinal,
            counts=counts,
            reasons=named,
            strata=strata,
            tokens={
                "accepted": int(tokens[verdict.accepted].sum()),
                "generated": int(tokens.sum()),
                "prompt": int(table["prompt_tokens"].to_numpy().sum()),
            },
            data=data,
            dropped=dropped,
            sketch=sketch,
            sketch_rate=delta.rate,
            engine_seconds=sum(goodput.values()),
            goodput=goodput,
            containment=self._containment.measure(kept.hashes, kept.offsets),
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """Verdicts on a batch's candidates, and the tag of every witness they name, by ordinal."""

    verdicts: Verdicts
    labels: dict[int, int]


def deduplicate(
    index: IndexClient,
    prints: Fingerprints,
    plan_index: NDArray[np.int64],
    request: SealRequest,
    threshold: float,
) -> Decided:
    """Ask the index, decide the candidates greedily by rank, insert what was kept."""
    first = request.ordinal
    witness = index.lookup(prints.keys.ravel()).reshape(prints.keys.shape)
    ordinals = np.unique(witness[(witness >= 0) & (witness < first)])
    signatures, held = index.get_witnesses(ordinals)
    verdicts = resolve(
        prints.keys, prints.signature, witness, (ordinals, signatures), first, threshold
    )
    kept = tags(request.generation, plan_index[verdicts.kept])
    index.put_witnesses(first, prints.signature[verdicts.kept], kept)
    index.insert(*insertions(prints.keys, verdicts, first))
    labels = dict(zip(ordinals.tolist(), held.tolist(), strict=True))
    labels |= {first + offset: label for offset, label in enumerate(kept.tolist())}
    return Decided(verdicts, labels)


@dataclass(frozen=True, slots=True)
class SealRule:
    """What of the recipe and the log decides a batch."""

    threshold: float
    rate: float
    """Sample rate of the ledger's sketches."""


def _forms(table: pa.Table, verdict: Verdict) -> dict[str, dict[str, float]]:
    """How alike the verified texts of each stratum are."""
    strata = np.array(table["stratum"].to_pylist(), dtype=object)
    texts, forms = table["text"], {}
    for stratum in sorted(set(strata[verdict.verified])):
        of = np.flatnonzero(verdict.verified & (strata == stratum))
        witnesses = Counter(filter(None, (verdict.columns["duplicate_of"][n] for n in of)))
        absorbed = max(witnesses.values(), default=0)
        forms[str(stratum)] = form_of(
            [texts[n].as_py() for n in spaced(of.tolist())], len(of), absorbed
        )
    return forms


def _flags(table: pa.Table, outcome: str) -> NDArray[np.bool_]:
    return np.array([value == outcome for value in table["outcome"].to_pylist()], dtype=bool)


def _set(columns: dict[str, list[object]], position: int, **values: object) -> None:
    for name, value in values.items():
        columns[name][position] = value
