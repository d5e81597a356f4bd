"""Checkpoints are a cache: any doubt means an older one, or none, never a wrong one."""

import numpy as np
import pytest

from seedcorn.storage.log.checkpoints import checkpoint_prefix, read_checkpoint, write_checkpoint
from seedcorn.storage.stores.memory import MemoryStore

META = {"actors": 2, "seed": True}
CHAINS = [f"hash of entry {sequence - 1}" for sequence in range(100)]


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return MemoryStore(str(tmp_path))


def parts_of(number: int) -> dict[str, dict[str, np.ndarray]]:
    return {
        "index-0": {
            "keys": np.arange(number, dtype=np.uint64),
            "empty": np.empty((0, 4), np.uint8),
        },
        "history": {"rows": np.array([(number, 2**63)], [("a", np.uint32), ("b", np.uint64)])},
    }


def number_of(found) -> int:
    sequence, parts = found
    if parts:
        assert parts.keys() == parts_of(sequence).keys()
        for name, arrays in parts_of(sequence).items():
            assert parts[name].keys() == arrays.keys()
            for column, array in arrays.items():
                assert parts[name][column].dtype == array.dtype
                assert np.array_equal(parts[name][column], array)
    else:
        assert sequence == 0
    return sequence


@pytest.fixture
def two(store) -> MemoryStore:
    for sequence in (4, 9):
        write_checkpoint(store, sequence, CHAINS[sequence], parts_of(sequence), META)
    return store


@pytest.mark.parametrize(("at_most", "found"), [(3, 0), (4, 4), (8, 4), (9, 9), (99, 9)])
def test_read_takes_the_newest_that_covers_no_more_than_asked(two, at_most, found):
    assert number_of(read_checkpoint(two, CHAINS[: at_most + 1], META)) == found


@pytest.mark.parametrize("meta", [{"actors": 3, "seed": True}, {}, {**META, "more": 1}])
def test_checkpoint_taken_under_other_conditions_is_not_used(two, meta):
    assert number_of(read_checkpoint(two, CHAINS, meta)) == 0


def test_older_checkpoint_of_equal_conditions_is_used_instead(two):
    write_checkpoint(two, 12, CHAINS[12], parts_of(12), {"actors": 8, "seed": True})

    assert number_of(read_checkpoint(two, CHAINS, META)) == 9


def flip(data: bytes) -> bytes:
    return data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]


@pytest.mark.parametrize("name", ["index-0.npz", "history.npz", "manifest.json"])
@pytest.mark.parametrize("damage", [flip, lambda data: data[:-1], lambda data: b"", None])
def test_damaged_or_missing_object_means_the_older_checkpoint(two, name, damage):
    key = checkpoint_prefix(9) + name
    if damage is None:
        two.delete(key)
    else:
        two.put(key, damage(two.get(key)))

    assert number_of(read_checkpoint(two, CHAINS, META)) == 4


@pytest.mark.parametrize(
    "manifest",
    [b"[]", b"null", b"7", b'{"format": 1}', b'{"format": 99, "parts": {}}', b"\xff"],
)
def test_manifest_that_is_none_means_the_older_checkpoint(two, manifest):
    two.put(checkpoint_prefix(9) + "manifest.json", manifest)

    assert number_of(read_checkpoint(two, CHAINS, META)) == 4


def test_manifest_of_another_format_means_the_older_checkpoint(two):
    key = checkpoint_prefix(9) + "manifest.json"
    two.put(key, two.get(key).replace(b'"format":1', b'"format":2'))

    assert number_of(read_checkpoint(two, CHAINS, META)) == 4


def test_strangers_beside_checkpoints_do_not_stop_the_run(two):
    for key in ("tmp/manifest.json", "12/manifest.json", "0000000012/deep/manifest.json", "x"):
        two.put(f"checkpoints/{key}", b"{}")

    assert number_of(read_checkpoint(two, CHAINS, META)) == 9


def test_writer_killed_before_the_manifest_leaves_no_checkpoint(store):
    class Killed(Exception):
        pass

    def kill(when: str, operation: str, key: str) -> None:
        if operation == "put" and key.endswith("manifest.json"):
            raise Killed

    write_checkpoint(store, 4, CHAINS[4], parts_of(4), META)
    with pytest.raises(Killed):
        write_checkpoint(
            MemoryStore(store.uri.removeprefix("memory:"), kill), 9, CHAINS[9], parts_of(9), META
        )

    assert number_of(read_checkpoint(store, CHAINS, META)) == 4


def test_checkpoint_of_another_log_is_not_used(two):
    regrown = [*CHAINS[:9], *(f"another {sequence}" for sequence in range(9, 100))]
    assert number_of(read_checkpoint(two, regrown, META)) == 4
