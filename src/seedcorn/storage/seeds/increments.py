"""A seed that grows: files that appear later become an increment of their own.

An increment is a catalogue of whole files, which the corpus keeps a copy of: once it has one, the
inbox may be cleared. Which files those are stands in the catalogue (Parquet) or in the manifest of
its conversion. Invariant: what the log already holds is found as it was; a file that changed, were
it only longer, is refused, because samples name its rows.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from seedcorn.core.decisions.growth import increment_name
from seedcorn.core.errors import SeedError
from seedcorn.core.figures import counted
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import Catalogue, catalogue_of, open_catalogue, source_name
from seedcorn.storage.seeds.conversion import files_converted
from seedcorn.storage.seeds.copies import copied, kept
from seedcorn.storage.seeds.files import (
    Filesystems,
    SourceFile,
    SourceListing,
    find_files,
    seed_errors,
)
from seedcorn.storage.seeds.footers import read_footer
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)


def open_source(
    spec: SourceSpec,
    base: str,
    stores: tuple[Store, StoreSpec],
    logged: Sequence[Catalogue],
    settled: float | None = None,
    group: str = "",
) -> list[Catalogue]:
    """The source's increments that the log holds, as they are now, then one of its new files.

    `stores` is the corpus store and how remote ones are reached, `logged` what the log has of the
    source, in order. New files that changed after `settled` (Unix seconds) wait; a source that grows
    may have no file at all. `group`: as in `catalogue_of`. Raises SeedError for a file that changed, for one that is gone and of
    which the corpus has no copy, and for new files where the source does not grow.
    """
    if len(logged) < 2 and not spec.grows:
        return [open_catalogue(spec, base, *stores, group)]
    spec = replace(spec, name=source_name(spec))
    opening = _Opening(spec, Filesystems(stores[1]), stores[0], group)
    source = find_files(spec, base, opening.filesystems, may_be_empty=True)
    listed = {file.name: file for file in source.files}
    found = [opening.again(catalogue, listed, source.format) for catalogue in logged]
    # What a corpus begins with is there already; what joins it may still be being written.
    fresh = _settled(list(listed.values()), spec, settled if logged else None)
    if fresh:
        if not spec.grows:
            raise SeedError(
                f"seed {spec.path}: {fresh[0].name} appeared since the corpus was grown from it; "
                f"set `grows: true` on source {spec.name}, or move the file away"
            )
        part = opening.part(SourceListing(source.format, fresh))
        found.append(replace(part, source=increment_name(spec.name, len(logged))))
    elif not found:
        logger.warning("seed %s has no file yet", spec.path)
    return found


class _Logged(NamedTuple):
    """A file of an increment as the log has it. `content`: the sha256 of its bytes where it was
    converted, else its footer's digest."""

    name: str
    size: int
    content: str


class _Opening(NamedTuple):
    """One source while it is opened."""

    spec: SourceSpec
    filesystems: Filesystems
    store: Store
    group: str

    def part(self, listing: SourceListing) -> Catalogue:
        """Some of its files as an increment, in the corpus' own copy where the source grows."""
        part = catalogue_of(self.spec, listing, self.filesystems, self.store, self.group)
        return copied(part, self.filesystems, self.store) if self.spec.grows else part

    def again(self, logged: Catalogue, listed: dict[str, SourceFile], kind: str) -> Catalogue:
        """An increment of the log; its files are taken out of `listed`, and are what they were."""
        own, files = kept(logged, self.store), _files_of(logged, self.store)
        there = tuple(listed[file.name] for file in files if file.name in listed)
        self._refuse_other_sizes(logged, files, listed, own is not None)
        if len(there) == len(files):
            part = self.part(SourceListing(kind, there))
            if part.fingerprint != logged.fingerprint:
                raise self._other_content(logged)
            # A conversion made before rows had groups is not the one to read groups from.
            own = part if self.group else own or part
        elif any(
            self._changed(listed[file.name], file, logged) for file in files if file.name in listed
        ):
            raise self._other_content(logged)
        for file in there:
            del listed[file.name]
        assert own is not None  # What has neither a copy nor its files was refused.
        return replace(own, source=logged.source)

    def _refuse_other_sizes(
        self,
        logged: Catalogue,
        files: Sequence[_Logged],
        listed: Mapping[str, SourceFile],
        may_be_gone: bool,
    ) -> None:
        for name, size, _ in files:
            file = listed.get(name)
            if (file is None and may_be_gone) or (file is not None and file.size == size):
                continue
            what = "is gone" if file is None else f"has {file.size} bytes, not {size}"
            raise SeedError(
                f"seed {self.spec.path}: {name} {what}, though the corpus has grown from it as part "
                f"of {logged.source}; restore it: a seed grows by new files only, under new names"
            )

    def _changed(self, file: SourceFile, known: _Logged, logged: Catalogue) -> bool:
        """Whether a file is another than the one that was read, though as long."""
        with seed_errors(file.path), closing(self.filesystems.open(file.path)) as handle:
            if logged.problems is None:
                return read_footer(handle, file.path)[1] != known.content
            digest = hashlib.sha256()
            while block := handle.read(1 << 20):
                digest.update(block)
            return digest.hexdigest() != known.content

    def _other_content(self, logged: Catalogue) -> SeedError:
        return SeedError(
            f"seed {self.spec.path}: a file of {logged.source} is not what the corpus was grown "
            "from, though as long as before; restore it: a seed grows by new files only, under new "
            "names"
        )


def _files_of(catalogue: Catalogue, store: Store) -> list[_Logged]:
    """The files that were read, in order."""
    if catalogue.problems is None:
        return [_Logged(file.name, file.size, file.footer) for file in catalogue.files]
    folder = catalogue.files[0].path.rpartition("/")[0]
    return [_Logged(*source) for source in files_converted(store, f"{folder}/")]


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
