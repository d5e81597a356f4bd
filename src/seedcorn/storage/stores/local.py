"""A corpus in a folder, as durable as a store: an object appears whole, flushed, or not at all.

Objects are written to a temporary file in the same tree, flushed once, then moved (`put`) or
linked (`put_if_absent`: link(2) refuses an existing name, and unlike O_EXCL never shows a half
written file), and the folder is flushed. Temporary files of killed processes stay in `.tmp`.
"""

import errno
import itertools
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from seedcorn.core.errors import ObjectMissing, StoreError, StoreUnsafe
from seedcorn.storage.stores.keys import check_key, check_prefix, refuse_pickling
from seedcorn.storage.stores.store import ObjectInfo

TEMPORARY = ".tmp"
"""Folder of unfinished files; its name starts with a dot, so no key can be inside it."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class LocalStore:
    """A store rooted at a folder, which is created by the first write."""

    def __init__(self, root: Path, single_writer: bool = False) -> None:
        self._root = root.expanduser().absolute()
        self._uri = str(self._root)
        self._single_writer = single_writer
        self._folders: set[Path] = set()
        self._numbers = itertools.count()

    @property
    def uri(self) -> str:
        """The folder, absolute: one corpus has one name wherever a command runs."""
        return self._uri

    @property
    def root(self) -> Path:
        """The folder, absolute; it may not exist yet."""
        return self._root

    def put(self, key: str, data: bytes | Path) -> None:
        """See Store.put."""
        target = self._path(key)
        with self._translated("write", key), self._written(data) as temporary:
            self._make_folder(target.parent)
            os.replace(temporary, target)
            _flush_folder(target.parent)

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        """See Store.put_if_absent; raises StoreUnsafe on a file system without hard links."""
        target = self._path(key)
        with self._translated("create", key), self._written(data) as temporary:
            self._make_folder(target.parent)
            try:
                os.link(temporary, target)
            except FileExistsError:
                # Whoever linked it may not have flushed the folder yet, and we rely on it now.
                _flush_folder(target.parent)
                return target.read_bytes()
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return self._create_alone(temporary, target, data)
            _flush_folder(target.parent)
            return data

    def get(self, key: str) -> bytes:
        """See Store.get."""
        with self._translated("read", key):
            return self._path(key).read_bytes()

    def open(self, key: str) -> BinaryIO:
        """See Store.open."""
        with self._translated("read", key):
            return self._path(key).open("rb")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Store.list; temporary files are not objects."""
        check_prefix(prefix)
        folder = prefix.rpartition("/")[0]
        with self._translated("list", prefix):
            for key, size in _walk(self._root / folder, f"{folder}/" if folder else ""):
                if key.startswith(prefix):
                    yield ObjectInfo(key, size)

    def delete(self, key: str) -> None:
        """See Store.delete."""
        path = self._path(key)
        with self._translated("delete", key), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            _flush_folder(path.parent)

    def __reduce__(self) -> NoReturn:
        refuse_pickling(self)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    @contextmanager
    def _translated(self, doing: str, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            if doing == "read":
                raise ObjectMissing(f"{self._uri}: no object {key}") from error
            raise StoreError(f"{self._uri}: cannot {doing} {key}: {error}") from error
        except OSError as error:
            raise StoreError(
                f"{self._uri}: cannot {doing} {key}: {error.strerror or error}; "
                "check space, permissions and the disk"
            ) from error

    @contextmanager
    def _written(self, data: bytes | Path) -> Iterator[Path]:
        """A flushed temporary file that holds `data`, gone afterwards unless it was moved."""
        folder = self._root / TEMPORARY
        self._make_folder(folder)
        # Folders may be shared between hosts, so a process id alone is not a name.
        name = f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident():x}"
        temporary = folder / f"{name}-{id(self):x}-{next(self._numbers)}"
        try:
            with temporary.open("wb") as file:
                if isinstance(data, Path):
                    with data.open("rb") as source:
                        shutil.copyfileobj(source, file, 1 << 20)
                else:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and its parents; each new name is flushed in the folder above it."""
        if folder in self._folders:
            return
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            _flush_folder(folder.parent)
        self._folders.add(folder)

    def _create_alone(self, temporary: Path, target: Path, data: bytes) -> bytes:
        """Look, then move: right only because the operator vouched for a single writer."""
        if not self._single_writer:
            raise StoreUnsafe(
                f"{self._uri}: this file system has no hard links, so two writers could both "
                "believe they own the log; use another folder, or set store.single_writer=true "
                "if nothing else ever writes this corpus"
            )
        if target.exists():
            return target.read_bytes()
        os.replace(temporary, target)
        _flush_folder(target.parent)
        return data


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """(key, size in bytes) of every file below a folder; what vanishes meanwhile is skipped."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            continue
        with suppress(FileNotFoundError):
            yield prefix + entry.name, entry.stat().st_size


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
