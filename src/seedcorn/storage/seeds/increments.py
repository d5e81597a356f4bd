"""A seed that grows: files that appear later become an increment of their own.

An increment is a catalogue of whole files. Which files those are stands in the catalogue itself
(Parquet) or in the manifest of its conversion. Invariant: what the log already holds must be found
as it was; a file that changed, were it only longer, is refused, because samples name its rows.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seedcorn.core.decisions.growth import increment_name
from seedcorn.core.errors import SeedError
from seedcorn.core.figures import counted
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import Catalogue, catalogue_of, open_catalogue, source_name
from seedcorn.storage.seeds.conversion import files_converted
from seedcorn.storage.seeds.files import Filesystems, SourceFile, SourceListing, find_files
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)


def open_source(
    spec: SourceSpec,
    base: str,
    stores: tuple[Store, StoreSpec],
    logged: Sequence[Catalogue],
    settled: float | None = None,
) -> list[Catalogue]:
    """The source's increments that the log holds, as they are now, then one of its new files.

    `stores` is the corpus store and how remote ones are reached, `logged` what the log has of the
    source, in order. New files that changed after `settled` (Unix seconds) wait. Raises SeedError
    for a file that changed or is gone, and for new files where the source does not grow.
    """
    if len(logged) < 2 and not (spec.grows and logged):
        return [open_catalogue(spec, base, *stores)]
    spec = replace(spec, name=source_name(spec))
    filesystems = Filesystems(stores[1])
    source = find_files(spec, base, filesystems)
    listed = {file.name: file for file in source.files}
    found: list[Catalogue] = []
    for catalogue in logged:
        files = _unchanged(catalogue, listed, spec, stores[0])
        part = catalogue_of(spec, SourceListing(source.format, files), filesystems, stores[0])
        _refuse_other_content(spec, catalogue, part)
        found.append(replace(part, source=catalogue.source))
        for file in files:
            del listed[file.name]
    fresh = _settled(list(listed.values()), spec, settled)
    if fresh:
        if not spec.grows:
            raise SeedError(
                f"seed {spec.path}: {fresh[0].name} appeared since the corpus was grown from it; "
                f"set `grows: true` on source {spec.name}, or move the file away"
            )
        part = catalogue_of(spec, SourceListing(source.format, fresh), filesystems, stores[0])
        found.append(replace(part, source=increment_name(spec.name, len(logged))))
    return found


def _unchanged(
    logged: Catalogue, listed: Mapping[str, SourceFile], spec: SourceSpec, store: Store
) -> tuple[SourceFile, ...]:
    """The files of an increment as they are listed; their sizes must be what they were."""
    files = []
    for name, size in _files_of(logged, store):
        file = listed.get(name)
        if file is None or file.size != size:
            what = "is gone" if file is None else f"has {file.size} bytes, not {size}"
            raise SeedError(
                f"seed {spec.path}: {name} {what}, though the corpus has grown from it as part of "
                f"{logged.source}; restore it: a seed grows by new files only"
            )
        files.append(file)
    return tuple(files)


def _files_of(catalogue: Catalogue, store: Store) -> list[tuple[str, int]]:
    """(name, bytes) of the files that were read, in order."""
    if not catalogue.converted:
        return [(file.name, file.size) for file in catalogue.files]
    folder = catalogue.files[0].path.rpartition("/")[0]
    return [(name, size) for name, size, _ in files_converted(store, f"{folder}/")]


def _refuse_other_content(spec: SourceSpec, logged: Catalogue, part: Catalogue) -> None:
    if part.fingerprint != logged.fingerprint:
        raise SeedError(
            f"seed {spec.path}: a file of {logged.source} is not what the corpus was grown from, "
            "though as long as before; restore it: a seed grows by new files only"
        )


def _settled(
    files: Sequence[SourceFile], spec: SourceSpec, settled: float | None
) -> tuple[SourceFile, ...]:
    """The files that nobody may still be writing."""
    ready = [file for file in files if settled is None or _modified(file) <= settled]
    if len(ready) < len(files):
        waiting = counted(len(files) - len(ready), "new file")
        logger.info("waiting for %s of seed %s that changed just now", waiting, spec.name)
    return tuple(ready)


def _modified(file: SourceFile) -> float:
    """Unix seconds; 0 where the store does not say, which then shows whole files only."""
    try:
        return float(file.modified)
    except ValueError:
        return 0.0
