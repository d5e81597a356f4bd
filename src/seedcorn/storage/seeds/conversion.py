"""Seeds without random access, converted once to Parquet inside the corpus store.

The folder is named after the source's identity (names, sizes, ETags or modification times, and
how it is read), its manifest is written last: where it stands, the conversion is complete and is
reused. A changed source gets another folder, so that a corpus can always read what it grew from.
"""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.codec import from_plain, to_plain
from seedcorn.core.errors import CorruptCorpus, ObjectMissing, SeedError
from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.log.layout import SEEDS
from seedcorn.core.recipe import SourceSpec
from seedcorn.storage.seeds.files import (
    Filesystems,
    SourceFile,
    SourceListing,
    is_remote,
    seed_errors,
)
from seedcorn.storage.seeds.lines import HashingReader, SeedRow, seed_rows
from seedcorn.storage.stores.store import Store

VERSION = 1
GROUP_ROWS = 8192
GROUP_BYTES = 4 << 20
"""A row group ends at either: small enough to decode for one document, few enough to list."""
PART_BYTES = 512 << 20
"""Text per part: bounds the local disk that a conversion needs."""
ENCODING: dict[str, Any] = {"compression": "zstd", "use_dictionary": ["problem"]}
"""Documents seldom repeat: a dictionary of them would cost time in writing and in reading."""
SCHEMA = pa.schema(
    [
        pa.field("text", pa.string()),
        pa.field("id", pa.string()),
        pa.field("problem", pa.string(), nullable=False),
    ]
)
GROUP = pa.field("group", pa.string())
"""A column more where the recipe names a key by which rows are held out together."""


