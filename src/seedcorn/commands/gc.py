"""`seedcorn gc CORPUS`: delete what the log no longer needs. Safe beside a live writer.

Leftovers that names and log alone cannot prove dead (a seed conversion that never finished, a
store probe) may belong to a process that is alive: they are reported and left alone.
"""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_corpus
from seedcorn.core.layout import SEEDS

if TYPE_CHECKING:
    from seedcorn.storage.store import Store

PROBES = "probe-"
"""Beginning of the prefixes that a store's probe uses (storage/conformance.py)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete garbage and old checkpoints; print every key."""
    from seedcorn.commands.corpus import read_corpus
    from seedcorn.commands.output import say
    from seedcorn.storage.garbage import collect, collect_checkpoints

    store, state = read_corpus(arguments)
    deleted = [*collect(store, state), *collect_checkpoints(store)]
    for key in deleted:
        say(f"deleted {key}")
    say(f"{len(deleted)} objects deleted from {store.uri}")
    for prefix, objects in sorted(leftovers(store).items()):
        say(f"left alone: {objects} objects under {prefix} (delete them if no seedcorn is running)")
    return 0


def leftovers(store: "Store") -> dict[str, int]:
    """Objects by prefix: probes, and seed conversions without a manifest."""
    folders = _by_folder(info.key for info in store.list(SEEDS))
    unfinished = {
        folder: len(keys)
        for folder, keys in folders.items()
        if f"{folder}manifest.json" not in keys
    }
    probes = _by_folder(info.key for info in store.list(PROBES))
    return unfinished | {folder: len(keys) for folder, keys in probes.items()}


def _by_folder(keys: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in keys:
        found.setdefault(f"{key.rpartition('/')[0]}/", set()).add(key)
    return found
