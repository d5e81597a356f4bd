"""Samples side by side: accepted ones, dropped ones, and why."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from seedcorn.commands.show.choice import Row
from seedcorn.commands.views.output import harmless

SHOWN_CHARS = 600


def sample_table(
    accepted: Sequence[Row], dropped: Sequence[Row], witnesses: Mapping[str, str]
) -> Table:
    """One line of cells per pair; a duplicate has its witness' text beside its own."""
    table = Table(box=HORIZONTALS, show_lines=True, pad_edge=False, expand=True)
    if accepted:
        table.add_column("accepted", ratio=2, overflow="fold")
    if dropped:
        table.add_column("dropped", ratio=2, overflow="fold")
        table.add_column("why", ratio=2, overflow="fold")
    for kept, gone in zip_longest(accepted, dropped):
        cells: list[Text] = []
        if accepted:
            cells.append(sample(kept) if kept else Text())
        if dropped:
            cells += [sample(gone), why(gone, witnesses)] if gone else [Text(), Text()]
        table.add_row(*cells)
    return table


def sample(row: Row) -> Text:
    """Where a sample comes from, and its text."""
    axes = ", ".join(f"{name}: {value}" for name, value in json.loads(row["axes"]).items())
    heading = (
        f"generation {row['generation']} · sample {row['index']} · {row['stratum']}\n"
        f"id {row['sample_id']}\n"
    )
    heading += f"axes {axes}\n" if axes else ""
    heading += f"from {', '.join(row['parents'])}\n" if row["parents"] else ""
    return Text.assemble((harmless(heading), "dim"), clipped(row["text"]))


def why(row: Row, witnesses: Mapping[str, str]) -> Text:
    """Outcome, reason and detail; for a duplicate also what it repeats."""
    parts = [row["outcome"], row["reason"], row["detail"]]
    text = Text(harmless(": ".join(part for part in parts if part)), style="bold")
    name = row["duplicate_of"]
    if name:
        text.append(f"\nwitness {harmless(name)}\n", style="dim not bold")
        text.append(clipped(witnesses.get(name, "(not found)")), style="not bold")
    return text


def clipped(text: str) -> str:
    """Printable, and not longer than one wants to read in a table."""
    shown = harmless(text[:SHOWN_CHARS])
    rest = len(text) - SHOWN_CHARS
    return f"{shown} … ({rest:,} more characters)" if rest > 0 else shown
