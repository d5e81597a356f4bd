"""Deleting what the log no longer needs. Safe beside a live writer, at any time.

The state that is passed in may be older than the listings made here, and that order is the safe
one: entries only ever commit units above those that are committed, so whatever an older state calls
dead stays dead, and an object that a newer entry names holds units which the older state leaves
alone.
"""

from collections.abc import Iterable

from seedcorn.core.log.entries import BatchCommitted, Entry, Measurement, Withdrawn
from seedcorn.core.log.garbage import garbage
from seedcorn.core.log.layout import (
    CHECKPOINTS,
    DATA,
    DROPPED,
    MEASUREMENTS,
    SEEDS,
    SKETCHES,
    STAGING,
)
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.log.checkpoints import checkpoint_prefix, checkpoint_sequences
from seedcorn.storage.stores.local import TEMPORARY, LocalStore
from seedcorn.storage.stores.store import Store

KEPT_CHECKPOINTS = 2
"""Newest complete checkpoints that stay: one to use, one in case it turns out damaged."""
PROBES = "probe-"
"""Beginning of the prefixes that a store's probe uses (storage/conformance/probe.py)."""


def collect(store: Store, state: CorpusState, dry: bool = False) -> list[str]:
    """Delete unnamed shards and committed segments; returns their keys. `dry`: only tell."""
    keys = [info.key for prefix in (DATA, DROPPED, STAGING) for info in store.list(prefix)]
    return _delete(store, garbage(state, keys), dry)


def collect_checkpoints(store: Store, dry: bool = False) -> list[str]:
    """Delete checkpoints older than the newest ones, and pieces of older ones that never became
    complete; returns the keys. They are only a cache."""
    complete = checkpoint_sequences(store)
    kept = complete[:KEPT_CHECKPOINTS]
    keys = [info.key for info in store.list(CHECKPOINTS)]
    # A piece beyond the newest complete one may belong to a checkpoint that is being written.
    newest = max(kept, default=0)
    live = tuple(checkpoint_prefix(sequence) for sequence in kept)
    deletable = [key for key in keys if not key.startswith(live) and _sequence(key) < newest]
    # The manifest goes first: without it the rest is not a checkpoint any more.
    return _delete(
        store, sorted(deletable, key=lambda k: (not k.endswith("manifest.json"), k)), dry
    )


def unproven(store: Store, entries: Iterable[Entry]) -> dict[str, int]:
    """Objects by prefix that no entry names, and that nothing proves dead: a process that lives may
    be about to name them. Seed conversions without a manifest, probes, sketches, measurements and
    unfinished files of a local store."""
    named = {key for entry in entries for key in _names(entry)}
    loose = [
        info.key
        for prefix in (SKETCHES, MEASUREMENTS, PROBES)
        for info in store.list(prefix)
        if info.key not in named
    ]
    folders = _by_folder(info.key for info in store.list(SEEDS))
    unfinished = {
        folder: len(keys)
        for folder, keys in folders.items()
        if f"{folder}manifest.json" not in keys
    }
    found = unfinished | {folder: len(keys) for folder, keys in _by_folder(loose).items()}
    pieces = _temporary(store)
    return found | ({f"{TEMPORARY}/": pieces} if pieces else {})


def _delete(store: Store, deletable: list[str], dry: bool) -> list[str]:
    if not dry:
        for key in deletable:
            store.delete(key)
    return deletable


def _sequence(key: str) -> int:
    """The number of the checkpoint that a key belongs to; beyond all of them where it is none."""
    number = key.removeprefix(CHECKPOINTS).partition("/")[0]
    is_ours = number.isdecimal() and checkpoint_prefix(int(number)) == f"{CHECKPOINTS}{number}/"
    return int(number) if is_ours else 10**18


def _names(entry: Entry) -> Iterable[str]:
    body = entry.body
    if isinstance(body, Measurement):
        return [ref.key for ref in (*body.objects, *body.counts.values())]
    refs = [body.sketch] if isinstance(body, BatchCommitted | Withdrawn) else []
    refs += [body.ids] if isinstance(body, Withdrawn) else []
    return [ref.key for ref in refs if ref is not None]


def _temporary(store: Store) -> int:
    """Unfinished files: of processes that died, or that are writing now."""
    if not isinstance(store, LocalStore):
        return 0
    folder = store.root / TEMPORARY
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def _by_folder(keys: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in keys:
        found.setdefault(f"{key.rpartition('/')[0]}/", set()).add(key)
    return found
