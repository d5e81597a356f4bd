"""Starting from the newest checkpoint and the log after it, instead of from entry 0.

A checkpoint's folds are what its program made of the log below a number. They are taken only where
the entry before that number still has the hash they are bound to, which through the chain binds all
entries; where their bytes have the hash of the manifest; and where this program's folds have the
same fields and version. Anything else means: fold the log from the start. `verify` never uses them.
"""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import zstandard

from seedcorn.core.codec import freeze, shape, thaw
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.figures import counted
from seedcorn.core.identity import sha256_hex
from seedcorn.core.ledger.ledger import FoldState, Ledger
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.log.checkpoints import Arrays, checkpoint_sequences, read_checkpoint
from seedcorn.storage.log.log import Head, LogReader, StoredChains, last_listed
from seedcorn.storage.stores.store import Store

FOLDS = 4
"""Version of what the folds mean: goes up when a fold makes something else of the same entries."""
STATE, BOOKS = "state", "books"
"""Parts of a checkpoint."""
_KINDS = {STATE: CorpusState, BOOKS: FoldState}
_LEVEL = 3


def folds(state: CorpusState, ledger: Ledger) -> dict[str, Arrays]:
    """The parts of a checkpoint that hold the folds, beside the arrays of index and history."""
    return {STATE: _pack(STATE, state), BOOKS: _pack(BOOKS, ledger.fold_state)}


def resume(store: Store) -> tuple[CorpusState, Head]:
    """State and head of the log, read from the newest checkpoint on.

    Raises CorruptCorpus for a log that ends before a checkpoint of it, and what reading raises.
    """
    stop = max(checkpoint_sequences(store), default=0)
    state, head = CorpusState(), Head()
    if stop:
        chains = StoredChains(store, stop)
        _require_end(store, stop)
        covered, parts = read_checkpoint(store, chains, None, [STATE])
        if (held := unpack(STATE, parts)) is not None:
            state, head = held, Head(covered, chains[covered])
    reader = LogReader(store, head)
    for entry in reader:
        state.apply(entry)
    return state, reader.head


def unpack(name: str, parts: Mapping[str, Arrays]) -> Any:
    """The fold in this part; None where there is none that this program could have written."""
    held = parts.get(name)
    if held is None or held.get("mark", np.zeros(0)).tobytes() != _mark(name):
        return None
    data = zstandard.ZstdDecompressor().decompress(held["json"].tobytes())
    with collector_paused():
        return thaw(_KINDS[name], json.loads(data))


def _pack(name: str, value: CorpusState | FoldState) -> Arrays:
    frozen = freeze(_KINDS[name], value)
    text = json.dumps(frozen, separators=(",", ":"), ensure_ascii=False)
    data = zstandard.ZstdCompressor(_LEVEL).compress(text.encode("utf-8", "surrogatepass"))
    return {
        "json": np.frombuffer(data, np.uint8),
        "mark": np.frombuffer(_mark(name), np.uint8),
    }


@contextmanager
def collector_paused() -> Iterator[None]:
    """For making a million values that are no cycles: looking for some among them doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _mark(name: str) -> bytes:
    return sha256_hex(f"{FOLDS} {shape(_KINDS[name])}".encode()).encode()


def _require_end(store: Store, stop: int) -> None:
    """A driver that resumed from an older log would commit other samples under used numbers."""
    if StoredChains(store, stop)[stop]:
        return
    held = last_listed(store) + 1
    if held < stop:
        raise CorruptCorpus(
            f"{store.uri}: the log ends after {counted(held, 'entry', 'entries')}, but a "
            f"checkpoint covers {stop}: entries were lost from its end; restore them from a "
            "backup, or delete checkpoints/ to continue from what is left"
        )
