"""Checkpoints: array snapshots of what the log implies. A cache; deleting them costs only time.

`checkpoints/<sequence>/` holds everything folded from log entries below `sequence` and nothing
beyond. The manifest, with the hash of every part, is written last: its existence means complete.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from seedcorn.core.errors import ObjectMissing
from seedcorn.core.identity import canonical_json, sha256_hex
from seedcorn.core.log.layout import CHECKPOINTS
from seedcorn.core.text.fingerprint import FINGERPRINT_VERSION
from seedcorn.storage.stores.store import Store

FORMAT = 1

_MANIFEST = re.compile(re.escape(CHECKPOINTS) + r"(\d{10,})/manifest\.json")

Arrays = dict[str, np.ndarray]


def checkpoint_prefix(sequence: int) -> str:
    """Where the checkpoint that covers entries below `sequence` lives."""
    return f"{CHECKPOINTS}{sequence:010d}/"


def write_checkpoint(
    store: Store, sequence: int, chain: str, parts: Mapping[str, Arrays], meta: Mapping[str, Any]
) -> None:
    """Write every part, then the manifest. Raises StoreError; a half checkpoint is ignored.

    `chain` is the sha256 of log entry `sequence` - 1, which binds the checkpoint to this log.
    """
    prefix, hashes = checkpoint_prefix(sequence), {}
    for name, arrays in parts.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "part.npz"
            np.savez(path, allow_pickle=False, **arrays)
            hashes[name] = _sha256_file(path)
            store.put(f"{prefix}{name}.npz", path)
    manifest = {
        "format": FORMAT,
        "fingerprint_version": FINGERPRINT_VERSION,
        "sequence": sequence,
        "chain": chain,
        "parts": hashes,
        "meta": dict(meta),
    }
    store.put(f"{prefix}manifest.json", canonical_json(manifest))


def checkpoint_sequences(store: Store) -> list[int]:
    """Sequences of complete-looking checkpoints, newest first."""
    matches = (_MANIFEST.fullmatch(info.key) for info in store.list(CHECKPOINTS))
    return sorted({int(match[1]) for match in matches if match}, reverse=True)


def checkpoint_chain(store: Store, sequence: int) -> str:
    """The sha256 of the log entry that a checkpoint is bound to; empty where it does not tell."""
    try:
        chain = json.loads(store.get(f"{checkpoint_prefix(sequence)}manifest.json"))["chain"]
    except (ObjectMissing, ValueError, KeyError, TypeError):
        return ""
    return chain if isinstance(chain, str) else ""


def read_checkpoint(
    store: Store,
    chains: Sequence[str],
    meta: Mapping[str, Any] | None,
    names: Sequence[str] | None = None,
    usable: Callable[[int], bool] = lambda sequence: True,
) -> tuple[int, dict[str, Arrays]]:
    """The newest usable checkpoint of this log with equal `meta`; (0, {}) if there is none.

    `chains[s]` is the sha256 of log entry s - 1; its length limits how new a checkpoint may be.
    `meta` None: whatever it was taken under. `names`: the parts to read, all of them by default.
    `usable` says whether one that covers so many entries holds nothing that was given up since.
    Anything doubtful (another format, another log, a wrong hash, a missing part) means: use an
    older one.
    """
    for sequence in checkpoint_sequences(store):
        if sequence >= len(chains) or not usable(sequence):
            continue
        parts = _load(store, sequence, chains[sequence], meta, names)
        if parts is not None:
            return sequence, parts
    return 0, {}


def _load(
    store: Store,
    sequence: int,
    chain: str,
    meta: Mapping[str, Any] | None,
    names: Sequence[str] | None,
) -> dict[str, Arrays] | None:
    prefix = checkpoint_prefix(sequence)
    try:
        manifest = json.loads(store.get(f"{prefix}manifest.json"))
        expected = (FORMAT, FINGERPRINT_VERSION, chain)
        recorded = tuple(manifest[k] for k in ("format", "fingerprint_version", "chain"))
        if recorded != expected or meta not in (None, manifest["meta"]):
            return None
        parts: dict[str, Arrays] = {}
        for name in manifest["parts"] if names is None else names:
            arrays = _load_part(store, f"{prefix}{name}.npz", manifest["parts"][name])
            if arrays is None:
                return None
            parts[name] = arrays
    except (ObjectMissing, ValueError, KeyError, TypeError, AttributeError):
        return None
    return parts


def _load_part(store: Store, key: str, sha256: str) -> Arrays | None:
    data = store.get(key)
    if sha256_hex(data) != sha256:
        return None
    with np.load(BytesIO(data), allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files}


def _sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
