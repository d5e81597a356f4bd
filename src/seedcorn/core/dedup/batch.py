"""A batch decided as a whole, in plan order: what is kept, and why the rest is not.

Outcomes are a function of texts and plan alone: the index is asked (read-only), the batch is decided
greedily by rank, and only what was kept is inserted. Nothing here exists until the coordinator's
log entry commits it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.checks import Check
from seedcorn.core.dedup.decontamination import EvaluationSet, contamination
from seedcorn.core.dedup.dedup import DedupResult, insertions, resolve
from seedcorn.core.dedup.sealing import Ancestry, SealRequest, tags
from seedcorn.core.recipe import ReasoningSpec
from seedcorn.core.sample import Outcome
from seedcorn.core.text.fingerprint import Fingerprints
from seedcorn.core.text.shingles import Shingles
from seedcorn.core.text.words import Words

Columns = dict[str, list[object]]


class DedupIndex(Protocol):
    """What deciding a batch needs of the index."""

    def lookup(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """uint64[m] -> int64[m]: the lowest-ranked kept ordinal per key, -1 where none."""
        ...

    def insert(self, keys: NDArray[np.uint64], ordinals: NDArray[np.int64]) -> None:
        """uint64[m], int64[m]; idempotent."""
        ...

    def put_witnesses(
        self, first: int, signatures: NDArray[np.uint8], tags: NDArray[np.uint64]
    ) -> None:
        """uint8[n, 64], uint64[n] for ordinals first .. first + n - 1."""
        ...

    def get_witnesses(
        self, ordinals: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """int64[m] -> uint8[m, 64], uint64[m]."""
        ...


@dataclass(frozen=True, slots=True)
class Lost:
    """What the rows had cost that another row of the same index beat: work done twice."""

    seconds: float = 0.0
    """Of engines."""
    in_flight: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stratum."""
    tokens: int = 0
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """The rows of a batch that count, as columns: one row per index, in plan order."""

    index: NDArray[np.int64]
    outcomes: Sequence[str]
    reasons: Sequence[str | None]
    details: Sequence[str | None]
    strata: Sequence[str]
    texts: Sequence[str]
    shingles: Mapping[int, Shingles]
    """All shingles of every row, by length in words."""
    prints: Fingerprints
    """Of the candidates alone, in order."""
    prompt_tokens: NDArray[np.int32]
    tokens: NDArray[np.int32]
    """Of the completion."""
    own_tokens: NDArray[np.int64]
    """Of the completion's text alone, without a trace."""
    seconds: Sequence[float]
    """Each row's share of its engine's time."""
    in_flight: Sequence[float]
    """Seconds for which each row held a slot of its engine."""
    lost: Lost
    words: Words
    """Of every row."""

    @property
    def candidate(self) -> NDArray[np.bool_]:
        """Rows that passed every check of their worker."""
        return np.array([one == Outcome.CANDIDATE for one in self.outcomes], dtype=bool)


@dataclass(frozen=True, slots=True)
class SealRule:
    """What of the recipe and the log decides a batch."""

    threshold: float
    rate: float
    """Sample rate of the ledger's sketches."""
    strata: Sequence[str]
    """The recipe's branch names; a stratum's number is its place in it."""
    checks: Sequence[Check] = ()
    evaluations: Sequence[EvaluationSet] = ()
    reasoning: ReasoningSpec | None = None
    """How markers that traces left in accepted texts are known; None: they are not counted."""
    group: int = 1
    """Neighbouring samples that the ledger counts as one document."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A batch decided: the outcome columns of all its rows, and which were accepted."""

    accepted: NDArray[np.bool_]
    passed: NDArray[np.bool_]
    """Accepted or a duplicate."""
    columns: Columns


@dataclass(frozen=True, slots=True)
class Decided:
    """Verdicts on a batch's candidates, and the tag of every witness they name, by ordinal."""

    verdicts: DedupResult
    labels: dict[int, int]


def decide(
    batch: StagedBatch,
    index: DedupIndex,
    ancestry: Ancestry,
    request: SealRequest,
    rule: SealRule,
) -> Outcomes:
    """The outcome of every row; what is kept is in the index afterwards."""
    columns: Columns = {
        "outcome": list(batch.outcomes),
        "reason": list(batch.reasons),
        "detail": list(batch.details),
        "duplicate_of": [None] * len(batch.outcomes),
        "similarity": [None] * len(batch.outcomes),
    }
    candidate = batch.candidate
    clean = candidate.copy()
    for position, detail in contamination(rule.evaluations, batch.shingles, batch.words).items():
        if candidate[position]:
            clean[position] = False
            _set(columns, position, outcome="rejected", reason="contaminated", detail=detail)
    positions = np.flatnonzero(clean)
    prints = batch.prints.rows(clean[candidate])
    decided = deduplicate(index, prints, batch.index[positions], request, rule.threshold)
    _name_duplicates(columns, positions, decided, request.generation, ancestry)
    accepted = np.zeros(len(candidate), dtype=bool)
    accepted[positions[decided.verdicts.kept]] = True
    for position in np.flatnonzero(accepted):
        columns["outcome"][position] = "accepted"
    return Outcomes(accepted, clean, columns)


def deduplicate(
    index: DedupIndex,
    prints: Fingerprints,
    plan_index: NDArray[np.int64],
    request: SealRequest,
    threshold: float,
) -> Decided:
    """Ask the index, decide the candidates greedily by rank, insert what was kept."""
    first = request.ordinal
    witness = index.lookup(prints.keys.ravel()).reshape(prints.keys.shape)
    ordinals = np.unique(witness[(witness >= 0) & (witness < first)])
    signatures, labels_of = index.get_witnesses(ordinals)
    verdicts = resolve(
        prints.keys, prints.signature, witness, (ordinals, signatures), first, threshold
    )
    kept = tags(request.generation, plan_index[verdicts.kept])
    index.put_witnesses(first, prints.signature[verdicts.kept], kept)
    index.insert(*insertions(prints.keys, verdicts, first))
    labels = dict(zip(ordinals.tolist(), labels_of.tolist(), strict=True))
    labels |= {first + offset: label for offset, label in enumerate(kept.tolist())}
    return Decided(verdicts, labels)


def _name_duplicates(
    columns: Columns,
    positions: NDArray[np.int64],
    decided: Decided,
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


def _set(columns: Columns, position: int, **values: object) -> None:
    for name, value in values.items():
        columns[name][position] = value
