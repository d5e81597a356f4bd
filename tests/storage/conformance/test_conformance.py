"""The probe finds stores that cannot carry a log, and leaves nothing behind."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from seedcorn.core.errors import ObjectMissing, StoreError, StoreUnsafe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance.conformance import number_of_checks, probe, require_safe
from seedcorn.storage.conformance.probe import OK
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.store import Store


class LooksThenWrites(MemoryStore):
    """Checks the condition and writes in two steps, as several servers did; the gap is forced."""

    def __init__(self, name: str, racers: int) -> None:
        super().__init__(name)
        self._racers, self._gaps = racers, dict[str, threading.Barrier]()

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        try:
            return self.get(key)
        except ObjectMissing:
            gap = self._gaps.setdefault(key, threading.Barrier(self._racers))
            with suppress(threading.BrokenBarrierError):
                gap.wait(timeout=0.2)  # Whoever comes alone goes on.
            self.put(key, data)
            return data


def failed(store: Store) -> set[str]:
    return {finding.check for finding in probe(store, rounds=1) if not finding.ok}


@pytest.mark.parametrize("kind", [LocalStore, lambda folder: MemoryStore(str(folder))])
def test_probe_of_a_good_store_finds_nothing_and_cleans_up(kind, tmp_path: Path):
    """SeaweedFS is probed by `seedcorn doctor`, in its own test."""
    store: Store = kind(tmp_path)
    findings = probe(store, rounds=1)
    assert [finding for finding in findings if not finding.ok] == []
    assert len(findings) == number_of_checks() == 46
    require_safe(store, StoreSpec())
    assert list(store.list("")) == []


def test_probe_of_a_store_that_ignores_the_condition_says_so(tmp_path: Path):
    names = failed(MemoryStore(str(tmp_path), conditional=False))
    assert names == {
        "put-if-absent refuses an existing object",
        "put-if-absent leaves an object that put made untouched",
        "put-if-absent refuses over an empty object",
        "put-if-absent refuses an existing large object",
        "put-if-absent keeps its condition for odd names",
        "put-if-absent has one winner among 8 at once",
        "put-if-absent has one winner among 8 large ones",
    }
    assert list(MemoryStore(str(tmp_path)).list("")) == []


def test_probe_of_a_store_that_looks_then_writes_finds_the_race(tmp_path: Path):
    names = failed(LooksThenWrites(str(tmp_path), racers=8))
    assert names == {
        "put-if-absent has one winner among 8 at once",
        "put-if-absent has one winner among 8 large ones",
    }


def test_probe_of_a_store_that_refuses_everything_reports_instead_of_raising(tmp_path: Path):
    def refuse(when: str, operation: str, key: str) -> None:
        raise StoreError("access refused")

    findings = probe(MemoryStore(str(tmp_path), refuse), rounds=1)
    assert not any(finding.level == OK for finding in findings)
    assert all("access refused" in finding.detail for finding in findings)


def test_require_safe_of_an_unsafe_store_is_refused_unless_alone(tmp_path: Path):
    store = MemoryStore(str(tmp_path), conditional=False)
    with pytest.raises(StoreUnsafe, match="single_writer"):
        require_safe(store, StoreSpec())
    require_safe(store, StoreSpec(single_writer=True))


def test_require_safe_of_a_store_that_looks_then_writes_is_refused(tmp_path: Path):
    with pytest.raises(StoreUnsafe, match="4 of 4 writers"):
        require_safe(LooksThenWrites(str(tmp_path), racers=4), StoreSpec())
