"""What `verify` proves about a log and the rows that were read back, as pure functions.

Each raises CorruptCorpus for the first thing that is wrong and names it: the log entry, the object,
the sample. None repairs anything, and none trusts a figure that it can count itself.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.dedup.sealing import tally
from seedcorn.core.errors import CorruptCorpus, RecipeError
from seedcorn.core.figures import counted
from seedcorn.core.identity import canonical_json, sample_id
from seedcorn.core.log.entries import (
    BatchCommitted,
    Body,
    Entry,
    ObjectRef,
    Withdrawn,
    WriterOpened,
)
from seedcorn.core.log.garbage import garbage
from seedcorn.core.log.layout import DATA, DROPPED, STAGING, parse_segment, parse_shard
from seedcorn.core.log.state import CorpusState, GenerationState
from seedcorn.core.recipe import Recipe

ParseRecipe = Callable[[Mapping[str, Any]], Recipe]
"""Makes a recipe of what `generation_started` stores; RecipeError where it cannot."""


@dataclass(frozen=True, slots=True)
class BatchRows:
    """All rows of one batch, accepted and dropped, as columns ordered by plan index."""

    sample_id: Sequence[str]
    generation: Sequence[int]
    index: Sequence[int]
    unit: Sequence[int]
    stratum: Sequence[str]
    recipe: Sequence[str]
    parents: Sequence[Sequence[str]]
    prompt_tokens: Sequence[int]
    completion_tokens: Sequence[int]
    outcome: Sequence[str]
    reason: Sequence[str]
    """Empty where accepted."""
    duplicate_of: Sequence[str]
    """Empty where not a duplicate."""
    text: Sequence[str]
    reasoning: Sequence[str | None]
    unique_tokens: Sequence[float | None] = ()
    """None where not accepted, and where they are not the ledger's unit."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one generation was cut, and under which recipe."""

    fingerprint: str
    samples: int
    unit: int
    strata: Sequence[str]
    stands: bool = True
    """Whether it was not abandoned."""

    @classmethod
    def of(cls, generation: GenerationState, recipe: Recipe) -> "Terms":
        """Those of a generation that was started with this recipe."""
        strata = [prompt.name for prompt in recipe.prompts]
        cut = (generation.samples, recipe.units.unit)
        return cls(generation.fingerprint, *cut, strata, not generation.abandoned)

    def planned(self, unit: int) -> int:
        """Samples of a unit; the last one may be short."""
        return min(self.unit, self.samples - unit * self.unit)


def recipe_of(generation: GenerationState, parse: ParseRecipe) -> Recipe:
    """The recipe that a generation was started with, which has the fingerprint that the log says."""
    where = f"generation {generation.number}"
    try:
        recipe = parse(generation.recipe)
    except RecipeError as error:
        raise CorruptCorpus(f"{where}: its stored recipe: {error}") from error
    if recipe.fingerprint != generation.fingerprint:
        raise CorruptCorpus(
            f"{where}: the stored recipe has the fingerprint {recipe.fingerprint}, the log says "
            f"{generation.fingerprint}"
        )
    return recipe


def check_writers(entries: Iterable[Entry]) -> int:
    """Every entry was written by the writer that opened the log last (P6); returns the writers."""
    nonce, writers = "", 0
    for entry in entries:
        if isinstance(entry.body, WriterOpened):
            nonce, writers = entry.writer, writers + 1
        elif entry.writer != nonce:
            raise CorruptCorpus(
                f"log entry {entry.sequence} ({entry.kind}) was written by {entry.writer}, but the "
                f"writer that had opened the log last is {nonce or 'none'}: it was not fenced"
            )
    return writers


def check_bound(entries: Sequence[Entry], last: str, covered: int, bound: str) -> None:
    """The log still has the entry that its newest checkpoint was taken after: what the chain cannot
    tell of the newest entry, which no other follows. `last` is the sha256 of the last entry."""
    chain = entries[covered].previous if covered < len(entries) else last
    if bound and chain != bound:
        raise CorruptCorpus(
            f"log entry {covered - 1} is not the one that checkpoint {covered} was taken after: "
            f"its sha256 is {chain[:16]}, not {bound[:16]}; the entry was changed since, or the "
            "checkpoint is damaged"
        )


