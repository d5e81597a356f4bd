"""Where commands print: plain lines, and tables that stay readable when nobody watches.

A table printed into a file or a pipe is as wide as it needs to be; in a terminal it fits. Text of
samples is data: control characters never reach the terminal.
"""

import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDE = 160
"""Columns of a table that does not go to a terminal."""
_KEPT = "\n\t"


def console() -> Console:
    """A console on stdout that never guesses: no highlighting, no markup, no emoji codes."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def figures(*headings: str, left: int = 1) -> Table:
    """An empty table of figures, the first `left` columns words.

    Narrow enough for 80 columns; where they do not suffice a figure is broken, never cut.
    """
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for number, heading in enumerate(headings):
        justify = "left" if number < left else "right"
        table.add_column(heading, justify=justify, vertical="bottom", overflow="fold")
    return table


def say(text: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(f"{text}\n")


def harmless(text: str) -> str:
    """The text without control characters: a sample must not move the cursor or set a title."""
    return "".join(c if c.isprintable() or c in _KEPT else "\ufffd" for c in text)
