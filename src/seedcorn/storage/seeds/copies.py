"""The corpus' own copy of a Parquet source that grows, so that its inbox may be cleared.

Other formats are converted into the corpus anyway. The folder is named after the catalogue's
fingerprint; its manifest is written last: where it stands, the copy is complete and is reused.
"""

import json
import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from seedcorn.core.errors import CorruptCorpus, ObjectMissing, SeedError
from seedcorn.core.identity import canonical_json
from seedcorn.core.log.layout import SEEDS
from seedcorn.storage.seeds.catalogue import Catalogue, SeedFile
from seedcorn.storage.seeds.files import Filesystems, seed_errors
from seedcorn.storage.seeds.footers import read_footer
from seedcorn.storage.stores.store import Store

VERSION = 1


def copied(catalogue: Catalogue, filesystems: Filesystems, store: Store) -> Catalogue:
    """The same catalogue, its files those of the copy; made now unless it stands there already.

    Raises SeedError where a file cannot be read or is not the one that was catalogued.
    """
    found = kept(catalogue, store)
    if found is not None:
        return found
    own = _own(catalogue)
    for file, copy in zip(catalogue.files, own.files, strict=True):
        _copy(file, copy.path, filesystems, store)
    manifest = {"version": VERSION, "fingerprint": catalogue.fingerprint}
    store.put(_manifest(catalogue), canonical_json(manifest))
    return own


def kept(catalogue: Catalogue, store: Store) -> Catalogue | None:
    """The same catalogue in the corpus' own files, or None where the corpus has no copy of them.

    Raises CorruptCorpus for a manifest that is about something else.
    """
    if catalogue.converted:
        return catalogue
    try:
        manifest = json.loads(store.get(_manifest(catalogue)))
    except ObjectMissing:
        return None
    except ValueError:
        manifest = None
    if manifest != {"version": VERSION, "fingerprint": catalogue.fingerprint}:
        raise CorruptCorpus(
            f"{_manifest(catalogue)} is not the manifest of seed {catalogue.source}; delete it to "
            "copy the seed again"
        )
    return _own(catalogue)


def _own(catalogue: Catalogue) -> Catalogue:
    """Names of files stay, in the order in which rows are counted; keys are numbers, because names
    may hold what a store does not take."""
    folder = _folder(catalogue)
    files = [
        replace(file, path=f"{folder}file-{number:06d}.parquet")
        for number, file in enumerate(catalogue.files)
    ]
    return replace(catalogue, files=tuple(files), converted=True)


def _folder(catalogue: Catalogue) -> str:
    return f"{SEEDS}{catalogue.fingerprint[:16]}/"


def _manifest(catalogue: Catalogue) -> str:
    return f"{_folder(catalogue)}manifest.json"


def _copy(file: SeedFile, key: str, filesystems: Filesystems, store: Store) -> None:
    with tempfile.TemporaryDirectory(prefix="seedcorn-seed-") as folder:
        local = Path(folder) / "file.parquet"
        with seed_errors(file.path), closing(filesystems.open(file.path, stream=True)) as source:
            with local.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            with local.open("rb") as handle:
                _, footer = read_footer(handle, file.path)
        if local.stat().st_size != file.size or footer != file.footer:
            raise SeedError(
                f"seed {file.path}: changed while it was read; wait until it is complete, then "
                "start again"
            )
        store.put(key, local)
