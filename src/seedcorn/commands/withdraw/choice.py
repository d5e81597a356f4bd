"""Which committed samples a withdrawal takes: one pass over the shards of generations it may touch.

Memory follows what is withdrawn, never the corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from seedcorn.core.ledger.withdrawal import Candidate, Selection, withdrawn_delta
from seedcorn.core.log.entries import Withdrawn
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState
from seedcorn.core.rule_numbers import counts_tokens
from seedcorn.core.sketch.sketch import Delta, combine
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.storage.log.sketches import write_delta
from seedcorn.storage.log.withdrawals import withdrawn_ids, write_ids
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.samples.samples import UNIQUE_TOKENS, read_shard
from seedcorn.storage.stores.store import Store

COLUMNS = ["sample_id", "generation", "stratum", "parents", "model", "completion_tokens", "text"]
PARTS = 64
"""Sketches of shards held before they are combined."""


@dataclass(slots=True)
class Choice:
    """The samples to withdraw, in commit order."""

    rate: float
    rule: TextRule
    ids: list[tuple[str, int]] = field(default_factory=list)
    """(sample id, generation)"""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """generation -> {samples, tokens}"""
    unique: dict[str, dict[str, float]] = field(default_factory=dict)
    """generation -> stratum -> unique tokens; of those generations that count them"""
    missing: list[str] = field(default_factory=list)
    """Ids that were asked for by name and not found."""
    strata: set[str] = field(default_factory=set)
    generations: list[int] = field(default_factory=list)
    _parts: list[Delta] = field(default_factory=list)

    def add(self, table: pa.Table, generation: int, strata: Sequence[str]) -> None:
        """Rows of one shard that are to go."""
        self.ids += [(name, generation) for name in table["sample_id"].to_pylist()]
        counts = self.counts.setdefault(str(generation), {"samples": 0, "tokens": 0})
        counts["samples"] += table.num_rows
        counts["tokens"] += sum(table["completion_tokens"].to_pylist())
        if UNIQUE_TOKENS.name in table.column_names:
            self._take(table, self.unique.setdefault(str(generation), {}))
        numbers = [strata.index(name) for name in table["stratum"].to_pylist()]
        words = read_words(*texts_view(table["text"]), self.rule)
        self._parts.append(withdrawn_delta(words, numbers, self.rate))
        if len(self._parts) >= PARTS:
            self._parts = [combine(self._parts)]

    def _take(self, table: pa.Table, unique: dict[str, float]) -> None:
        columns = (table[name].to_pylist() for name in ("stratum", UNIQUE_TOKENS.name))
        for stratum, tokens in zip(*columns, strict=True):
            unique[stratum] = unique.get(stratum, 0.0) + tokens

    def body(self, store: Store, selection: Selection, reason: str) -> Withdrawn:
        """Write ids and sketch; what names them is the entry that is to be appended."""
        return Withdrawn(
            reason=reason,
            where=selection.described(),
            counts=self.counts,
            ids=write_ids(store, self.ids),
            sketch=write_delta(store, combine(self._parts), self.rate),
            unique=self.unique,
        )

    def known(self) -> dict[str, list[str]]:
        """What a condition could have named, for a message."""
        found = {
            "generations": [str(number) for number in self.generations],
            "strata": sorted(self.strata),
        }
        return {key: names for key, names in found.items() if names}


def choose(store: Store, state: CorpusState, selection: Selection, rate: float) -> Choice:
    """Accepted samples that match and were not withdrawn before; sketched at the ledger's `rate`."""
    gone = withdrawn_ids(store, state)
    choice = Choice(rate, TextRule.of(rules_of(state)))
    for number, generation in state.standing.items():
        strata = [prompt["name"] for prompt in generation.recipe["prompts"]]
        choice.generations.append(number)
        choice.strata.update(strata)
        if not selection.about(number):
            continue
        for ref in generation.shards:
            columns = [*COLUMNS, UNIQUE_TOKENS.name] if counts_tokens(generation.rules) else COLUMNS
            found = _matching(read_shard(store, ref, columns), selection, gone)
            if found.num_rows:
                choice.add(found, number, strata)
    matched = {name for name, _ in choice.ids}
    choice.missing = sorted(selection.values.get("id", frozenset()) - matched)
    return choice


def _matching(table: pa.Table, selection: Selection, gone: frozenset[str]) -> pa.Table:
    columns = [table[name].to_pylist() for name in COLUMNS[:5]]
    mask = [
        name not in gone and selection.matches(Candidate(name, generation, stratum, parents, model))
        for name, generation, stratum, parents, model in zip(*columns, strict=True)
    ]
    return table.filter(pa.array(mask, pa.bool_()))
