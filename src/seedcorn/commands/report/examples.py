"""A few samples as they are: accepted ones, and dropped ones with why.

The same ones that `seedcorn show` chooses. Invariants: a page travels further than a corpus, so
neither a withdrawn text nor its duplicates are among them; a text is printable and cut at
`SHOWN_CHARS`, with the rest counted, and the template escapes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seedcorn.commands.show.choice import Choice, Row, choose
from seedcorn.commands.show.table import SHOWN_CHARS, clipped
from seedcorn.commands.views.output import harmless
from seedcorn.core.log.state import CorpusState, GenerationState
from seedcorn.core.sample import Outcome
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.stores.store import Store

EACH = 3
"""Accepted ones, and dropped ones."""
SPARE = 1000
"""Dropped ones looked at for some that repeat nothing withdrawn."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sample as the page shows it."""

    accepted: bool
    why: str
    generation: int
    stratum: str
    name: str
    text: str
    """Cut."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The accepted or the dropped ones."""

    title: str
    shown: Sequence[Example]
    kind: str = "examples"


def find_examples(
    store: Store, state: CorpusState, generations: Iterable[GenerationState], each: int = EACH
) -> list[Example]:
    """At most `each` accepted samples and as many dropped ones, outcomes taking turns."""
    chosen = list(generations)
    accepted = [ref for one in chosen for ref in one.shards]
    dropped = [ref for one in chosen for ref in one.dropped]
    kept, gone = choose(Choice(store, state, max(each, SPARE)), accepted, dropped)
    withdrawn = withdrawn_ids(store, state)
    gone = [row for row in gone if row["duplicate_of"] not in withdrawn]
    why = "Passed every check and repeats nothing."
    return [
        *(_example(row, True, why) for row in kept[:each]),
        *(_example(row, False, _why(row)) for row in gone[:each]),
    ]


def blocks_of(examples: Sequence[Example]) -> list[Examples]:
    """Accepted ones first; nothing for a kind that has none."""
    kinds = (("Accepted", True), ("Dropped", False))
    groups = [
        Examples(title, [one for one in examples if one.accepted is kept]) for title, kept in kinds
    ]
    return [group for group in groups if group.shown]


def cut_note() -> str:
    """How the samples were chosen, and how far they are shown."""
    return (
        "Chosen by their ids, which are hashes, so neither the best nor the worst. Texts are cut "
        f"at {SHOWN_CHARS} characters."
    )


def _example(row: Row, accepted: bool, why: str) -> Example:
    return Example(
        accepted=accepted,
        why=why,
        generation=row["generation"],
        stratum=row["stratum"],
        name=row["sample_id"],
        text=clipped(row["text"]) or "(no text)",
    )


def _why(row: Row) -> str:
    """Outcome, reason and detail; of a duplicate also what it repeats."""
    told = harmless(
        ": ".join(part for part in (row["outcome"], row["reason"], row["detail"]) if part)
    )
    if row["outcome"] == Outcome.DUPLICATE.value:
        return f"{told}, repeats {harmless(row['duplicate_of'])}"
    return told
