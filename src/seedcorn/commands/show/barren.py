"""A generation of which nothing was accepted: why, by its most frequent reason and an example."""

from collections.abc import Sequence

from seedcorn.commands.show.choice import Choice, choose
from seedcorn.commands.views.output import harmless
from seedcorn.core.figures import counted
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.log.state import CorpusState
from seedcorn.core.sample import Outcome
from seedcorn.storage.stores.store import Store

EXAMPLES, SHOWN_CHARS = 1000, 300
"""Dropped samples among which one of the reason is looked for; characters of its detail."""


def barren(rows: Sequence[GenerationRow]) -> GenerationRow | None:
    """The newest generation, if it is finished and every sample of it failed or was rejected."""
    row = max(rows, key=lambda one: one.generation, default=None)
    if row is None or row.status != "finished" or not row.committed:
        return None
    lost = row.counts[Outcome.FAILED] + row.counts[Outcome.REJECTED]
    return row if lost == row.committed else None


def most_frequent(row: GenerationRow) -> tuple[str, str]:
    """Outcome and reason of most of its samples."""
    outcome, _, reason = max(row.reasons, key=lambda key: row.reasons[key]).partition(":")
    return outcome, reason


def why_barren(row: GenerationRow, store: Store, state: CorpusState) -> str:
    """What became of the samples, and the words of one of them."""
    outcome, reason = most_frequent(row)
    numbers = [
        f"{row.counts[one]:,} {one}"
        for one in (Outcome.FAILED, Outcome.REJECTED)
        if row.counts[one]
    ]
    samples = counted(row.committed, "sample")
    return (
        f"nothing was accepted; {samples} of generation {row.generation}: {', '.join(numbers)}\n"
        f"most often {outcome}: {reason} ({row.reasons[f'{outcome}:{reason}']:,})"
        f"{_example(row.generation, (outcome, reason), store, state)}"
    )


def _example(generation: int, wanted: tuple[str, str], store: Store, state: CorpusState) -> str:
    asked = Choice(store, state, EXAMPLES, wanted[0])
    _, dropped = choose(asked, [], state.generations[generation].dropped)
    for row in dropped:
        if row["reason"] == wanted[1] and row["detail"]:
            detail = harmless(" ".join(row["detail"].split())[:SHOWN_CHARS])
            return f", such as sample {row['index']}: {detail}"
    return ""
