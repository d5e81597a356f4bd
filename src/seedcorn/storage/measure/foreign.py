"""Documents of other tools, read from front to back in bounded memory; nothing is written.

Parquet goes through the seed reader. JSONL and plain text have no row count: they are read once to
count and check, and once for the texts, so that a wrong file is refused before anything is
measured. Invariant: both passes see the same rows, or the source is refused.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import open_catalogue
from seedcorn.storage.seeds.files import (
    PACKAGE,
    Filesystems,
    SourceFile,
    SourceListing,
    find_files,
    seed_errors,
)
from seedcorn.storage.seeds.lines import HashingReader, Problem, SeedRow, seed_rows
from seedcorn.storage.seeds.reader import ScanBatch, SeedReader
from seedcorn.storage.stores.memory import MemoryStore

ROWS = 4096
CHARS = 16 << 20
"""A batch of text ends at either."""
PEEKED = 100
"""Rows of a JSONL file in which the text key must occur."""


@dataclass(frozen=True, slots=True)
class Documents:
    """One source of documents."""

    spec: SourceSpec
    store_spec: StoreSpec
    rows: int
    """Documents, and rows that hold none."""
    _streamed: SourceListing | None

    def scan(self) -> Iterator[ScanBatch]:
        """All rows in order, at most 4096 and about 32 MiB of text at a time; raises SeedError."""
        if self._streamed is None:
            yield from self._reader().scan(ROWS)
            return
        found = 0
        for batch in self._batches(self._streamed):
            found += len(batch.usable)
            yield batch
        if found != self.rows:
            raise SeedError(
                f"seed {self.spec.path}: held {self.rows} rows, then {found}: it was changed while "
                "it was read"
            )

    def _reader(self) -> SeedReader:
        catalogue = open_catalogue(self.spec, ".", _nowhere(), self.store_spec)
        return SeedReader(catalogue, _nowhere(), self.store_spec)

    def _batches(self, source: SourceListing) -> Iterator[ScanBatch]:
        pending: list[SeedRow] = []
        first = chars = 0
        filesystems = Filesystems(self.store_spec)
        for file in source.files:
            for row in _rows_of(file, filesystems, source.format, self.spec):
                pending.append(row)
                chars += len(row.text or "")
                if len(pending) >= ROWS or chars >= CHARS:
                    yield _batch(pending, first)
                    first += len(pending)
                    pending, chars = [], 0
        if pending:
            yield _batch(pending, first)


def open_documents(spec: SourceSpec, store_spec: StoreSpec) -> Documents:
    """Find, check and count a source of Parquet, JSONL or plain text, on any fsspec store.

    Raises SeedError for one that is not there, has no text column or key, or holds no row.
    """
    filesystems = Filesystems(store_spec)
    source = find_files(spec, ".", filesystems)
    if source.format == "parquet":
        spec = replace(spec, name=spec.name or "parquet")
        rows = open_catalogue(spec, ".", _nowhere(), store_spec).rows
        return Documents(spec, store_spec, rows, None)
    rows = sum(_count(file, filesystems, source.format, spec) for file in source.files)
    if not rows:
        raise SeedError(f"seed {spec.path}: holds no document at all")
    if source.format == "jsonl":
        _check_key(source, filesystems, spec)
    return Documents(spec, store_spec, rows, source)


def source_name(path: str) -> str:
    """What a path is called in tables: its last part that is no pattern, without endings."""
    for part in reversed(PurePosixPath(path.removeprefix(PACKAGE)).parts):
        if not set("*?[") & set(part) and (stem := part.split(".")[0].strip("/:")):
            return stem
    return "text"


def _nowhere() -> MemoryStore:
    """The store that a reader of Parquet asks for and never uses."""
    return MemoryStore("measured")


def _rows_of(
    file: SourceFile, filesystems: Filesystems, kind: str, spec: SourceSpec
) -> Iterator[SeedRow]:
    with seed_errors(file.path), closing(filesystems.open(file.path, stream=True)) as raw:
        yield from seed_rows(HashingReader(raw), file.name, kind, spec)


def _count(file: SourceFile, filesystems: Filesystems, kind: str, spec: SourceSpec) -> int:
    """Rows of one file. A JSONL row is a line that is not blank, whatever stands in it."""
    if kind == "text" and spec.split == "file":
        return 1
    lines = replace(spec, split="line") if kind == "jsonl" else spec
    return sum(1 for _ in _rows_of(file, filesystems, "text", lines))


def _check_key(source: SourceListing, filesystems: Filesystems, spec: SourceSpec) -> None:
    """Raise SeedError where none of the first rows has the text key."""
    file = source.files[0]
    rows = islice(_rows_of(file, filesystems, "jsonl", spec), PEEKED)
    problems = [row.problem for row in rows]
    if any(problem != Problem.NO_TEXT for problem in problems) or not problems:
        return
    lines = replace(spec, split="line")
    first = next(_rows_of(file, filesystems, "text", lines)).text or "{}"
    keys = ", ".join(sorted(json.loads(first)))
    raise SeedError(f"seed {file.path}: no text under {spec.text!r}; its keys are {keys}")


def _batch(rows: list[SeedRow], first: int) -> ScanBatch:
    usable = np.array([not row.problem for row in rows], bool)
    texts = pa.array([row.text or "" for row in rows], pa.string())
    return ScanBatch(first, texts, usable, dict(Counter(r.problem for r in rows if r.problem)))
