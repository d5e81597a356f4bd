"""Whole objects: what is written is what is read, whatever its size, bytes and name."""

import secrets
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import UnsupportedOperation
from pathlib import Path

from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.storage.conformance.probe import Broken, Check, Doubtful, expect
from seedcorn.storage.stores.store import Store

LARGE = 9 * 2**20
"""Bytes; beyond the size at which clients cut uploads into parts."""
WRITERS = 8
ROUNDS = 25
_NOT_SAME = "the bytes read back are not those written"


def _sized(size: int) -> Check:
    def check(store: Store, prefix: str) -> str:
        data = secrets.token_bytes(size)
        store.put(f"{prefix}whole", data)
        expect(store.get(f"{prefix}whole") == data, _NOT_SAME)
        return f"{size} bytes"

    return check


def _from_file(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(300_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object"
        path.write_bytes(data)
        store.put(f"{prefix}file", path)
    expect(store.get(f"{prefix}file") == data, _NOT_SAME)
    return ""


def _bytes_alone(store: Store, prefix: str) -> str:
    """Some servers and proxies unpack, or translate line ends."""
    for name, data in {
        "gzip": bytes.fromhex("1f8b0800000000000003") + b"not gzip at all",
        "zeros": bytes(5_000),
        "lines": b"\r\n\n\r\x1a\xef\xbb\xbf",
        "every": bytes(range(256)) * 4,
    }.items():
        store.put(f"{prefix}{name}", data)
        expect(store.get(f"{prefix}{name}") == data, f"{name}: {_NOT_SAME}")
    return ""


def _replaces(store: Store, prefix: str) -> str:
    store.put(f"{prefix}twice", b"first")
    store.put(f"{prefix}twice", b"second, and longer")
    expect(store.get(f"{prefix}twice") == b"second, and longer", "the first write was still read")
    return ""


def _leaves_no_tail(store: Store, prefix: str) -> str:
    store.put(f"{prefix}twice", b"first, and longer")
    store.put(f"{prefix}twice", b"second")
    expect(store.get(f"{prefix}twice") == b"second", "the end of the first write is still there")
    return ""


def _reads_ranges(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(5_000)
    store.put(f"{prefix}ranged", data)
    with store.open(f"{prefix}ranged") as handle:
        handle.seek(-8, 2)
        tail = handle.read()
        handle.seek(100)
        middle = handle.read(50)
    expect(tail == data[-8:] and middle == data[100:150], "a range read other bytes")
    return ""


def _reads_to_the_end(store: Store, prefix: str) -> str:
    data = secrets.token_bytes(3 * 2**20)
    store.put(f"{prefix}pieces", data)
    with store.open(f"{prefix}pieces") as handle:
        pieces = iter(lambda: handle.read(700_001), b"")
        expect(b"".join(pieces) == data, "the ranges do not add up to the whole")
        handle.seek(len(data) + 10)
        expect(handle.read(5) == b"", "there are bytes beyond the end")
    return ""


def _changes_nothing(store: Store, prefix: str) -> str:
    store.put(f"{prefix}read", b"as it was")
    with store.open(f"{prefix}read") as handle, suppress(UnsupportedOperation, OSError):
        handle.write(b"x")
    expect(store.get(f"{prefix}read") == b"as it was", "a handle for reading changed the object")
    return ""


def _misses(read: Callable[[Store, str], object]) -> Check:
    def check(store: Store, prefix: str) -> str:
        try:
            read(store, f"{prefix}nothing")
        except ObjectMissing:
            return ""
        raise Broken("an object that was never written could be read")

    return check


def _never_torn(store: Store, prefix: str) -> str:
    versions = [bytes([number]) * 200_000 for number in range(1, 9)]
    key, done = f"{prefix}torn", threading.Event()
    store.put(key, versions[0])

    def read() -> bool:
        whole = True
        while not done.is_set():
            whole = whole and store.get(key) in versions
        return whole

    with ThreadPoolExecutor(2, "seedcorn-probe") as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(ROUNDS):
                store.put(key, versions[number % len(versions)])
        finally:
            done.set()
        expect(all(one.result() for one in readers), "a reader saw a mixture of two writes")
    return f"{ROUNDS} writes beside 2 readers"


def _one_write_stands(store: Store, prefix: str) -> str:
    versions = [secrets.token_bytes(100_000) for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS, "seedcorn-probe") as pool:
        list(pool.map(lambda data: store.put(f"{prefix}same", data), versions))
    expect(store.get(f"{prefix}same") in versions, "what is stored is none of the writes")
    return f"{WRITERS} at once"


def _all_arrive(store: Store, prefix: str) -> str:
    objects = {f"{prefix}{number}": secrets.token_bytes(1_000) for number in range(64)}
    with ThreadPoolExecutor(WRITERS, "seedcorn-probe") as pool:
        list(pool.map(store.put, objects, objects.values()))
        read = list(pool.map(store.get, objects))
    expect(
        read == list(objects.values()),
        "an object written beside others is missing or has other bytes",
    )
    return f"{len(objects)} objects, {WRITERS} at once"


def _names(*names: str) -> Check:
    def check(store: Store, prefix: str) -> str:
        for number, name in enumerate(names):
            store.put(f"{prefix}{name}", f"{number} {name}".encode())
        for number, name in enumerate(names):
            expect(
                store.get(f"{prefix}{name}") == f"{number} {name}".encode(),
                f"{name!r} is read as another object",
            )
        listed = {item.key.removeprefix(prefix) for item in store.list(prefix)}
        expect(listed == set(names), f"listed as {sorted(listed)}")
        return f"{len(names)} names"

    return check


def _optional(check: Check, otherwise: str) -> Check:
    """Names that no corpus uses: whether they work is only worth knowing."""

    def checked(store: Store, prefix: str) -> str:
        try:
            return check(store, prefix)
        except (Broken, StoreError) as error:
            raise Doubtful(f"{otherwise} ({error})") from error

    return checked


OBJECTS: dict[str, Check] = {
    "an empty object reads back": _sized(0),
    "an object of one byte reads back": _sized(1),
    "an object of some kilobytes reads back": _sized(70_000),
    "an object of several megabytes reads back": _sized(LARGE),
    "an object sent from a file reads back": _from_file,
    "bytes are neither decompressed nor re-encoded": _bytes_alone,
    "a second write replaces the first": _replaces,
    "a shorter write leaves nothing of a longer one": _leaves_no_tail,
    "ranges can be read": _reads_ranges,
    "a handle reads to the end and not beyond": _reads_to_the_end,
    "a handle for reading changes nothing": _changes_nothing,
    "a missing object is reported as missing": _misses(lambda store, key: store.get(key)),
    "opening a missing object reports it as missing": _misses(lambda store, key: store.open(key)),
    "readers beside a writer see old or new, never a mixture": _never_torn,
    "concurrent writes of one key leave one of them whole": _one_write_stands,
    "concurrent writes of many keys all arrive": _all_arrive,
    "names that a corpus uses work": _names(
        "log/0000000000.json",
        "data/gen-0001/part-00000000-00000015-0123456789abcdef.parquet",
        "checkpoints/0000000012/manifest.json",
    ),
    "names that look encoded are taken as they are": _names("a%2Fb", "a/b", "a%20b", "a+b", "a b"),
    "names beyond ASCII work": _names("ö/日本語", "ö/emoji-🌽", "ö/combined-é", "ö/plain-e"),
    "names with punctuation work": _names(
        "=", "&x", "(1)", "~a", "'q'", "a,b;c", "@", "$", "#1", "!"
    ),
    "names of several hundred bytes work": _names("/".join(["n" * 60] * 8)),
    "names of many levels work": _names("/".join("abcdefghijkl")),
}
OPTIONAL: dict[str, Check] = {
    "names that differ only in case are two objects": _optional(
        _names("Case", "case"), "they are one object here; seedcorn's own names are lower case"
    ),
    "an object may have the name of a folder": _optional(
        _names("a", "a/b"), "it may not, as in any file system; seedcorn does not need it"
    ),
}
