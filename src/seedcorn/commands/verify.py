"""`seedcorn verify CORPUS`: re-read log and every shard, and prove the promises or name what broke.

Exit code 0: everything holds. 1: something is wrong, and it is named. 2: it could not be checked.
"""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_corpus

if TYPE_CHECKING:
    from seedcorn.storage.verify.verification import Advance, Report

GREEN, BROKEN, UNCHECKED = 0, 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument(
        "--deep",
        action="store_true",
        help="also recompute what follows from the texts: fingerprints, checks, duplicates, "
        "sketches (about 2.5 KB of memory per accepted sample and seed row)",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Verify and report."""
    import sys

    from seedcorn.commands.corpus import open_corpus, store_spec
    from seedcorn.commands.views.output import say
    from seedcorn.config import recipe_from_dict
    from seedcorn.core.errors import StoreError
    from seedcorn.storage.verify.verification import verify

    store = open_corpus(arguments)
    try:
        with progress() as advance:
            spec = store_spec(arguments.overrides)
            report = verify(store, recipe_from_dict, spec, advance, deep=arguments.deep)
    except StoreError as error:
        sys.stderr.write(f"seedcorn: could not verify: {error}\n")
        return UNCHECKED
    if arguments.json:
        say(as_json(report))
    else:
        print_report(report, say)
    return GREEN if report.ok else BROKEN


def print_report(report: "Report", say: Callable[[str], None]) -> None:
    """The report, a line per promise."""
    from seedcorn.commands.views.output import harmless

    for finding in report.proved:
        say(f"{finding.promise:<9}  ok     {finding.text}")
    for warning in report.warnings:
        say(harmless(f"{'':<9}  note   {warning}"))
    if report.broken is not None:
        say(harmless(f"{report.broken.promise:<9}  WRONG  {report.broken.text}"))
        say(f"{report.corpus} does not keep its promises; later checks were not run")
        say("nothing repairs a corpus in place; docs/repair.md says what to do instead")
        return
    say(f"corpus digest: {report.digest}")


def as_json(report: "Report") -> str:
    """The report with sorted keys."""
    import json
    from dataclasses import asdict

    plain = asdict(report) | {"ok": report.ok}
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False)


@contextlib.contextmanager
def progress() -> Iterator["Advance"]:
    """A bar on stderr while somebody watches; nothing otherwise."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda what, done, total: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("log", total=None)

        def advance(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield advance