@dataclass(frozen=True, slots=True)
class Part:
    """One converted Parquet object."""

    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """A complete conversion, as its manifest tells it."""

    parts: tuple[Part, ...]
    sources: tuple[tuple[str, int, str], ...]
    """(name, bytes, sha256) of each source file: what was read, wherever it lay."""
    problems: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows of all parts, the unusable ones included."""
        return sum(part.rows for part in self.parts)


def converted(
    source: SourceListing,
    spec: SourceSpec,
    filesystems: Filesystems,
    store: Store,
    group: str = "",
) -> Conversion:
    """The conversion of `source` in `store`, made now unless it stands there already. `group` is a
    key that is kept beside text and id.

    Raises SeedError where a file cannot be read or holds no row, StoreError where the store fails.
    """
    identity = _identity(source, spec, group)
    folder = f"{SEEDS}{identity[:16]}/"
    try:
        return _parsed(store.get(f"{folder}manifest.json"), folder, identity)
    except ObjectMissing:
        with _PartWriter(store, folder, SCHEMA.append(GROUP) if group else SCHEMA) as writer:
            conversion = _convert(source, spec, filesystems, writer, group)
    manifest = {"version": VERSION, "identity": identity} | to_plain(Conversion, conversion)
    store.put(f"{folder}manifest.json", canonical_json(manifest))
    return conversion


def files_converted(store: Store, folder: str) -> tuple[tuple[str, int, str], ...]:
    """(name, bytes, sha256) of the files that a conversion under `folder` has read.

    Raises ObjectMissing without one, CorruptCorpus for a manifest that is none.
    """
    data = store.get(f"{folder}manifest.json")
    return _parsed(data, folder, None).sources


def _identity(source: SourceListing, spec: SourceSpec, group: str) -> str:
    options = [VERSION, source.format, spec.text, spec.id, spec.split, spec.max_chars]
    options += [group] if group else []
    files = [[file.name, file.size, file.stamp] for file in source.files]
    return digest("seed conversion", canonical_json([options, files])).hex()


def _parsed(data: bytes, folder: str, identity: str | None) -> Conversion:
    """`identity` is what it must be about; None takes any."""
    try:
        manifest: dict[str, Any] = json.loads(data)
        if identity is not None and manifest["identity"] != identity:
            raise ValueError("it describes another source")
        described = {key: manifest[key] for key in Conversion.__dataclass_fields__}
        return from_plain(Conversion, described)
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptCorpus(
            f"{folder}manifest.json is not a seed manifest ({error}); "
            "delete it to convert the seed again"
        ) from error


def _convert(
    source: SourceListing,
    spec: SourceSpec,
    filesystems: Filesystems,
    writer: "_PartWriter",
    group: str,
) -> Conversion:
    sources: list[tuple[str, int, str]] = []
    problems: Counter[str] = Counter()
    for file in source.files:
        with seed_errors(file.path), closing(filesystems.open(file.path, stream=True)) as raw:
            reader = HashingReader(raw)
            rows = seed_rows(reader, file.name, source.format, spec, group)
            for row in _counted(rows, problems):
                writer.add(row)
            sources.append((file.name, file.size, reader.finish()))
            _refuse_change(file, reader.count, filesystems)
    parts = writer.finish()
    if not parts:
        raise SeedError(f"seed {spec.path}: holds no document at all")
    return Conversion(parts, tuple(sources), dict(sorted(problems.items())))


def _refuse_change(file: SourceFile, read: int, filesystems: Filesystems) -> None:
    """Raises SeedError unless as many bytes were read as were listed, and none was written since.

    Object stores answer reads of a replaced object with an error of their own.
    """
    changed = read != file.size
    if file.modified and not is_remote(file.path):
        filesystem, stripped = filesystems.resolve(file.path)
        changed = changed or str(filesystem.info(stripped)["mtime"]) != file.modified
    if changed:
        raise SeedError(
            f"seed {file.path}: changed while it was read ({read} bytes, {file.size} were listed); "
            "wait until it is complete, then start again"
        )


def _counted(rows: Iterator[SeedRow], problems: Counter[str]) -> Iterator[SeedRow]:
    for row in rows:
        if row.problem:
            problems[str(row.problem)] += 1
        yield row


class _PartWriter:
    """Rows into row groups, row groups into parts, each part uploaded whole once it is closed."""

    def __init__(self, store: Store, folder: str, schema: pa.Schema) -> None:
        self._store = store
        self._folder = folder
        self._schema = schema
        self._temporary = tempfile.TemporaryDirectory(prefix="seedcorn-seed-")
        self._rows: list[SeedRow] = []
        self._group_bytes = 0
        self._part_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._parts: list[Part] = []

    def __enter__(self) -> "_PartWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            self._writer.close()
        self._temporary.cleanup()

    def add(self, row: SeedRow) -> None:
        """Append one row."""
        self._rows.append(row)
        self._group_bytes += len(row.text or "") + 64
        if len(self._rows) >= GROUP_ROWS or self._group_bytes >= GROUP_BYTES:
            self._end_group()
            if self._part_bytes >= PART_BYTES:
                self._end_part()

    def finish(self) -> tuple[Part, ...]:
        """Upload what is left; all parts in order."""
        if self._rows:
            self._end_group()
        if self._writer is not None:
            self._end_part()
        return tuple(self._parts)

    @property
    def _path(self) -> Path:
        return Path(self._temporary.name, f"part-{len(self._parts):05d}.parquet")

    def _end_group(self) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, self._schema, **ENCODING)
        columns = list(zip(*self._rows, strict=True))[: len(self._schema)]
        arrays = [pa.array(list(column), pa.string()) for column in columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._part_bytes += self._group_bytes
        self._rows, self._group_bytes = [], 0

    def _end_part(self) -> None:
        assert self._writer is not None
        self._writer.close()
        self._writer = None
        path = self._path
        rows = pq.read_metadata(path).num_rows
        with path.open("rb") as handle:
            sha = hashlib.file_digest(handle, "sha256").hexdigest()
        key = f"{self._folder}{path.name}"
        part = Part(key, rows, path.stat().st_size, sha)
        self._store.put(key, path)
        path.unlink()
        self._parts.append(part)
        self._part_bytes = 0
