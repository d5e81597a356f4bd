"""`seedcorn gc CORPUS`: delete what the log no longer needs. Safe beside a live writer.

Leftovers that names and log alone cannot prove dead may belong to a process that is alive: they are
reported and left alone.
"""

import argparse

from seedcorn.commands.arguments import add_corpus
from seedcorn.core.figures import counted


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")


def run(arguments: argparse.Namespace) -> int:
    """Delete garbage and old checkpoints; print every key."""
    from seedcorn.commands.corpus import open_corpus
    from seedcorn.commands.views.output import harmless, say
    from seedcorn.storage.log.garbage import collect, collect_checkpoints, unproven
    from seedcorn.storage.log.log import read_log
    from seedcorn.storage.log.reading import read_state

    store, dry = open_corpus(arguments), arguments.dry_run
    entries = list(read_log(store))
    state = read_state(store, entries)
    deleted = [*collect(store, state, dry), *collect_checkpoints(store, dry)]
    outcome = "would be deleted" if dry else "deleted"
    for key in deleted:
        say(harmless(f"{'would delete' if dry else 'deleted'} {key}"))
    say(f"{counted(len(deleted), 'object')} {outcome} from {store.uri}")
    for prefix, objects in sorted(unproven(store, entries).items()):
        say(
            harmless(
                f"left alone: {counted(objects, 'object')} under {prefix} (delete them if no "
                "seedcorn is running)"
            )
        )
    return 0
