"""Finding the files of a seed source and opening them, on local disk or any fsspec store.

Seeds belong to somebody else: filesystems here are only read, never cached and never pickled
(clients carry secrets), and every failure to reach a file becomes a SeedError that names it.
"""

import glob
import re
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
import pyarrow as pa

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.core.recipe.secrets import holds_credentials

PACKAGE = "package:"
FORMATS = ("parquet", "jsonl", "text")
ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    ".text": "text",
    ".md": "text",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
STREAM_BLOCK = 8 << 20
"""Bytes fetched at once when a remote file is read from front to back."""

_FAILURES = (OSError, EOFError, zlib.error, pa.ArrowException, UnicodeDecodeError)


@contextmanager
def seed_errors(where: str) -> Iterator[None]:
    """Turn what file systems, codecs and Arrow raise while reading `where` into a SeedError."""
    try:
        yield
    except _failures() as error:
        detail = str(error).strip().splitlines()
        reason = detail[0] if detail else type(error).__name__
        raise SeedError(f"seed {where}: cannot be read: {reason}") from error


def _failures() -> tuple[type[Exception], ...]:
    """botocore's errors are no OSErrors; whoever raised one has imported it already."""
    botocore = sys.modules.get("botocore.exceptions")
    return (*_FAILURES, botocore.BotoCoreError) if botocore else _FAILURES


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source. `name` is its path below the source's root, `path` what opens it."""

    path: str
    name: str
    size: int
    etag: str = ""
    modified: str = ""

    @property
    def stamp(self) -> str:
        """What changes when the content does: the ETag, else the modification time."""
        return self.etag or self.modified


@dataclass(frozen=True, slots=True)
class SourceListing:
    """A source as found: one format, files sorted by name."""

    format: str
    files: tuple[SourceFile, ...]


class Filesystems:
    """Read-only filesystems, one per protocol, made on first use. Thread-safe, never pickled."""

    def __init__(self, store_spec: StoreSpec) -> None:
        self._spec = store_spec
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def resolve(self, path: str) -> tuple[Any, str]:
        """The filesystem of a path or URL, and the path on it; raises SeedError."""
        if holds_credentials(path):
            raise SeedError("a seed path holds credentials; take them from the environment instead")
        if "::" in path:
            raise SeedError(f"seed {path}: chained URLs are not supported; name one store")
        protocol = path.split("://", 1)[0] if "://" in path else "file"
        try:
            with self._lock:
                if protocol not in self._made:
                    self._made[protocol] = fsspec.filesystem(protocol, **self._options(protocol))
        except (ImportError, ValueError, TypeError) as error:
            raise SeedError(f"seed {path}: no filesystem for {protocol}://: {error}") from error
        filesystem = self._made[protocol]
        return filesystem, filesystem._strip_protocol(path)

    def open(self, path: str, *, stream: bool = False) -> BinaryIO:
        """A seekable handle: `stream` reads ahead, else every read fetches just its range."""
        filesystem, stripped = self.resolve(path)
        if _is_local(filesystem):
            return cast(BinaryIO, Path(stripped).open("rb"))
        ahead = {"block_size": STREAM_BLOCK, "cache_type": "readahead"}
        return filesystem.open(stripped, "rb", **(ahead if stream else {"cache_type": "none"}))

    def _options(self, protocol: str) -> dict[str, Any]:
        options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
        if protocol in ("s3", "s3a"):
            client = {"region_name": self._spec.region} if self._spec.region else {}
            options |= {
                "endpoint_url": self._spec.endpoint or None,
                "client_kwargs": client,
                "config_kwargs": {
                    "connect_timeout": min(10.0, self._spec.deadline_s),
                    "read_timeout": self._spec.deadline_s,
                    "retries": {"total_max_attempts": 2},
                },
            }
        return options


def find_files(
    spec: SourceSpec, base: str, filesystems: Filesystems, *, may_be_empty: bool = False
) -> SourceListing:
    """The files that `spec` names: one file, a folder or a glob. Raises SeedError when there are none,
    unless that `may_be_empty`: then only where a folder of this machine does not exist."""
    found: list[SourceFile] = []
    if not _is_name(spec.path):
        raise SeedError(f"seed {spec.path!r}: a path is UTF-8 text without NUL")
    tried = _candidates(spec.path, base)
    for candidate in tried:
        with seed_errors(candidate):
            found = _list(candidate, filesystems)
        if found:
            break
        if may_be_empty and _may_fill(candidate, filesystems):
            return SourceListing("", ())
    if not found:
        what = (
            "nothing matches" if glob.has_magic(spec.path) else "no such file, or an empty folder"
        )
        places = " or ".join(dict.fromkeys(tried))
        raise SeedError(f"seed {spec.path}: {what} (looked for {places})")
    return SourceListing(_format(spec, found), tuple(sorted(found, key=lambda file: file.name)))