def check_names(body: Body, sequence: int) -> None:
    """The objects an entry names are called after their content, generation and units (P1)."""
    where = f"log entry {sequence}"
    if isinstance(body, BatchCommitted):
        for role, refs in (("data", body.data), ("dropped", body.dropped)):
            for ref in refs:
                name = parse_shard(ref.key)
                recorded = (name.role, name.generation, name.first_unit, name.last_unit)
                if recorded != (role, body.generation, body.first_unit, body.last_unit):
                    raise CorruptCorpus(
                        f"{where} names {ref.key} as {role} shard of generation {body.generation}, "
                        f"units {body.first_unit} to {body.last_unit}; the name says otherwise"
                    )
                _check_content_name(ref, where)
    if isinstance(body, BatchCommitted | Withdrawn) and body.sketch is not None:
        _check_content_name(body.sketch, where)
    if isinstance(body, Withdrawn):
        _check_content_name(body.ids, where)


def _check_content_name(ref: ObjectRef, where: str) -> None:
    if not ref.key.endswith(f"{ref.sha256[:16]}.parquet"):
        raise CorruptCorpus(f"{where}: {ref.key} is not named after its sha256 {ref.sha256[:16]}")


def check_shards(state: CorpusState, listed: Mapping[str, int]) -> None:
    """Every named shard is named once and listed with its size (P1). `listed`: bytes by key."""
    named: set[str] = set()
    for ref in _named(state):
        if ref.key in named:
            raise CorruptCorpus(f"{ref.key} is committed twice")
        named.add(ref.key)
        if listed.get(ref.key) != ref.bytes:
            found = f"has {listed[ref.key]} bytes" if ref.key in listed else "is missing"
            raise CorruptCorpus(f"{ref.key} {found}; the log committed {ref.bytes} bytes")


def check_unknown_objects(state: CorpusState, listed: Iterable[str]) -> list[str]:
    """Finished generations hold committed shards alone (P5). Returns warnings.

    `listed`: the keys under data/, dropped/ and staging/.
    """
    others = sorted(set(listed) - {ref.key for ref in _named(state)})
    finished = tuple(
        f"{role}gen-{number:04d}/"
        for number, generation in state.generations.items()
        if generation.finished
        for role in (DATA, DROPPED)
    )
    for key in others:
        if key.startswith(finished):
            raise CorruptCorpus(
                f"{key} is in no log entry, but its generation is finished: plain readers of "
                "that folder would see it; move it away"
            )
    return _leftovers(state, others)


def _named(state: CorpusState) -> Iterable[ObjectRef]:
    for generation in state.generations.values():
        yield from generation.shards
        yield from generation.dropped


def _leftovers(state: CorpusState, others: Sequence[str]) -> list[str]:
    """What is harmless but unexpected: objects that gc would delete, and foreign names."""
    deletable = garbage(state, others)
    warnings = (
        [f"{counted(len(deletable), 'object')} that gc would delete, such as {deletable[0]}"]
        if deletable
        else []
    )
    foreign = [key for key in others if not _is_ours(state, key)]
    if foreign:
        warnings.append(
            f"{counted(len(foreign), 'object')} that seedcorn did not write, such as {foreign[0]}"
        )
    return warnings


def _is_ours(state: CorpusState, key: str) -> bool:
    try:
        name = parse_segment(key) if key.startswith(STAGING) else parse_shard(key)
    except CorruptCorpus:
        return False
    return name.generation in state.generations


