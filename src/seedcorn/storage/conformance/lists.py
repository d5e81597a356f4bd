"""Listings and deletions: exact, complete, and true at the moment they are asked for."""

from concurrent.futures import ThreadPoolExecutor

from seedcorn.core.errors import ObjectMissing
from seedcorn.storage.conformance.probe import Broken, Check, expect
from seedcorn.storage.stores.store import Store

MANY = 1_100
"""Objects; a page of S3 holds 1000."""
ROUNDS = 10


def _keys(store: Store, prefix: str) -> list[str]:
    return [item.key for item in store.list(prefix)]


def _empty(store: Store, prefix: str) -> str:
    expect(not _keys(store, prefix), "a prefix under which nothing was written lists objects")
    return ""


def _exact(store: Store, prefix: str) -> str:
    sizes = {f"{prefix}a/{n}": n + 1 for n in range(3)} | {f"{prefix}b/c/d": 9, f"{prefix}e": 0}
    for key, size in sizes.items():
        store.put(key, b"x" * size)
    seen = {item.key: item.size for item in store.list(prefix)}
    expect(seen == sizes, f"wrote {sizes}, but the listing shows {seen}")
    return f"{len(sizes)} objects"


def _prefixes(store: Store, prefix: str) -> str:
    for name in ("a/b", "a-b", "a.b", "ab", "a/bc/d"):
        store.put(f"{prefix}{name}", b"x")
    wanted = {
        "a/": {"a/b", "a/bc/d"},
        "a-": {"a-b"},
        "a": {"a/b", "a-b", "a.b", "ab", "a/bc/d"},
        "a/b": {"a/b", "a/bc/d"},
        "a/bc": {"a/bc/d"},
        "b": set(),
    }
    for asked, names in wanted.items():
        seen = {key.removeprefix(prefix) for key in _keys(store, f"{prefix}{asked}")}
        expect(seen == names, f"{asked!r} lists {sorted(seen)}, not {sorted(names)}")
    return f"{len(wanted)} prefixes"


def _pages(store: Store, prefix: str) -> str:
    keys = [f"{prefix}{number:05d}" for number in range(MANY)]
    with ThreadPoolExecutor(16, "seedcorn-probe") as pool:
        list(pool.map(store.put, keys, [b"x"] * MANY))
        seen = _keys(store, prefix)
        list(pool.map(store.delete, keys))
    expect(len(seen) == len(set(seen)), "an object is listed twice")
    expect(set(seen) == set(keys), f"{len(set(seen))} of {MANY} objects are listed")
    expect(not _keys(store, prefix), "deleted objects are still listed")
    return f"{MANY} objects"


def _fresh(store: Store, prefix: str) -> str:
    for number in range(ROUNDS):
        key = f"{prefix}{number}"
        expect(key not in _keys(store, prefix), "an object is listed before it is written")
        store.put(key, b"x")
        expect(key in _keys(store, prefix), "an object is not listed right after it was written")
        store.delete(key)
        expect(key not in _keys(store, prefix), "an object is listed after it was deleted")
    return f"{ROUNDS} rounds"


def _fresh_sizes(store: Store, prefix: str) -> str:
    for size in (5, 900, 1):
        store.put(f"{prefix}grows", b"x" * size)
        found = [item.size for item in store.list(prefix)]
        expect(found == [size], f"after a write of {size} bytes the listing says {found}")
    return ""


def _beside_writers(store: Store, prefix: str) -> str:
    """What was there before and is there after is in every listing in between."""
    steady = {f"{prefix}steady/{number}" for number in range(20)}
    for key in steady:
        store.put(key, b"x")
    with ThreadPoolExecutor(2, "seedcorn-probe") as pool:
        writing = pool.submit(
            lambda: [store.put(f"{prefix}moving/{number}", b"x") for number in range(40)]
        )
        while not writing.done():
            missing = steady - set(_keys(store, prefix))
            expect(not missing, f"{len(missing)} objects were left out while another was written")
        writing.result()
    return ""


def _deletes(store: Store, prefix: str) -> str:
    key = f"{prefix}gone"
    store.put(key, b"x")
    store.delete(key)
    try:
        store.get(key)
    except ObjectMissing:
        return ""
    raise Broken("a deleted object could be read")


def _deletes_again(store: Store, prefix: str) -> str:
    store.put(f"{prefix}gone", b"x")
    for _ in range(3):
        store.delete(f"{prefix}gone")
    store.delete(f"{prefix}never/was")
    return ""


def _deletes_one(store: Store, prefix: str) -> str:
    for name in ("a", "a-b", "ab"):
        store.put(f"{prefix}{name}", b"x")
    store.delete(f"{prefix}a")
    left = {key.removeprefix(prefix) for key in _keys(store, prefix)}
    expect(left == {"a-b", "ab"}, f"deleting one of three left {sorted(left)}")
    return ""


LISTS: dict[str, Check] = {
    "an empty prefix lists nothing": _empty,
    "listings are exact, with sizes": _exact,
    "prefixes match the beginnings of names": _prefixes,
    "listings longer than a page are complete": _pages,
    "listings show writes and deletions at once": _fresh,
    "sizes of replaced objects are the new ones": _fresh_sizes,
    "listings leave nothing out while objects are written": _beside_writers,
    "a deleted object is gone": _deletes,
    "deleting again, or what never existed, succeeds": _deletes_again,
    "deleting one object leaves its neighbours": _deletes_one,
}
