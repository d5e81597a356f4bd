"""Deleting what the log no longer needs. Safe beside a live writer, at any time."""

from seedcorn.core.garbage import garbage
from seedcorn.core.layout import DATA, DROPPED, STAGING
from seedcorn.core.state import CorpusState
from seedcorn.storage.checkpoints import checkpoint_prefix, checkpoint_sequences
from seedcorn.storage.store import Store

KEPT_CHECKPOINTS = 2
"""Newest complete checkpoints that stay: one to use, one in case it turns out damaged."""


def collect(store: Store, state: CorpusState) -> list[str]:
    """Delete unnamed shards and committed segments; returns their keys."""
    keys = [info.key for prefix in (DATA, DROPPED, STAGING) for info in store.list(prefix)]
    doomed = garbage(state, keys)
    for key in doomed:
        store.delete(key)
    return doomed


def collect_checkpoints(store: Store) -> list[str]:
    """Delete checkpoints older than the newest ones; returns the keys. They are only a cache."""
    doomed: list[str] = []
    for sequence in checkpoint_sequences(store)[KEPT_CHECKPOINTS:]:
        keys = [info.key for info in store.list(checkpoint_prefix(sequence))]
        # The manifest goes first: without it the rest is not a checkpoint any more.
        doomed += sorted(keys, key=lambda key: not key.endswith("manifest.json"))
    for key in doomed:
        store.delete(key)
    return doomed
