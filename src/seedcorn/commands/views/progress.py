"""Progress of commands that read much: a bar in a terminal, a line now and then elsewhere.

It goes to stderr, so that what a command prints can be piped.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 10.0
"""Seconds between progress lines where there is no terminal."""


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Counts up to `total`; call what this yields with how many more are done."""
    screen = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not screen.is_terminal:
        yield Lines(what, total, time.monotonic, sys.stderr.write)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)


class Lines:
    """One line at most every ten seconds; a short job prints none."""

    def __init__(
        self,
        what: str,
        total: int,
        clock: Callable[[], float],
        write: Callable[[str], object],
    ) -> None:
        """`clock` counts seconds, `write` takes text with its line end."""
        self._what, self._total, self._clock, self._write = what, total, clock, write
        self._done, self._last = 0, clock()

    def __call__(self, more: int) -> None:
        """So many more are done."""
        self._done += more
        if self._clock() - self._last >= LINE_EVERY_S:
            self._last = self._clock()
            self._write(f"{self._what} {self._done:,} of {self._total:,}\n")
