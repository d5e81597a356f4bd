"""Which samples a withdrawal is about, and what they take out of the ledger.

Conditions are `key=value`. Values of one key are alternatives, keys narrow each other. A sample
that was withdrawn before is never withdrawn again, so that nothing is subtracted twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, limit
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import Words

KEYS = {
    "generation": "samples of one generation",
    "stratum": "samples of one prompt branch",
    "id": "one sample",
    "parent": "samples written from this document, named as lineage names it",
    "source": "samples written from any document of this seed source",
    "model": "samples that this model wrote",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a condition can ask about a sample."""

    id: str
    generation: int
    stratum: str
    parents: Sequence[str]
    model: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Parsed conditions: the allowed values of every key that was given."""

    values: Mapping[str, frozenset[str]]

    def about(self, generation: int) -> bool:
        """Whether any sample of a generation can match."""
        return str(generation) in self.values.get("generation", {str(generation)})

    def matches(self, sample: Candidate) -> bool:
        """Whether every key given has a value that fits."""
        return all(not found.isdisjoint(self.values[key]) for key, found in self._facts(sample))

    def described(self) -> dict[str, str]:
        """As the log records it: alternatives joined by commas."""
        return {key: ",".join(sorted(values)) for key, values in sorted(self.values.items())}

    def _facts(self, sample: Candidate) -> Iterable[tuple[str, frozenset[str]]]:
        facts: dict[str, frozenset[str]] = {
            "generation": frozenset([str(sample.generation)]),
            "stratum": frozenset([sample.stratum]),
            "id": frozenset([sample.id]),
            "parent": frozenset(sample.parents),
            "source": frozenset(p.partition(":")[0] for p in sample.parents if ":" in p),
            "model": frozenset([sample.model]),
        }
        return [(key, facts[key]) for key in self.values]


def parse_condition(text: str) -> tuple[str, str]:
    """(key, value) of `key=value`; raises ValueError saying what is possible."""
    key, equals, value = text.partition("=")
    if not equals or not value or key not in KEYS:
        raise ValueError(f"{text!r} must read KEY=VALUE with a key of {', '.join(KEYS)}")
    if key == "generation" and not (value.isascii() and value.isdecimal()):
        raise ValueError(f"{text!r}: a generation is a number")
    return key, str(int(value)) if key == "generation" else value


def select(conditions: Iterable[tuple[str, str]]) -> Selection:
    """The selection of all conditions together; raises ValueError for none."""
    values: dict[str, set[str]] = {}
    for key, value in conditions:
        values.setdefault(key, set()).add(value)
    if not values:
        raise ValueError("a withdrawal needs at least one condition")
    return Selection({key: frozenset(found) for key, found in values.items()})


def withdrawn_delta(words: Words, strata: Sequence[int], rate: float) -> Delta:
    """What n withdrawn texts take back from the ledger, at its sample rate.

    strata: their numbers in their recipe.
    """
    everything = np.ones(len(strata), bool)
    shingles = {length: shingles_of(words, length, limit(rate)) for length in LENGTHS}
    return batch_delta(shingles, everything, everything, np.array(strata, np.uint8), rate)
