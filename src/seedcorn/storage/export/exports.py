"""Writing an export: shards first, each whole and named by its content, the manifest last.

Invariant: whoever follows `export.json` sees complete shards only, at any moment. A run that dies
leaves objects that no manifest names; the next run with the same options makes the same bytes and
uses them. Memory is one run of the shuffle, its ordered copy and a few corpus shards: about half a
gigabyte beside the ledger's fold, whatever the size of corpus and export.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from seedcorn.core.errors import ObjectMissing, StoreUnsafe
from seedcorn.core.export.exports import TARGET_BYTES, ExportError, Options
from seedcorn.core.export.manifest import (
    DATA,
    KEY,
    Increment,
    Manifest,
    decode,
    empty,
    encode,
    require_same_options,
)
from seedcorn.core.log.layout import log_key
from seedcorn.storage.export.adding import Adding, Counting
from seedcorn.storage.export.filling import require_filled
from seedcorn.storage.export.rewriting import Rewriter
from seedcorn.storage.export.rows import ExportRows
from seedcorn.storage.export.source import Corpus
from seedcorn.storage.stores.store import Store


@dataclass(slots=True)
class ExportTarget:
    """A target before this run."""

    store: Store
    manifest: Manifest | None
    data: bytes | None
    """The manifest's bytes."""
    there: dict[str, int] = field(default_factory=dict)
    """Its data objects: key to bytes."""


@dataclass(slots=True)
class Written:
    """What a run did to a target, before its manifest is put."""

    manifest: Manifest
    added: Increment | None
    uploaded: int = 0
    reused: int = 0
    """Shards that a run before had left there."""
    replaced: list[str] = field(default_factory=list)
    """Keys of shards that were written anew without withdrawn samples."""


def read_target(target: Store, options: Options) -> ExportTarget:
    """What stands at the target. Raises ExportError for a corpus, for other options, and where
    there is no such file system; FormatError, CorruptCorpus for a manifest that cannot be read."""
    try:
        data = _get(target, KEY)
    except (ImportError, ValueError) as error:
        raise ExportError(f"{target.uri}: no file system for this URL: {error}") from error
    if data is None and _get(target, log_key(0)) is not None:
        raise ExportError(f"{target.uri} is a corpus; an export needs a place of its own")
    manifest = None if data is None else decode(data, f"{target.uri}/{KEY}")
    if manifest is not None:
        require_same_options(manifest, options, target.uri)
    there = {item.key: item.size for item in target.list(DATA)}
    export_target = ExportTarget(target, manifest, data, there)
    missing = [
        shard.key for shard in (manifest.shards if manifest else []) if shard.key not in there
    ]
    if missing:
        raise ExportError(
            f"{target.uri}: {missing[0]} is named by {KEY} but missing; use a new target"
        )
    return export_target


def export(
    corpus: Corpus,
    export_target: ExportTarget,
    options: Options,
    counting: Counting,
    target_bytes: int = TARGET_BYTES,
) -> Written:
    """Add what the target does not cover yet, take out what was withdrawn or abandoned since.

    Nothing that readers follow changes before `publish`. Raises ExportError for columns that cannot
    be filled, StoreError, CorruptCorpus.
    """
    before = export_target.manifest or empty(options)
    head = corpus.head
    with tempfile.TemporaryDirectory(prefix="seedcorn-export-") as name:
        folder = Path(name)
        rows = ExportRows(corpus, options, before.sequence)
        require_filled(corpus.store, rows.named, options.columns, not before.increments)
        written = _without_withdrawn(corpus, export_target, before, counting, folder)
        if rows.accepted:
            number = len(before.increments)
            target = export_target.store
            adding = Adding(
                rows, target, export_target.there, folder, number, target_bytes, counting
            )
            key = options.shuffle_key(before.sequence)
            written.added = adding.run(before.sequence, head.sequence, key)
            written.uploaded, written.reused = adding.uploaded, adding.reused
    increments = (*written.manifest.increments, *([written.added] if written.added else []))
    written.manifest = replace(
        written.manifest, sequence=head.sequence, head=head.previous, increments=increments
    )
    return written


def _without_withdrawn(
    corpus: Corpus, export_target: ExportTarget, before: Manifest, counting: Counting, folder: Path
) -> Written:
    """Shards that hold samples withdrawn since, or of generations abandoned since, written anew."""
    since = before.sequence
    gone = corpus.withdrawn(since) | corpus.given_up(since) if before.shards else frozenset()
    if not gone:
        return Written(before, None)
    rewriter = Rewriter(export_target.store, export_target.there, folder, gone)
    with counting("checked for withdrawn samples", before.rows) as advance:
        manifest = rewriter.rewrite(before, advance)
    return Written(manifest, None, replaced=rewriter.replaced)


def publish(export_target: ExportTarget, manifest: Manifest, objects: dict[str, bytes]) -> bool:
    """Put the small objects, then the manifest; returns whether anything changed.

    Raises ExportError when another export wrote its manifest meanwhile.
    """
    data = encode(manifest)
    _require_unchanged(export_target)
    for key, content in objects.items():
        if _get(export_target.store, key) != content:
            export_target.store.put(key, content)
    if data == export_target.data:
        return False
    _require_unchanged(export_target)
    _put_manifest(export_target, data)
    return True


def remove(target: Store, keys: list[str]) -> None:
    """Delete data objects that no manifest names."""
    for key in keys:
        target.delete(key)


def _require_unchanged(export_target: ExportTarget) -> None:
    if _get(export_target.store, KEY) != export_target.data:
        raise _overtaken(export_target)


def _put_manifest(export_target: ExportTarget, data: bytes) -> None:
    if export_target.data is None:
        try:
            if export_target.store.put_if_absent(KEY, data) != data:
                raise _overtaken(export_target)
            return
        except StoreUnsafe:
            pass  # A hub has no such write; the look just before has to do.
    export_target.store.put(KEY, data)


def _overtaken(export_target: ExportTarget) -> ExportError:
    return ExportError(
        f"{export_target.store.uri}: another export wrote its {KEY} meanwhile; run the same command "
        "again, which adds what is still missing"
    )


def _get(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except ObjectMissing:
        return None