def check_ids(rows: BatchRows, batch: BatchCommitted, sequence: int, terms: Terms) -> None:
    """Each planned index of the batch has exactly one row, under the id that it must have (P2).

    Batches cover disjoint ranges and ids are hashes of indices, so no id occurs twice anywhere.
    """
    planned = range(batch.first_index, batch.last_index + 1)
    if list(rows.index) != list(planned):
        raise CorruptCorpus(f"log entry {sequence}: {_wrong_indices(rows.index, planned)}")
    columns = zip(rows.index, rows.sample_id, rows.generation, rows.unit, rows.recipe, strict=True)
    for index, name, *recorded in columns:
        expected = [batch.generation, index // terms.unit, terms.fingerprint]
        if name != sample_id(terms.fingerprint, batch.generation, index):
            raise CorruptCorpus(
                f"log entry {sequence}: sample {name} is not the id of generation "
                f"{batch.generation}, index {index} under recipe {terms.fingerprint}"
            )
        if recorded != expected:
            raise CorruptCorpus(
                f"log entry {sequence}: sample {name} (index {index}) says generation, unit, "
                f"recipe {recorded}, expected {expected}"
            )


def _wrong_indices(indices: Sequence[int], planned: range) -> str:
    counts = Counter(indices)
    twice = [index for index, count in counts.items() if count > 1]
    if twice:
        return f"index {twice[0]} has {counts[twice[0]]} rows in the batch's shards"
    outside = [index for index in counts if index not in planned]
    if outside:
        return f"index {outside[0]} is in the batch's shards, but not in the batch"
    return f"index {next(i for i in planned if i not in counts)} of the batch has no row"


def check_counts(rows: BatchRows, batch: BatchCommitted, sequence: int, terms: Terms) -> None:
    """Every unit's plan is accounted for, and the entry's counts are those of the rows (P3)."""
    counts, reasons, strata = tally(rows.outcome, rows.reason, rows.stratum, rows.completion_tokens)
    accepted = zip(rows.outcome, rows.completion_tokens, strict=True)
    tokens = {
        "accepted": sum(count for outcome, count in accepted if outcome == "accepted"),
        "generated": sum(rows.completion_tokens),
        "prompt": sum(rows.prompt_tokens),
    }
    units = range(batch.first_unit, batch.last_unit + 1)
    pairs: tuple[tuple[str, dict[Any, Any], dict[Any, Any]], ...] = (
        ("units", {unit: terms.planned(unit) for unit in units}, dict(Counter(rows.unit))),
        ("counts", _sparse(batch.counts), _sparse(counts)),
        ("reasons", _sparse(batch.reasons), _sparse(reasons)),
        ("strata", {k: _sparse(v) for k, v in batch.strata.items()}, _sparse_table(strata)),
        ("tokens", _sparse(batch.tokens), _sparse(tokens)),
        ("unique tokens", {k: v["tokens"] for k, v in batch.unique.items()}, _unique(rows)),
    )
    for what, recorded, found in pairs:
        if recorded != found:
            keys = sorted({*recorded, *found}, key=str)
            key = next(key for key in keys if recorded.get(key) != found.get(key))
            raise CorruptCorpus(
                f"log entry {sequence} does not balance: {what} of {key} are {recorded.get(key, 0)}, "
                f"but its shards hold {found.get(key, 0)}"
            )


def _unique(rows: BatchRows) -> dict[str, float]:
    """By stratum; sums of these figures are exact in any order."""
    found: dict[str, float] = {}
    for stratum, tokens in zip(rows.stratum, rows.unique_tokens, strict=False):
        if tokens is not None:
            found[stratum] = found.get(stratum, 0.0) + tokens
    return found


def _sparse(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: count for key, count in counts.items() if count}


def _sparse_table(table: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {name: _sparse(counts) for name, counts in table.items()}


class CorpusDigest:
    """One sha256 over what every sample is and became, fed in plan order: equal corpora, equal
    digests, however they were cut into units, batches and shards, and whoever wrote them."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def add(self, rows: BatchRows) -> None:
        """The next rows; ids, outcomes and texts, nothing measured."""
        columns = (
            rows.generation,
            rows.index,
            rows.sample_id,
            rows.outcome,
            rows.text,
            rows.reasoning,
            rows.reason,
            rows.duplicate_of,
        )
        for values in zip(*columns, strict=True):
            self._state.update(canonical_json(values) + b"\n")

    def hexdigest(self) -> str:
        """64 hex digits."""
        return self._state.hexdigest()
