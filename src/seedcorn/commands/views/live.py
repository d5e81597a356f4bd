"""Watching a run: a live table in a terminal, log lines anywhere else.

Both are fed the same snapshots, decide nothing and keep no account: what they show of the past is
the ledger's rows, and a pace that only the estimated time depends on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.logging import RichHandler
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seedcorn.commands.views.ledger_table import token_kind_of
from seedcorn.commands.views.output import figures
from seedcorn.core.figures import counted, duration, scaled
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.ops.log_lines import FIGURES
from seedcorn.core.ops.progress_lines import Progress
from seedcorn.core.preflight.estimate import remaining_s
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.sketch.sketch import HEADLINE
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.log_format import json_wanted
from seedcorn.runtime.log_setup import line_handler

View = Callable[[Snapshot], None]
LINE_EVERY_S = 10.0
"""Seconds between progress lines where there is no terminal."""
BAR_WIDTH = 40
GOING, DONE, WAITING, TROUBLE = "cyan", "green", "yellow", "red"
"""Colours: samples come; all are there; something is waited for; something went wrong."""
LEVELS = {logging.WARNING: WAITING, logging.ERROR: TROUBLE}

logger = logging.getLogger(__name__)


@contextmanager
def watching(screen: Console, quiet: bool = False) -> Iterator[View]:
    """The view that fits the console, with seedcorn's log beside it, until the block ends. `quiet`:
    warnings alone."""
    if quiet:
        with _logging_to(line_handler(), logging.WARNING):
            yield lambda look: None
        return
    if json_wanted() or not screen.is_terminal:
        with _logging_to(line_handler()):
            yield LineView(logger.info, time.monotonic)
        return
    handler = ColouredLines(
        console=screen, show_path=False, show_level=False, log_time_format="%H:%M:%S"
    )
    with _logging_to(handler), Live(console=screen, auto_refresh=False) as live:
        yield TableView(lambda drawn: live.update(drawn, refresh=True), time.monotonic)


class ColouredLines(RichHandler):
    """Log lines in the colour of their level."""

    def render_message(self, record: logging.LogRecord, message: str) -> Text:
        """One line."""
        return Text(message, style=LEVELS.get(record.levelno, ""))


class Pace:
    """Estimated time to go, from how fast samples came since this process began to write them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` counts seconds, monotonic."""
        self._clock = clock
        self._generation, self._done, self._since = 0, 0, 0.0

    def eta_s(self, look: Snapshot) -> float | None:
        """Seconds until the generation's last sample is written; None while nobody can tell."""
        now = self._clock()
        # What is staged from an earlier run says nothing about the pace of this one.
        if look.generation != self._generation or not look.workers:
            self._generation, self._done, self._since = look.generation, look.generated, now
        return remaining_s(look.planned, look.generated, self._done, now - self._since)


class LineView:
    """A log line at most every ten seconds, with its figures for logs that machines read."""

    def __init__(self, write: Callable[..., None], clock: Callable[[], float]) -> None:
        """`write` takes a line and `extra`, `clock` counts seconds."""
        self._write, self._clock, self._pace = write, clock, Pace(clock)
        self._last = -LINE_EVERY_S

    def __call__(self, look: Snapshot) -> None:
        """Write a line if the last one is long enough ago."""
        eta = self._pace.eta_s(look)
        if self._clock() - self._last >= LINE_EVERY_S:
            self._last = self._clock()
            self._write(progress_line(look, eta), extra={FIGURES: figures_of(look, eta)})


class TableView:
    """The live table: every generation as of the last commit, and below it what happens now."""

    def __init__(self, draw: Callable[[RenderableType], None], clock: Callable[[], float]) -> None:
        """`draw` puts something in place of what was drawn before."""
        self._draw, self._pace = draw, Pace(clock)

    def __call__(self, look: Snapshot) -> None:
        """Draw one snapshot."""
        now = Text(activity(look, self._pace.eta_s(look)), style=state_of(look))
        self._draw(Group(live_table(look), bar(look), now))


def bar(look: Snapshot) -> RenderableType:
    """How much of the generation has an outcome."""
    done = f" {look.generated:,} of {counted(look.planned, 'sample')}"
    grid = Table.grid()
    width = {"width": BAR_WIDTH, "style": "dim", "complete_style": GOING, "finished_style": DONE}
    grid.add_row(ProgressBar(look.planned, look.generated, **width), done)
    return grid


def state_of(look: Snapshot) -> str:
    """The colour of what happens now."""
    if look.restarts or look.quarantined:
        return TROUBLE
    waits = look.draining or not look.workers or look.indexing[0] < look.indexing[1]
    return WAITING if waits else ""


def progress_line(look: Snapshot, eta_s: float | None) -> str:
    """One snapshot as one line, which a follower of a job reads back (core.ops.progress_lines)."""
    row = _row_of(look.rows, look.generation)
    progress = Progress(look.generation, look.planned, look.generated, activity(look, eta_s))
    if row is not None:
        counts = {outcome: row.counts[outcome] for outcome in OUTCOMES}
        progress = replace(progress, counts=counts, unique=_unique(row), unit=row.unit)
    return progress.line()


def figures_of(look: Snapshot, eta_s: float | None) -> dict[str, object]:
    """One snapshot as plain figures; `unique` is U of the generation, null where unknown."""
    row = _row_of(look.rows, look.generation)
    return {
        "generation": look.generation,
        "planned": look.planned,
        "generated": look.generated,
        "counts": row.counts if row is not None else {},
        "unique": row.unique[HEADLINE].estimate if row is not None and row.unique else None,
        "tokens": look.tokens,
        "tokens_per_s": round(look.tokens_per_s, 1),
        "eta_s": None if eta_s is None else round(eta_s),
        "workers": look.workers,
        "in_flight": look.in_flight,
        "restarts": look.restarts,
        "quarantined": look.quarantined,
        "open_batches": look.open_batches,
    }


def live_table(look: Snapshot) -> Table:
    """One line per generation, the one that grows last."""
    table = figures(
        "gen", "planned", "generated", *OUTCOMES, f"unique\n({token_kind_of(look.rows)})"
    )
    for row in look.rows:
        if row.generation < look.generation:
            table.add_row(*_cells(row.generation, row.planned, row.committed, row))
    row = _row_of(look.rows, look.generation)
    table.add_row(*_cells(look.generation, look.planned, look.generated, row))
    return table


def activity(look: Snapshot, eta_s: float | None) -> str:
    """Pace, workers, requests, batches, indexing and trouble in a few words."""
    done, rows = look.indexing
    parts = ["stopping: nothing new begins"] if look.draining else []
    parts += [
        f"{scaled(look.tokens)} tokens",
        f"{look.tokens_per_s:,.0f} tokens/s",
        f"ETA {'-' if eta_s is None else duration(eta_s)}",
        f"workers {look.workers}" if look.workers else "starting engines",
        f"in flight {look.in_flight}",
        f"batches open {look.open_batches}",
    ]
    if done < rows:
        parts.append(f"indexing {done:,} of {rows:,} rows")
    if look.restarts:
        parts.append(f"{counted(look.restarts, 'engine')} replaced")
    if look.quarantined:
        parts.append(f"{counted(look.quarantined, 'sample')} in quarantine")
    return ", ".join(parts)


@contextmanager
def _logging_to(handler: logging.Handler, level: int = logging.INFO) -> Iterator[None]:
    root = logging.getLogger("seedcorn")
    before = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(level)
    root.propagate = False
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.level, root.propagate = before


def _row_of(rows: Sequence[GenerationRow], generation: int) -> GenerationRow | None:
    return next((row for row in rows if row.generation == generation), None)


def _cells(
    generation: int, planned: int, generated: int, row: GenerationRow | None
) -> tuple[str, ...]:
    counts = (f"{row.counts[outcome]:,}" if row else "" for outcome in OUTCOMES)
    unique = _unique(row) if row else ""
    return (str(generation), f"{planned:,}", f"{generated:,}", *counts, unique)


def _unique(row: GenerationRow) -> str:
    return scaled(row.unique[HEADLINE].estimate) if row.unique else "unknown"
