"""What is known of a seed source before any row is read: files, row groups, names, fingerprint.

A catalogue is a small value that travels: the driver opens it once from footers, workers read by
it, and a file that no longer has the footer recorded here is refused. Ordinals count rows in
catalogue order: files sorted by name, row groups in file order.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from seedcorn.core.codec import from_plain, to_plain
from seedcorn.core.errors import SeedError
from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.conversion import converted
from seedcorn.storage.seeds.files import PACKAGE, Filesystems, SourceFile, SourceListing, find_files
from seedcorn.storage.seeds.footers import (
    Columns,
    check_columns,
    check_group,
    read_footer,
)
from seedcorn.storage.seeds.keys import advice, keys_of
from seedcorn.storage.stores.store import Store

FOOTER_THREADS = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class SeedFile:
    """One Parquet file of a seed. `groups` are the rows of its row groups, in file order."""

    path: str
    name: str
    size: int
    etag: str
    footer: str
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A seed source as opened: what a reader needs, and what tells two seeds apart."""

    source: str
    """The source's name in lineage and reports."""
    files: tuple[SeedFile, ...]
    converted: bool
    """True: the files' paths are keys of the corpus store."""
    columns: Columns
    max_chars: int
    rows: int
    fingerprint: str
    """32 hex digits over names, sizes, ETags and footers, or over the content that was converted.

    Neither the folder a seed lies in nor a local modification time is part of it: a copied seed is
    the same seed.
    """
    problems: dict[str, int] | None = None
    """Unusable rows by problem where a conversion has counted them; None: not known before a scan."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; runs of equal row groups become [rows, how many]."""
        plain = to_plain(Catalogue, self)
        for file in plain["files"]:
            file["groups"] = [[rows, len(list(run))] for rows, run in groupby(file["groups"])]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Catalogue":
        """The inverse of `to_dict`."""
        files = [file | {"groups": _expanded(file["groups"])} for file in plain["files"]]
        return from_plain(cls, plain | {"files": files})


def open_catalogue(
    spec: SourceSpec, base: str, store: Store, store_spec: StoreSpec, group: str = ""
) -> Catalogue:
    """Find, check and if need be convert a source; raises SeedError before anything is grown.

    `base` is the recipe's folder, for relative paths. Reads Parquet footers only; everything else
    is converted once into `store`, under `seeds/`. `group`: as in `catalogue_of`.
    """
    spec = replace(spec, name=source_name(spec))
    filesystems = Filesystems(store_spec)
    return catalogue_of(spec, find_files(spec, base, filesystems), filesystems, store, group)


def is_empty(spec: SourceSpec, base: str, store_spec: StoreSpec) -> bool:
    """Whether a source that grows has no file at present, which is no error."""
    if not spec.grows:
        return False
    return not find_files(spec, base, Filesystems(store_spec), may_be_empty=True).files


def catalogue_of(
    spec: SourceSpec,
    source: SourceListing,
    filesystems: Filesystems,
    store: Store,
    group: str = "",
) -> Catalogue:
    """The catalogue of some files of a source, whose name stands in `spec`. `group` is the column or
    key by which its rows are held out together.

    Raises SeedError where no row can be used; of Parquet that is not known before it is read.
    """
    if source.format == "parquet":
        catalogue = _of_parquet(spec, source, filesystems, group)
    elif group and source.format == "text":
        raise SeedError(
            f"seed {spec.path}: plain text has no column {group!r} to hold out by; leave "
            "ledger.holdout.group out, or give the seed as JSONL or Parquet"
        )
    else:
        catalogue = _of_converted(spec, source, filesystems, store, group)
    if not catalogue.rows:
        raise SeedError(f"seed {spec.path}: holds no rows at all")
    problems = catalogue.problems or {}
    if sum(problems.values()) >= catalogue.rows:
        found = ", ".join(f"{count} {problem}" for problem, count in sorted(problems.items()))
        hint = advice(spec.text, keys_of(source, spec, filesystems))
        raise SeedError(f"seed {spec.path} has no usable document: {found}{hint and f'; {hint}'}")
    return catalogue


def _of_parquet(
    spec: SourceSpec, source: SourceListing, filesystems: Filesystems, group: str
) -> Catalogue:
    columns = Columns(spec.text, spec.id)

    def described(file: SourceFile) -> SeedFile:
        with closing(filesystems.open(file.path)) as handle:
            return _seed_file(handle, file, columns, group)

    with ThreadPoolExecutor(min(FOOTER_THREADS, len(source.files))) as threads:
        files = tuple(threads.map(described, source.files))
    content = [[file.name, file.size, file.etag, file.footer] for file in files]
    return _catalogue(spec, files, columns, _fingerprint(spec, "parquet", content), None)


def _of_converted(
    spec: SourceSpec, source: SourceListing, filesystems: Filesystems, store: Store, group: str
) -> Catalogue:
    columns = Columns("text", "id", "problem")
    conversion = converted(source, spec, filesystems, store, group)
    files: list[SeedFile] = []
    for part in conversion.parts:
        with closing(store.open(part.key)) as handle:
            name = PurePosixPath(part.key).name
            files.append(_seed_file(handle, SourceFile(part.key, name, part.bytes), columns))
    content = [list(item) for item in conversion.sources]
    fingerprint = _fingerprint(spec, source.format, content)
    return _catalogue(spec, tuple(files), columns, fingerprint, conversion.problems)


def _seed_file(handle: BinaryIO, file: SourceFile, columns: Columns, group: str = "") -> SeedFile:
    metadata, footer = read_footer(handle, file.path)
    check_columns(metadata, columns, file.path)
    if group:
        check_group(metadata, group, file.path)
    groups = tuple(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
    return SeedFile(file.path, file.name, file.size, file.etag, footer, groups)


def _catalogue(
    spec: SourceSpec,
    files: tuple[SeedFile, ...],
    columns: Columns,
    fingerprint: str,
    problems: dict[str, int] | None,
) -> Catalogue:
    return Catalogue(
        source=spec.name,
        files=files,
        converted=problems is not None,
        columns=columns,
        max_chars=spec.max_chars,
        rows=sum(sum(file.groups) for file in files),
        fingerprint=fingerprint,
        problems=problems,
    )


def _fingerprint(spec: SourceSpec, kind: str, content: list[list[Any]]) -> str:
    read_as = [kind, spec.text, spec.split, spec.max_chars]
    return digest("seed", canonical_json([read_as, content]), size=16).hex()


def source_name(spec: SourceSpec) -> str:
    """The given name, else the last part of the path that is more than a pattern."""
    if spec.name:
        if not _NAME.fullmatch(spec.name):
            raise SeedError(f"seed name {spec.name!r}: use letters, digits, '.', '_' and '-'")
        return spec.name
    for part in reversed(PurePosixPath(spec.path.removeprefix(PACKAGE)).parts):
        match = _NAME.match(part.split(".")[0])
        if match and not set("*?[") & set(part):
            return match.group()
    return "seed"


def _expanded(runs: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(chain.from_iterable([rows] * count for rows, count in runs))
