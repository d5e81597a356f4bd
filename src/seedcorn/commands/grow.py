"""`seedcorn grow RECIPE`: the main job, watched. Growing itself is in runtime/driver/grow.py."""

import argparse
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_quiet, add_recipe, announce, command, stopped_at_once
from seedcorn.core.errors import INTERRUPTED
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from rich.console import Console

    from seedcorn.config import LoadedRecipe
    from seedcorn.runtime.driver.grow import Grown


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
    if not arguments.quiet:
        report(screen, loaded, grown)
    screen.print(ending(grown, arguments, loaded.recipe.generations), soft_wrap=True)
    return 0 if grown.complete else INTERRUPTED


def report(screen: "Console", loaded: "LoadedRecipe", grown: "Grown") -> None:
    """The ledger's table; from the log where this run had nothing to do."""
    from seedcorn.commands.views.ledger_table import print_ledger
    from seedcorn.storage.log.reading import read_ledger
    from seedcorn.storage.stores.opening import open_store

    rows = grown.rows
    if not rows:
        rows = read_ledger(open_store(loaded.recipe.corpus, loaded.recipe.store)).rows()
    print_ledger(screen, rows)


def ending(grown: "Grown", arguments: argparse.Namespace, asked: int) -> str:
    """How the run ended, and the next step as a command."""
    if not grown.complete:
        return (
            f"corpus {grown.corpus} is not complete: stopped after {grown.generations} of "
            f"{counted(asked, 'generation')}; everything finished is stored\ncontinue with: "
            f"{command(arguments)}"
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
    return (
        f"corpus {grown.corpus} {what}: {grown.generations} of {counted(asked, 'generation')}; "
        f"grow more with: {onward}"
    )
