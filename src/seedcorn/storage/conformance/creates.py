"""Put-if-absent, which decides who owns the log: alone, repeated, contended, beside readers."""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from seedcorn.core.errors import ObjectMissing
from seedcorn.storage.conformance.probe import Check, expect
from seedcorn.storage.stores.store import Store

RACERS = 8
"""Concurrent writers of one key; a server that looks before it writes lets several of 8 win."""
LARGE = 6 * 2**20
_OVERWRITTEN = "an existing object was overwritten"


def refuses(store: Store, prefix: str) -> str:
    """The basis: created once, never again, whoever asks."""
    first, second = b"the first writer's", b"the second writer's"
    key = f"{prefix}once"
    expect(store.put_if_absent(key, first) == first, "a new object was not created")
    expect(store.put_if_absent(key, second) == first, _OVERWRITTEN)
    expect(store.get(key) == first, _OVERWRITTEN)
    return ""


def race(store: Store, prefix: str, racers: int, rounds: int, size: int = 0) -> str:
    """`racers` at once, each with bytes of its own: one wins, and its bytes stand."""
    start = threading.Barrier(racers)

    def run(key: str, mine: bytes) -> bool:
        start.wait()
        return store.put_if_absent(key, mine) == mine

    with ThreadPoolExecutor(racers, "seedcorn-probe") as pool:
        for number in range(rounds):
            key = f"{prefix}{number}"
            contents = [
                f"racer {racer} {secrets.token_hex(8)}".encode() + bytes(size)
                for racer in range(racers)
            ]
            won = list(pool.map(run, [key] * racers, contents))
            winners = [
                content for content, is_winner in zip(contents, won, strict=True) if is_winner
            ]
            expect(len(winners) == 1, f"{len(winners)} of {racers} writers believe they won")
            expect(store.get(key) == winners[0], "what is stored is not the winner's bytes")
    return f"{rounds} rounds"


def _creates(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(2_000)
    expect(store.put_if_absent(f"{prefix}new", data) == data, "a new object was not created")
    expect(store.get(f"{prefix}new") == data, "what is stored is not what was created")
    return ""


def _refuses_after(size: int) -> Check:
    """Sizes matter: some clients send empty or large objects another way, without the condition."""

    def check(store: Store, prefix: str) -> str:
        original, key = bytes(size), f"{prefix}held"
        store.put(key, original)
        expect(store.put_if_absent(key, b"another's") == original, _OVERWRITTEN)
        expect(store.get(key) == original, _OVERWRITTEN)
        return ""

    return check


def _refuses_large(store: Store, prefix: str) -> str:
    first, second = secrets.token_bytes(LARGE), secrets.token_bytes(LARGE)
    key = f"{prefix}large"
    expect(store.put_if_absent(key, first) == first, "a large object was not created")
    expect(store.put_if_absent(key, second) == first, _OVERWRITTEN)
    expect(store.get(key) == first, _OVERWRITTEN)
    return f"{LARGE >> 20} MiB"


def _repeats(store: Store, prefix: str) -> str:
    """After a lost acknowledgement the same bytes are sent again: that must read as success."""
    data = secrets.token_bytes(500)
    for _ in range(3):
        expect(
            store.put_if_absent(f"{prefix}mine", data) == data,
            "a repeated create is not recognised",
        )
    return ""


def _recreates(store: Store, prefix: str) -> str:
    key = f"{prefix}again"
    store.put_if_absent(key, b"first")
    store.delete(key)
    expect(
        store.put_if_absent(key, b"second") == b"second", "a deleted name cannot be created again"
    )
    return ""


def _many_names(store: Store, prefix: str) -> str:
    keys = [f"{prefix}{number}" for number in range(40)]
    contents = [secrets.token_bytes(50) for _ in keys]
    with ThreadPoolExecutor(RACERS, "seedcorn-probe") as pool:
        stand = list(pool.map(store.put_if_absent, keys, contents))
    expect(stand == contents, "of different objects created at once, one is missing")
    return f"{len(keys)} objects"


def _odd_name(store: Store, prefix: str) -> str:
    for name in ("ö 日本", "a%2Fb", "a+b"):
        refuses(store, f"{prefix}{name}/")
    return ""


def _whole_or_absent(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(400_000)

    def read(key: str, done: Callable[[], bool]) -> bool:
        whole = True
        while whole:
            finished = done()
            try:
                whole = store.get(key) == data
            except ObjectMissing:
                whole = not finished
            if finished:
                break
        return whole

    with ThreadPoolExecutor(2, "seedcorn-probe") as pool:
        for number in range(5):
            key = f"{prefix}{number}"
            writing = pool.submit(store.put_if_absent, key, data)
            expect(read(key, writing.done), "a reader saw a part of an object being created")
            writing.result()
    return "5 rounds"


def creates(rounds: int) -> dict[str, Check]:
    """The checks; contended ones are repeated so many times."""
    return {
        "put-if-absent creates a new object": _creates,
        "put-if-absent refuses an existing object": refuses,
        "put-if-absent leaves an object that put made untouched": _refuses_after(30),
        "put-if-absent refuses over an empty object": _refuses_after(0),
        "put-if-absent refuses an existing large object": _refuses_large,
        "put-if-absent repeated with equal bytes succeeds": _repeats,
        "put-if-absent creates a deleted name again": _recreates,
        "put-if-absent of different names at once creates them all": _many_names,
        "put-if-absent keeps its condition for odd names": _odd_name,
        "readers see a created object whole or not at all": _whole_or_absent,
        f"put-if-absent has one winner among {RACERS} at once": lambda store, prefix: race(
            store, prefix, RACERS, rounds
        ),
        f"put-if-absent has one winner among {RACERS} large ones": lambda store, prefix: race(
            store, prefix, RACERS, max(1, rounds // 5), 2**20
        ),
    }
