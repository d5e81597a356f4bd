"""Does a store keep the promises the log is built on? Asked of the store itself, concurrently.

Servers that accept `If-None-Match` and ignore it, or check it and then write, lose commits without
an error. Nothing but trying finds out. Probes live under a prefix of their own and are removed.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from seedcorn.core.errors import ObjectMissing, StoreError, StoreUnsafe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.store import Store

RACERS = 8
"""Concurrent writers of one key; a server that looks before it writes lets several of 8 win."""
ROUNDS = 5
QUICK_RACERS = 4
"""Contended conditional writes are slow on some servers: 1 s with 4 writers, 3 s with 16."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of a store: what was tried, whether the promise held, and what was seen."""

    check: str
    ok: bool
    detail: str = ""


class _Broken(Exception):
    """A promise that did not hold; the text says what was seen instead."""


_Check = Callable[[Store, str], str]


def probe(store: Store, rounds: int = ROUNDS) -> list[Finding]:
    """Try every operation under a fresh prefix; one finding per promise, none raised."""
    checks: dict[str, _Check] = {
        "objects read back as written": _reads_back,
        "a second write replaces the first": _replaces,
        "ranges can be read": _reads_ranges,
        "a missing object is reported as missing": _misses,
        "listings are exact and fresh": _lists,
        "deleting works and may be repeated": _deletes,
        "put-if-absent refuses an existing object": _refuses,
        f"put-if-absent has one winner among {RACERS} at once": lambda at, prefix: _races(
            at, prefix, RACERS, rounds
        ),
    }
    findings: list[Finding] = []
    with _swept(store, findings) as prefix:
        for number, (name, check) in enumerate(checks.items()):
            findings.append(_finding(name, check, store, f"{prefix}{number}/"))
    return findings


def require_safe(store: Store, spec: StoreSpec) -> None:
    """Check put-if-absent before a corpus is created; raises StoreUnsafe with what was seen.

    `spec.single_writer` skips the check: the operator vouches that nothing else ever writes.
    """
    if spec.single_writer:
        return
    sweeping: list[Finding] = []
    try:
        with _swept(store, sweeping) as prefix:
            _refuses(store, f"{prefix}refuse/")
            _races(store, f"{prefix}race/", QUICK_RACERS, rounds=1)
    except _Broken as error:
        raise StoreUnsafe(
            f"{store.uri} does not keep put-if-absent ({error}), so two drivers could both believe "
            "they own the log; use another store, or set store.single_writer=true if nothing else "
            "ever writes this corpus"
        ) from error


def _finding(name: str, check: _Check, store: Store, prefix: str) -> Finding:
    try:
        return Finding(name, True, check(store, prefix))
    except (_Broken, StoreError) as error:
        return Finding(name, False, str(error))


@contextmanager
def _swept(store: Store, findings: list[Finding]) -> Iterator[str]:
    """A fresh prefix, emptied afterwards; a failure to do so is a finding."""
    prefix = f"probe-{secrets.token_hex(8)}/"
    try:
        yield prefix
    finally:
        try:
            for item in list(store.list(prefix)):
                store.delete(item.key)
        except StoreError as error:
            findings.append(Finding("probes are removed", False, f"{prefix} remains: {error}"))


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Broken(otherwise)


def _reads_back(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(70_000)
    store.put(f"{prefix}whole", data)
    _expect(store.get(f"{prefix}whole") == data, "other bytes came back than were written")
    return f"{len(data)} bytes"


def _replaces(store: Store, prefix: str) -> str:
    store.put(f"{prefix}twice", b"first, and longer")
    store.put(f"{prefix}twice", b"second")
    _expect(store.get(f"{prefix}twice") == b"second", "the first write was still read")
    return ""


def _reads_ranges(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(5_000)
    store.put(f"{prefix}ranged", data)
    with store.open(f"{prefix}ranged") as handle:
        handle.seek(-8, 2)
        tail = handle.read()
        handle.seek(100)
        middle = handle.read(50)
    _expect(tail == data[-8:] and middle == data[100:150], "a range held other bytes")
    return ""


def _misses(store: Store, prefix: str) -> str:
    try:
        store.get(f"{prefix}nothing")
    except ObjectMissing:
        return ""
    raise _Broken("an object that was never written could be read")


def _lists(store: Store, prefix: str) -> str:
    _expect(not list(store.list(prefix)), "an empty prefix listed objects")
    sizes = {f"{prefix}a/{n}": n + 1 for n in range(3)} | {f"{prefix}a-b": 7, f"{prefix}b/c/d": 9}
    for key, size in sizes.items():
        store.put(key, b"x" * size)
    seen = {item.key: item.size for item in store.list(prefix)}
    _expect(seen == sizes, f"wrote {sorted(sizes)}, but the listing shows {sorted(seen)}")
    nested = {item.key for item in store.list(f"{prefix}a/")}
    _expect(nested == {f"{prefix}a/{n}" for n in range(3)}, f"{prefix}a/ listed {sorted(nested)}")
    return f"{len(sizes)} objects"


def _deletes(store: Store, prefix: str) -> str:
    key = f"{prefix}gone"
    store.put(key, b"x")
    store.delete(key)
    store.delete(key)
    _expect(not list(store.list(prefix)), "a deleted object is still listed")
    try:
        store.get(key)
    except ObjectMissing:
        return ""
    raise _Broken("a deleted object could be read")


def _refuses(store: Store, prefix: str) -> str:
    first, second = b"the first writer's", b"the second writer's"
    key = f"{prefix}once"
    _expect(store.put_if_absent(key, first) == first, "a new object was not created")
    _expect(store.put_if_absent(key, second) == first, "an existing object was overwritten")
    _expect(store.get(key) == first, "an existing object was overwritten")
    return ""


def _races(store: Store, prefix: str, racers: int, rounds: int) -> str:
    start = threading.Barrier(racers)

    def race(key: str, mine: bytes) -> bool:
        start.wait()
        return store.put_if_absent(key, mine) == mine

    with ThreadPoolExecutor(racers, "seedcorn-probe") as pool:
        for number in range(rounds):
            key = f"{prefix}{number}"
            bids = [f"racer {racer} {secrets.token_hex(8)}".encode() for racer in range(racers)]
            won = list(pool.map(race, [key] * racers, bids))
            winners = [bid for bid, is_winner in zip(bids, won, strict=True) if is_winner]
            _expect(len(winners) == 1, f"{len(winners)} of {racers} writers believe they won")
            _expect(store.get(key) == winners[0], "the winner's bytes do not stand")
    return f"{rounds} rounds"
