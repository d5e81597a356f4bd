"""What has to be said beside the figures of a measured text, before and after."""

from seedcorn.commands.measure.sources import Asked
from seedcorn.core.figures import counted, size
from seedcorn.core.measure.foreign import memory_bytes
from seedcorn.core.measure.foreign_subset import CHARS
from seedcorn.core.recipe import LedgerSpec
from seedcorn.core.sketch.sketch import LENGTHS

REST = 400_000_000
"""Bytes of everything else: libraries, one piece of text, one batch, forecasts (measured)."""


def memory_line(asked: Asked, settings: LedgerSpec) -> str:
    """What will be read and what it can take, on one line."""
    most = size(memory_bytes(settings.fingerprints) + REST)
    names = {0: "seed"}
    parts = [
        f"{names.get(o.source.number, f'generation {o.source.number}')} {o.source.rows:,}"
        for o in asked.sources
    ]
    return (
        f"documents: {', '.join(parts)}; memory: at most about {most} ({settings.fingerprints:,} "
        f"hashes of each of {len(LENGTHS)} lengths), however much is read"
    )


def about(asked: Asked, cut: int) -> list[str]:
    """How the figures must be read."""
    lines = [
        "every readable document counts as accepted: nothing was checked and no duplicate dropped",
        "tokens are words (characters in scripts without spaces)",
        "forecasts assume that a generation's documents are in random order; on a sorted file "
        "they mislead",
    ]
    if not any(opened.source.number == 0 for opened in asked.sources):
        lines.append(
            "no --seed was given: all of generation 1 counts as new, whatever it was made from"
        )
    if cut:
        lines.append(
            f"companions saw the first {CHARS:,} characters of {counted(cut, 'longer document')}"
        )
    return lines
