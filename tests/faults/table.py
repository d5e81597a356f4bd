"""What a fault campaign found: one row per campaign, one table for all of them."""

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

HEADINGS = (
    "campaign",
    "runs",
    "kills",
    "S3 faults",
    "lost",
    "doubled",
    "equal",
    "tokens again (bound)",
    "recovery s",
    "wrong",
)
LEGEND = (
    "kills: processes ended by a signal in mid-run. lost, doubled: samples, counted from the rows. "
    "equal: corpora and ledgers equal to the undisturbed ones, measured times aside. tokens again: "
    "generated a second time per engine kill, median and worst (bound: in flight or not yet staged on "
    "that engine, worst). recovery: seconds from the restart or, where the run goes on, from the "
    "kill, to the first new durable object or ready engine, median and worst. "
    "wrong: whatever else must not be, errors without a name among it."
)
WIDE = 150


@dataclass
class Row:
    """One campaign. Everything in it is counted or measured, nothing expected."""

    campaign: str
    runs: int = 0
    """Corpora grown to their end under faults."""
    kills: int = 0
    """Processes that ended by a signal in mid-run."""
    s3_faults: int = 0
    lost: int = 0
    """Planned samples with no outcome in a finished corpus."""
    doubled: int = 0
    """Planned samples with more than one outcome in a finished corpus."""
    equal: int = 0
    """Runs whose corpus and ledger equal the undisturbed ones, measured times aside."""
    again: list[int] = field(default_factory=list)
    """Per engine kill: completion tokens of the samples that were generated a second time."""
    bound: list[int] = field(default_factory=list)
    """Per engine kill: completion tokens that were in flight, or finished and not yet staged, on
    that engine."""
    recovery_s: list[float] = field(default_factory=list)
    """Per recovery: seconds from the restart until the first new durable object."""
    wrong: list[str] = field(default_factory=list)
    """Every violation, with the seed and step that show it again."""

    @property
    def ok(self) -> bool:
        """Nothing lost or doubled, every corpus equal, nothing generated again beyond its bound."""
        beyond = any(again > bound for again, bound in zip(self.again, self.bound, strict=True))
        return not (self.wrong or self.lost or self.doubled or beyond) and self.equal == self.runs

    def cells(self) -> list[str]:
        """What the table shows, under `HEADINGS`."""
        counts = [self.runs, self.kills, self.s3_faults, self.lost, self.doubled]
        again = _spread(self.again, "{:,.0f}")
        return [
            self.campaign,
            *(f"{count:,}" for count in counts),
            f"{self.equal} of {self.runs}",
            f"{again} ({max(self.bound):,})" if self.again else "",
            _spread(self.recovery_s, "{:.2f}"),
            str(len(self.wrong)),
        ]


def total(rows: Iterable[Row]) -> Row:
    """All campaigns as one row."""
    whole = Row("all")
    for row in rows:
        for name in ("runs", "kills", "s3_faults", "lost", "doubled", "equal"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
        for name in ("again", "bound", "recovery_s", "wrong"):
            getattr(whole, name).extend(getattr(row, name))
    return whole


def print_table(console: Console, title: str, rows: Sequence[Row]) -> bool:
    """Print the rows, their total, and every violation; returns whether there was none."""
    table = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == HEADINGS[0] else "right")
    for row in rows:
        table.add_row(*row.cells())
    if len(rows) > 1:
        table.add_section()
        table.add_row(*total(rows).cells())
    console.print(table)
    console.print(LEGEND, soft_wrap=not console.is_terminal)
    for row in rows:
        for violation in row.wrong:
            console.print(Text(f"{row.campaign}: {violation}"), soft_wrap=True)
        if not row.ok and not row.wrong:
            console.print(f"{row.campaign}: not as it must be; see its row", soft_wrap=True)
    return all(row.ok for row in rows)


def paper() -> Console:
    """Standard output, wide enough for the table where nobody watches."""
    return Console(width=None if sys.stdout.isatty() else WIDE)


Progress = Callable[[str], None]
"""Told one line per finished step of a campaign."""


def progress_on(console: Console) -> Progress:
    """Rewrites one line on a terminal; elsewhere one plain line per step."""

    def show(line: str) -> None:
        if console.is_terminal:
            console.print(Text(line[: console.width - 1].ljust(console.width - 1)), end="\r")
        else:
            console.print(Text(line), soft_wrap=True)
            console.file.flush()

    return show


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    return f"{form.format(statistics.median(values))}, {form.format(max(values))}"
