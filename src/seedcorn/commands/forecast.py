"""`seedcorn forecast CORPUS`: what the next samples or engine-hours would add, and where."""

import argparse
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_corpus, positive
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from rich.console import Console

    from seedcorn.core.decisions.outlook import Outlook
    from seedcorn.core.decisions.yields import Soundness
    from seedcorn.core.ledger.ledger import Ledger

DEFAULT = 4096
"""Samples asked about where nothing else is: a batch of the default size."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument(
        "-n", "--samples", type=samples, help=f"how many further samples (default {DEFAULT:,})"
    )
    amount.add_argument("-e", "--engine-hours", type=positive, help="how many further engine-hours")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.epilog = (
        "The forecast holds for the newest generation's recipe, model and checks. Each stratum's "
        "row says what the whole amount would add if only that stratum were drawn; strata that a "
        "decision stopped are marked."
    )


def samples(text: str) -> int:
    """A whole number of samples, one or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of samples")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Fold the log, ask every stratum, print the answers."""
    import json

    from seedcorn.commands.corpus import no_corpus, open_corpus
    from seedcorn.commands.views.output import console, say
    from seedcorn.core.decisions.outlook import as_json, outlooks
    from seedcorn.storage.log.reading import read_ledger

    store = open_corpus(arguments)
    ledger = read_ledger(store)
    if ledger.sequence < 0:
        raise no_corpus(store)
    hours, timed = arguments.engine_hours, arguments.engine_hours is not None
    amount = None if timed else arguments.samples or DEFAULT
    found = outlooks(ledger, amount, hours)
    if arguments.json:
        document = {"corpus": store.uri, **as_json(found, timed)}
        say(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    print_outlooks(console(), ledger, found, timed)
    return 0


def print_outlooks(
    console: "Console", ledger: "Ledger", found: list["Outlook"], timed: bool
) -> None:
    """A table, then the best stratum, and how earlier forecasts did. `timed`: hours were asked
    about."""
    from seedcorn.commands.views.output import figures
    from seedcorn.core.figures import scaled

    token_kind = ledger.accounts[-1].unit
    head = (
        "stratum",
        "samples",
        f"adds\n({token_kind})",
        "at least",
        "at most",
        "exclusive",
        "per\nsample",
    )
    table = figures(*head, f"{token_kind} per\nengine-h", left=1)
    for one in found:
        name = (one.stratum or "all, as now") + " (stopped)" * one.stopped
        if one.forecast is None:
            table.add_row(name, f"{one.samples:,}", *["-"] * 6)
            continue
        ends = one.tokens or (one.forecast.estimate, one.forecast.low, one.forecast.high)
        each = ends[0] / one.samples if one.samples else 0.0
        hour = scaled(each * 3600 / one.seconds_per_sample) if one.seconds_per_sample else "-"
        table.add_row(
            name, f"{one.samples:,}", *map(scaled, ends), f"{one.exclusive:.0%}", scaled(each), hour
        )
    console.print(table)
    for text in remarks(ledger, found, timed):
        console.print(text, soft_wrap=True)


def remarks(ledger: "Ledger", found: list["Outlook"], timed: bool) -> list[str]:
    """Sentences under the table."""
    from seedcorn.core.decisions.outlook import best
    from seedcorn.core.forecast.track_record import change_line

    lines, winner = [], best(found, timed)
    if winner:
        lines.append(
            f"best spent on: {winner} (most content that no other stratum has, at the lower end, "
            f"per {'engine-hour' if timed else 'sample'}{_discounted(found[0].sound)})"
        )
    whole = found[0].forecast
    if whole is not None and found[0].samples > ledger.prospects.samples(""):
        lines.append(
            "that is more samples than exist so far: the estimate extrapolates, so rely on the "
            "interval"
        )
    for change in ledger.scores.changes(ledger.accounts[-1].generation):
        lines.append(change_line(change))
    record = ledger.scores.record
    if record.scored:
        lines.append(
            f"{record.covered} of {counted(record.scored, 'earlier forecast')} contained the "
            "actual value"
        )
    return lines


def _discounted(sound: "Soundness") -> str:
    """What the ranking took off, and what it could not."""
    known = {"explained by history": sound.unexplained, "wrong": sound.precision}
    off = [what for what, share in known.items() if share is not None]
    unknown = [what for what, share in known.items() if share is None]
    text = f", without what is {' or '.join(off)}" if off else ""
    return f"{text}; not measured: what is {' or '.join(unknown)}" if unknown else text
