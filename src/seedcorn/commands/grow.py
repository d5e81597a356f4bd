"""`seedcorn grow RECIPE`: the main job, watched. Growing itself is in runtime/driver/grow.py."""

import argparse
import shlex
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_quiet, add_recipe, announce, command, stopped_at_once
from seedcorn.core.errors import INTERRUPTED
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from rich.console import Console

    from seedcorn.config import LoadedRecipe
    from seedcorn.core.ledger.rows import GenerationRow
    from seedcorn.runtime.driver.grow import Grown

NOTHING_ACCEPTED = 1
"""Exit code where every sample of the newest generation failed or was rejected."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_recipe(parser)
    add_quiet(parser)
    parser.epilog = (
        "Ctrl-C finishes what is in flight, commits what is complete and stops; a second one "
        "stops at once. Nothing committed or staged is lost: the same command continues."
    )


def run(arguments: argparse.Namespace) -> int:
    """Grow, then print the ledger, how it ended and what comes next."""
    import asyncio
    import sys

    announce(arguments)
    from seedcorn.commands.night import run_night
    from seedcorn.commands.views.live import watching
    from seedcorn.commands.views.output import console
    from seedcorn.config import load_recipe
    from seedcorn.runtime.driver.grow import grow
    from seedcorn.runtime.hosting import open_cluster

    loaded = load_recipe(arguments.recipe, arguments.overrides)
    if loaded.recipe.nightly.enabled:
        return run_night(arguments, loaded)
    screen = console()
    try:
        with watching(screen, arguments.quiet) as view:
            grown = grow(loaded, view, open_cluster)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write(stopped_at_once(command(arguments)))
        return INTERRUPTED
    return conclude(screen, arguments, loaded, grown)


def conclude(
    screen: "Console", arguments: argparse.Namespace, loaded: "LoadedRecipe", grown: "Grown"
) -> int:
    """The ledger, how it ended and what comes next, below what is wrong with it; the exit code."""
    from seedcorn.commands.show.barren import barren, why_barren
    from seedcorn.commands.views.ledger_table import print_ledger
    from seedcorn.storage.log.reading import read_ledger, read_state
    from seedcorn.storage.stores.opening import open_store

    store = open_store(loaded.recipe.corpus, loaded.recipe.store)
    # From the log where this run had nothing to do.
    rows = grown.rows or read_ledger(store).rows()
    nothing = barren(rows) if grown.complete else None
    if nothing is not None:
        screen.print(why_barren(nothing, store, read_state(store)), soft_wrap=True)
    if not arguments.quiet:
        print_ledger(screen, rows)
    if nothing is not None:
        screen.print(mending(nothing, grown, arguments), soft_wrap=True)
        return NOTHING_ACCEPTED
    screen.print(ending(grown, arguments, loaded.recipe.generations), soft_wrap=True)
    return 0 if grown.complete else INTERRUPTED


def mending(row: "GenerationRow", grown: "Grown", arguments: argparse.Namespace) -> str:
    """What to do about a generation of which nothing was accepted, as commands."""
    from seedcorn.commands.show.barren import most_frequent

    outcome, _ = most_frequent(row)
    show = shlex.join(["seedcorn", "show", grown.corpus, "--outcome", outcome])
    return (
        f"generation {row.generation} of corpus {grown.corpus} is finished with nothing accepted\n"
        f"see more of its samples with: {show}\n"
        f"find the cause with: {command(arguments, verb='doctor')}\n"
        "then, with the recipe corrected, grow another generation with: "
        f"{command(arguments, generations=grown.generations + 1)}"
    )


def ending(grown: "Grown", arguments: argparse.Namespace, asked: int) -> str:
    """How the run ended, and the next step as a command."""
    if not grown.complete:
        done, planned = grown.written
        begun = (
            f", with {done:,} of {counted(planned, 'sample')} of the next written" if done else ""
        )
        return (
            f"corpus {grown.corpus} is not complete: stopped after {grown.generations} of "
            f"{counted(asked, 'generation')}{begun}; everything finished is stored\n"
            f"continue with: {command(arguments)}"
        )
    if grown.reason and grown.generations:
        text = (
            f"corpus {grown.corpus} stopped after {counted(grown.generations, 'generation')}: "
            f"{grown.reason}"
        )
        onward = command(arguments, generations=max(grown.generations, asked) + 1)
        # More samples help where the plan ran out, and only there.
        return f"{text}\ngrow more with: {onward}" if grown.reason.startswith("exhausted") else text
    what = "is complete" if not grown.worked else "is complete now"
    onward = command(arguments, generations=max(grown.generations, asked) + 1)
    text = f"corpus {grown.corpus} {what}: {grown.generations} of {counted(asked, 'generation')}"
    if grown.changed:
        return (
            f"{text}; the recipe has changed since the newest: {grown.changed}\n"
            f"grow a generation by the changed recipe with: {onward}"
        )
    return f"{text}; grow more with: {onward}"
