"""What a folder's file system must do, and how much room it has."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from seedcorn.storage.conformance.probe import Broken, Check, Doubtful
from seedcorn.storage.stores.local import TEMPORARY
from seedcorn.storage.stores.store import Store

LEAST_BYTES, LEAST_INODES = 2**30, 10_000
"""Free room below which a run would soon stop; less than a tenth of it stops it at once."""
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.s3fs", "9p", "glusterfs", "ceph"}
_VOLATILE = {"tmpfs", "ramfs"}
_MOUNTS = Path("/proc/self/mounts")
ADVICE = {
    "the file system has hard links": "use a folder on another file system: creating a log entry "
    "only if it is absent needs link(2); or set store.single_writer=true if nothing else ever "
    "writes this corpus",
    "folders can be flushed": "use a folder on another file system: a name that is not flushed may "
    "be gone after a power cut",
    "temporary files are on the same file system": f"make {TEMPORARY} a plain folder of the "
    "corpus: files are moved from there",
    "there is free space": "free some, or grow elsewhere: a full disk stops the run, though "
    "nothing is lost",
    "there are free inodes": "free some: every log entry and segment is a file",
    "the folder is not a symbolic link": "give the folder itself: a link that is changed while a "
    "driver runs splits the corpus",
    "the file system is local to this machine": "let one machine at a time grow this corpus, and "
    "mount it hard, without attribute caching",
    "the file system survives a restart": "use a folder on a disk",
}


def local_checks(root: Path) -> dict[str, Check]:
    """Checks of a folder; it is there, or can be made, when they run."""
    return {
        "the file system has hard links": lambda store, prefix: _links(store, prefix, root),
        "folders can be flushed": lambda store, prefix: _flushes(store, prefix, root),
        "temporary files are on the same file system": lambda store, prefix: _same(
            store, prefix, root
        ),
        "there is free space": lambda store, prefix: space(room_of(root)),
        "there are free inodes": lambda store, prefix: inodes(room_of(root)),
        "the folder is not a symbolic link": lambda store, prefix: _no_link(root),
        "the file system is local to this machine": lambda store, prefix: of_this_machine(
            file_system(root)
        ),
        "the file system survives a restart": lambda store, prefix: survives_restart(
            file_system(root)
        ),
    }


def _links(store: Store, prefix: str, root: Path) -> str:
    store.put(f"{prefix}original", b"x")
    original = root / f"{prefix}original"
    other = original.with_name(f"link-{secrets.token_hex(4)}")
    try:
        os.link(original, other)
    except OSError as error:
        raise Broken(f"link(2): {error.strerror}") from error
    links = original.stat().st_nlink
    if links < 2 or not os.path.samefile(original, other):
        raise Broken(f"a linked file has {links} names, not 2")
    return ""


def _flushes(store: Store, prefix: str, root: Path) -> str:
    store.put(f"{prefix}x", b"x")
    descriptor = os.open((root / f"{prefix}x").parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise Broken(f"fsync of a folder: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return ""


def _same(store: Store, prefix: str, root: Path) -> str:
    store.put(f"{prefix}x", b"x")
    devices = {(root / name).stat().st_dev for name in (prefix, TEMPORARY)}
    if len(devices) > 1:
        raise Broken(f"{root / TEMPORARY} and {root} are on different file systems")
    return ""


def room_of(root: Path) -> os.statvfs_result:
    """What the file system of a folder that may not exist yet has left."""
    return os.statvfs(_existing(root))


def space(found: os.statvfs_result) -> str:
    """Free bytes in words; raises Doubtful or Broken where they are few."""
    free = found.f_bavail * found.f_frsize
    return _enough(free, LEAST_BYTES, f"{free / 2**30:.1f} GiB free")


def inodes(found: os.statvfs_result) -> str:
    """Free inodes in words; some file systems count none."""
    if not found.f_files:
        return "not counted by this file system"
    return _enough(found.f_favail, LEAST_INODES, f"{found.f_favail:,} free")


def _enough(free: int, least: int, text: str) -> str:
    if free < least // 10:
        raise Broken(text)
    if free < least:
        raise Doubtful(text)
    return text


def _no_link(root: Path) -> str:
    if root.is_symlink():
        raise Doubtful(f"{root} points to {root.resolve()}")
    return ""


def file_system(root: Path, mounts: Path = _MOUNTS) -> str:
    """Type of the file system below a folder, such as ext4; empty where it cannot be known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    types: Mapping[str, str] = {
        words[1]: words[2] for words in map(str.split, lines) if len(words) > 2
    }
    folder = _existing(root).resolve()
    at = next((str(one) for one in (folder, *folder.parents) if str(one) in types), "")
    return types.get(at, "")


def of_this_machine(kind: str) -> str:
    """Raises Doubtful for a file system that a network is behind."""
    if kind in _REMOTE:
        raise Doubtful(f"{kind}: links and caches of network file systems differ")
    return kind or "unknown"


def survives_restart(kind: str) -> str:
    """Raises Doubtful for a file system in memory."""
    if kind in _VOLATILE:
        raise Doubtful(f"{kind}: what is written is lost at a restart")
    return kind or "unknown"


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())