def _may_fill(path: str, filesystems: Filesystems) -> bool:
    """Whether files may appear there; object stores have no folders that could be missing."""
    filesystem, stripped = filesystems.resolve(path)
    folder = stripped.rstrip("/") or "/"
    if magic := re.search(r"[*?\[]", folder):
        folder = folder[: magic.start()].rpartition("/")[0]
    return not _is_local(filesystem) or filesystem.isdir(folder)


def compression(name: str) -> str:
    """`gzip`, `zstd` or the empty string, by ending."""
    return COMPRESSIONS.get(PurePosixPath(name).suffix.lower(), "")


def is_remote(path: str) -> bool:
    """True where reading `path` crosses a network, so that reads are worth overlapping."""
    return "://" in path and not path.startswith(("file://", "local://"))


def _candidates(path: str, base: str) -> list[str]:
    if path.startswith(PACKAGE):
        return [_packaged(path)]
    if "://" in path or Path(path).is_absolute():
        return [path]
    return [str(Path(base, path).absolute()), str(Path(path).absolute())]


def _packaged(path: str) -> str:
    name = path.removeprefix(PACKAGE)
    folder = resources.files("seedcorn.data")
    shipped = sorted(item.name for item in folder.iterdir() if not item.name.startswith("_"))
    if name not in shipped:
        raise SeedError(f"seed {path}: not shipped with seedcorn, which has {', '.join(shipped)}")
    return str(folder / name)


def _list(path: str, filesystems: Filesystems) -> list[SourceFile]:
    filesystem, stripped = filesystems.resolve(path)
    stripped = stripped.rstrip("/") or "/"
    try:
        info = filesystem.info(stripped)
    except FileNotFoundError:
        if not glob.has_magic(stripped):
            return []
        root = stripped[: re.search(r"[*?\[]", stripped).start()].rpartition("/")[0]  # type: ignore[union-attr]
        return _files(filesystem, root, filesystem.glob(stripped, detail=True))
    if info["type"] == "directory":
        return _files(filesystem, stripped, filesystem.find(stripped, detail=True))
    return _files(filesystem, stripped.rpartition("/")[0], {stripped: info}, named=True)


def _files(
    filesystem: Any, root: str, infos: dict[str, dict[str, Any]], named: bool = False
) -> list[SourceFile]:
    """Files only, without the hidden ones that other tools leave behind (_SUCCESS, .crc)."""
    files: list[SourceFile] = []
    for path, info in infos.items():
        name = path[len(root) :].lstrip("/")
        hidden = any(part.startswith(("_", ".")) for part in PurePosixPath(name).parts)
        if info["type"] == "directory" or (hidden and len(infos) > 1):
            continue
        _refuse_odd(path, info, named)
        url = path if _is_local(filesystem) else filesystem.unstrip_protocol(path)
        etag = str(info.get("ETag") or info.get("etag") or "").strip('"')
        files.append(SourceFile(url, name, int(info["size"]), etag, str(info.get("mtime", ""))))
    return files


def _refuse_odd(path: str, info: dict[str, Any], named: bool) -> None:
    """Raises SeedError for what a folder may hold and a seed may not: it is never passed over.

    A link in a folder may lead anywhere on this machine; one that the recipe names is meant.
    """
    if not _is_name(path):
        raise SeedError(f"seed {path!r}: its name is not UTF-8; rename the file")
    if info.get("islink") and not (named and Path(path).is_file()):
        raise SeedError(
            f"seed {path}: is a symbolic link, which may lead anywhere: copy the file, or name the "
            "link's target in the recipe"
        )
    if not info.get("islink") and info["type"] != "file":
        raise SeedError(f"seed {path}: is not a regular file")


def _is_name(path: str) -> bool:
    """Whether a path can be stored as text, and asked for."""
    try:
        return "\0" not in path and bool(path.encode() or True)
    except UnicodeEncodeError:
        return False


def _is_local(filesystem: Any) -> bool:
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def _format(spec: SourceSpec, files: list[SourceFile]) -> str:
    if spec.format != "auto":
        if spec.format not in FORMATS:
            choice = ", ".join(("auto", *FORMATS))
            raise SeedError(
                f"seed {spec.path}: unknown format {spec.format!r}; choose one of {choice}"
            )
        return spec.format
    formats: dict[str, str] = {}
    for file in files:
        name = PurePosixPath(file.name)
        ending = PurePosixPath(name.stem if compression(name.name) else name.name).suffix.lower()
        if ending not in ENDINGS:
            raise SeedError(
                f"seed {file.path}: unknown file extension; set `format` or narrow the glob"
            )
        formats.setdefault(ENDINGS[ending], file.name)
    if len(formats) > 1:
        mixed = ", ".join(f"{kind} ({name})" for kind, name in sorted(formats.items()))
        raise SeedError(f"seed {spec.path}: mixes formats: {mixed}; give each its own source")
    return next(iter(formats))
