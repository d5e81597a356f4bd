"""What a folder's file system tells about itself, judged."""

import os
from pathlib import Path

import pytest

from seedcorn.storage.conformance.local import (
    LEAST_BYTES,
    file_system,
    inodes,
    local_checks,
    of_this_machine,
    space,
    survives_restart,
)
from seedcorn.storage.conformance.probe import Broken, Doubtful, run_checks
from seedcorn.storage.stores.local import LocalStore


def statvfs(free_bytes=10 * LEAST_BYTES, files=10**6, free_files=10**6):
    return os.statvfs_result(
        (4096, 4096, 10**9, 0, free_bytes // 4096, files, 0, free_files, 0, 255)
    )


def levels(root):
    return {f.check: f.level for f in run_checks(LocalStore(root), local_checks(root))}


def test_plain_folder_passes(tmp_path):
    found = levels(tmp_path / "corpus")
    assert len(found) == 8
    assert "fails" not in found.values()


def test_symbolic_link_is_worth_a_warning(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert levels(tmp_path / "link")["the folder is not a symbolic link"] == "warning"


def test_little_room_is_doubtful_and_none_broken():
    assert space(statvfs()) == "10.0 GiB free"
    with pytest.raises(Doubtful):
        space(statvfs(free_bytes=LEAST_BYTES // 2))
    with pytest.raises(Broken):
        space(statvfs(free_bytes=LEAST_BYTES // 100))
    with pytest.raises(Broken):
        inodes(statvfs(free_files=10))
    assert inodes(statvfs(files=0)) == "not counted by this file system"


def test_file_system_is_that_of_the_longest_mount_above(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\nt {tmp_path}/t tmpfs rw 0 0\n"
    )
    (tmp_path / "t").mkdir()
    assert file_system(tmp_path / "corpus" / "deep", mounts) == "nfs4"
    assert file_system(tmp_path / "t" / "corpus", mounts) == "tmpfs"
    assert file_system(Path("/"), mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_network_and_memory_are_said():
    with pytest.raises(Doubtful, match="nfs4"):
        of_this_machine("nfs4")
    with pytest.raises(Doubtful, match="tmpfs"):
        survives_restart("tmpfs")
    assert (of_this_machine("xfs"), survives_restart("xfs"), survives_restart("")) == (
        "xfs",
        "xfs",
        "unknown",
    )
