"""A followed job's log: as it is where nobody watches, and below it the live table in a terminal.

The log is all that reaches a follower, so the table is made of its progress lines.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from seedcorn.commands.views.output import figures, harmless
from seedcorn.core.ops.progress_lines import Progress, message_of, read
from seedcorn.core.sample import OUTCOMES

Write = Callable[[str], None]


@contextmanager
def following(screen: Console) -> Iterator[Write]:
    """Takes the log in pieces of any size, until the block ends."""
    if not screen.is_terminal:
        yield _plain
        return
    beside = sys.stderr.isatty()
    # Erased at the end: the log closes with the ledger's own table, which knows the last commit.
    with Live(console=screen, auto_refresh=False, transient=True, redirect_stderr=beside) as live:
        table = FollowTable(
            lambda line: live.console.print(Text(line), soft_wrap=True),
            lambda drawn: live.update(drawn, refresh=True),
        )
        yield table.take
        table.end()


class FollowTable:
    """Log lines go past; those that tell of progress become the table below them."""

    def __init__(self, say: Write, draw: Callable[[RenderableType], None]) -> None:
        """`say` prints a line for good, `draw` puts something in place of what was drawn before."""
        self._say, self._draw = say, draw
        self._rest = ""
        self._seen: dict[int, Progress] = {}

    def take(self, text: str) -> None:
        """The next piece of the log."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._show(line)

    def end(self) -> None:
        """The log is over: what it ends with may lack its line end."""
        if self._rest:
            self._show(self._rest)
        self._rest = ""

    def _show(self, line: str) -> None:
        progress = read(line)
        if progress is None:
            self._say(harmless(message_of(line.rstrip("\r"))))
            return
        self._seen[progress.generation] = progress
        self._draw(Group(_table(self._seen), Text(harmless(progress.activity))))


def _plain(text: str) -> None:
    sys.stdout.write(harmless(text.replace("\r", "")))
    sys.stdout.flush()


def _table(seen: dict[int, Progress]) -> RenderableType:
    """One line per generation that was seen to grow, the latest last."""
    token_kind = next((one.unit for one in reversed(seen.values()) if one.unit), "uat")
    table = figures("gen", "planned", "generated", *OUTCOMES, f"unique\n({token_kind})")
    for number, one in sorted(seen.items()):
        counts = (f"{one.counts[name]:,}" if one.counts else "" for name in OUTCOMES)
        cells = (str(number), f"{one.planned:,}", f"{one.generated:,}")
        table.add_row(*cells, *counts, harmless(one.unique))
    return table
