"""`seedcorn night RECIPE`: one generation tonight, and in the morning what it added.

One line on stdout per night reported, for schedulers; everything else goes to stderr or, in a
terminal, to the live view. Growing is in runtime/driver/night.py, the report in report.py.
"""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seedcorn.commands.arguments import add_quiet, add_recipe, announce, command, stopped_at_once
from seedcorn.core.errors import INTERRUPTED

if TYPE_CHECKING:
    from seedcorn.config import LoadedRecipe
    from seedcorn.core.night.document import NightReport
    from seedcorn.core.recipe import Recipe
    from seedcorn.runtime.driver.night import NightOutcome


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_recipe(parser)
    add_quiet(parser)
    parser.epilog = (
        "Grows one generation a night, whatever `generations` says, however often it is started. "
        "Exit codes: 0 done or nothing to do, 75 another process is growing the corpus, 130 "
        "stopped with everything kept: the same command continues."
    )


def run(arguments: argparse.Namespace) -> int:
    """Grow tonight's generation, then report on it."""
    announce(arguments)
    from seedcorn.config import load_recipe

    return run_night(arguments, load_recipe(arguments.recipe, arguments.overrides))


def run_night(
    arguments: argparse.Namespace,
    loaded: "LoadedRecipe",
    clock: Callable[[], float] = time.time,
) -> int:
    """Grow tonight's generation, write the reports that are missing, say what it added."""
    import asyncio
    import sys

    from seedcorn.commands.views.live import watching
    from seedcorn.commands.views.output import console, say
    from seedcorn.core.errors import CorpusBusy, SeedcornError
    from seedcorn.runtime.driver.night import grow_night
    from seedcorn.runtime.hosting import open_cluster

    try:
        with watching(console(), arguments.quiet) as view:
            outcome = grow_night(loaded, view, open_cluster, clock)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write(stopped_at_once(command(arguments, verb="night")))
        return INTERRUPTED
    except CorpusBusy:
        raise
    except SeedcornError as error:
        send_webhook(loaded.recipe, {"status": "failed", "text": f"night failed: {error}"})
        raise
    for line in report_on(loaded.recipe, outcome):
        say(line)
    return 0 if outcome.grown.complete else INTERRUPTED


def report_on(recipe: "Recipe", outcome: "NightOutcome") -> list[str]:
    """Write what is to be reported and send it; returns one line per night, tonight's last."""
    from seedcorn.commands.night.report import write_reports
    from seedcorn.core.night.report_text import summary
    from seedcorn.storage.stores.opening import open_store

    night, rest = outcome.night, outcome.rest
    store = open_store(recipe.corpus, recipe.store)
    where = f"; corpus {store.uri}"
    if rest is None:
        kept = "stopped, everything finished is kept; run it again to continue"
        return [f"night {night.key}: {kept}{where}"]
    written = write_reports(store, recipe.store, night, rest)
    lines = []
    for one in written:
        lines.append(summary(one) + where)
        send_webhook(recipe, message(one))
    if not any(one["night"] == night.key for one in written):
        lines.append(f"night {night.key}: nothing to do: {rest.text}{where}")
    return lines


def message(one: "NightReport") -> dict[str, Any]:
    """What a webhook is sent: `text` for people, the headline figures for programs."""
    from seedcorn.core.night.report_text import summary

    figures = ("night", "status", "generation", "reason", "unique", "counts", "next", "alarms")
    return {"text": summary(one), **{key: one.get(key) for key in figures}}


def send_webhook(recipe: "Recipe", payload: dict[str, Any]) -> None:
    """Send it to the URL that the environment holds, if the recipe names a variable for one."""
    import logging
    import os

    from seedcorn.runtime.jobs.webhook import notify

    variable = recipe.nightly.webhook_env
    if not variable:
        return
    url = os.environ.get(variable, "")
    if not url:
        logging.getLogger(__name__).warning("webhook: %s is not set; nothing was sent", variable)
        return
    notify(url, payload)
