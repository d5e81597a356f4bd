"""One contract, three stores; then what each store and the opening of URIs promise alone."""

import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import ObjectMissing, RecipeError, StoreError, StoreUnsafe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.object_store import ObjectStore
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.patience import Patience, Unanswered
from seedcorn.storage.stores.store import Store

KINDS = ["local", "memory", pytest.param("s3", marks=pytest.mark.s3)]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return open_store(str(tmp_path / "corpus"), StoreSpec())
    if request.param == "memory":
        return open_store(f"memory:{tmp_path}", StoreSpec())
    server = request.getfixturevalue("seaweedfs_server")
    uri = request.getfixturevalue("s3_uri")()
    return open_store(uri, StoreSpec(endpoint=server.endpoint, deadline_s=20.0))


class TestStoreContract:
    def test_put_twice_replaces_the_whole_object(self, store: Store):
        store.put("a/b.json", b"first, and longer")
        store.put("a/b.json", b"second")
        assert store.get("a/b.json") == b"second"

    def test_put_of_a_path_uploads_the_file(self, store: Store, tmp_path: Path):
        source = tmp_path / "shard.parquet"
        source.write_bytes(b"shard")
        store.put("data/gen-0001/shard.parquet", source)
        assert store.get("data/gen-0001/shard.parquet") == b"shard"
        assert source.exists()

    def test_put_of_empty_bytes_makes_an_empty_object(self, store: Store):
        store.put("empty", b"")
        assert store.get("empty") == b""
        assert store.put_if_absent("empty", b"x") == b""

    def test_big_object_comes_back_unchanged(self, store: Store):
        data = os.urandom(1 << 20) * 8
        store.put("big", data)
        assert store.get("big") == data
        with store.open("big") as handle:
            handle.seek(3_000_000)
            assert handle.read(2_500_000) == data[3_000_000:5_500_000]

    def test_missing_object_is_named(self, store: Store):
        with pytest.raises(ObjectMissing, match="log/0000000007"):
            store.get("log/0000000007.json")
        with pytest.raises(ObjectMissing, match="nothing"):
            store.open("nothing")

    def test_put_if_absent_of_an_existing_key_returns_what_stands(self, store: Store):
        assert store.put_if_absent("log/0.json", b"mine") == b"mine"
        assert store.put_if_absent("log/0.json", b"theirs") == b"mine"
        assert store.put_if_absent("log/0.json", b"mine") == b"mine"
        assert store.get("log/0.json") == b"mine"

    def test_put_if_absent_race_has_exactly_one_winner(self, store: Store):
        start = threading.Barrier(4)

        def race(key: str, mine: bytes) -> bytes:
            start.wait()
            return store.put_if_absent(key, mine)

        bids = [f"writer {n}".encode() for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            for number in range(3):
                key = f"log/{number}.json"
                stands = list(pool.map(race, [key] * 4, bids))
                assert len(set(stands)) == 1
                assert stands[0] in bids
                assert store.get(key) == stands[0]

    def test_list_finds_exactly_what_was_put(self, store: Store):
        sizes = {"log/1.json": 1, "log/deep/er/2": 2, "log-book": 3, "data/x": 4}
        for key, size in sizes.items():
            store.put(key, b"x" * size)
        assert {i.key: i.size for i in store.list("")} == sizes
        assert {i.key for i in store.list("log/")} == {"log/1.json", "log/deep/er/2"}
        assert {i.key for i in store.list("lo")} == {"log/1.json", "log/deep/er/2", "log-book"}
        assert list(store.list("nothing/here/")) == []

    def test_delete_twice_leaves_nothing(self, store: Store):
        store.put("a/b", b"x")
        store.delete("a/b")
        store.delete("a/b")
        store.delete("never/was")
        assert list(store.list("")) == []

    def test_open_reads_one_column_of_a_parquet_file(self, store: Store, tmp_path: Path):
        table = pa.table({"n": list(range(5000)), "text": ["some words"] * 5000})
        pq.write_table(table, tmp_path / "t.parquet", row_group_size=1000)
        store.put("t.parquet", tmp_path / "t.parquet")
        with store.open("t.parquet") as handle:
            file = pq.ParquetFile(handle)
            assert file.metadata.num_rows == 5000
            assert file.read_row_group(3, columns=["n"])["n"].to_pylist() == list(range(3000, 4000))

    @pytest.mark.parametrize(
        "key", ["", "/a", "a//b", "a/", "../a", "a/../b", ".tmp/a", "a\\b", "a\nb"]
    )
    def test_key_that_is_not_plain_is_refused(self, store: Store, key: str):
        for use in (store.get, store.open, store.delete, lambda k: store.put(k, b"")):
            with pytest.raises(StoreError, match="not a key"):
                use(key)
        with pytest.raises(StoreError, match="not a key"):
            store.put_if_absent(key, b"")

    def test_pickling_is_refused_with_a_hint(self, store: Store):
        with pytest.raises(TypeError, match="open_store"):
            pickle.dumps(store)


def test_local_store_failed_put_leaves_the_old_object_and_no_debris(tmp_path: Path):
    store = LocalStore(tmp_path / "corpus")
    store.put("a", b"old")
    with pytest.raises(StoreError, match="cannot write a"):
        store.put("a", tmp_path / "there is no such file")
    assert store.get("a") == b"old"
    assert [p.name for p in (tmp_path / "corpus").rglob("*") if p.is_file()] == ["a"]


def test_local_store_unfinished_file_of_a_killed_process_is_not_listed(tmp_path: Path):
    store = LocalStore(tmp_path)
    store.put("a", b"x")
    (tmp_path / ".tmp" / "left-behind").write_bytes(b"half")
    assert [item.key for item in store.list("")] == ["a"]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def patience(deadline_s: float = 10.0) -> Patience:
    clock = Clock()
    return Patience(deadline_s, clock.now, clock.sleep, lambda: 1.0)


def losing(moment: str, operation: str, times: int) -> Callable[[str, str, str], None]:
    """A fault plan that loses the first `times` such requests or acknowledgements."""
    left = [times]

    def plan(when: str, what: str, key: str) -> None:
        if (when, what) == (moment, operation) and left[0] > 0:
            left[0] -= 1
            raise Unanswered(f"{when} {what} {key}: reset")

    return plan


@pytest.mark.parametrize("moment", ["before", "after"])
def test_put_if_absent_lost_on_the_way_is_still_mine(tmp_path: Path, moment: str):
    store = MemoryStore(str(tmp_path), losing(moment, "create", 3), patience())
    assert store.put_if_absent("k", b"mine") == b"mine"
    assert store.get("k") == b"mine"


def test_put_if_absent_that_never_answers_raises_past_the_deadline(tmp_path: Path):
    store = MemoryStore(str(tmp_path), losing("before", "create", 10**9), patience(10.0))
    with pytest.raises(StoreError, match="gave up after"):
        store.put_if_absent("k", b"mine")


def test_put_if_absent_late_arrival_of_the_first_request_is_recognised(tmp_path: Path):
    name = str(tmp_path)

    def plan(when: str, what: str, key: str) -> None:
        if (when, what) == ("before", "create"):
            MemoryStore(name).put("k", b"mine")
            raise Unanswered("reset, but the request was still on its way")

    store = MemoryStore(name, plan, patience())
    assert store.put_if_absent("k", b"mine") == b"mine"


def test_object_store_without_exclusive_writes_is_refused_unless_alone(tmp_path: Path):
    uri = f"local://{tmp_path}/corpus"
    with pytest.raises(StoreUnsafe, match="single_writer"):
        ObjectStore(uri, StoreSpec()).put_if_absent("log/0", b"mine")
    alone = ObjectStore(uri, StoreSpec(single_writer=True))
    assert alone.put_if_absent("log/0", b"mine") == b"mine"
    assert alone.put_if_absent("log/0", b"theirs") == b"mine"
    assert [(i.key, i.size) for i in alone.list("log/")] == [("log/0", 4)]


def test_object_store_unreachable_endpoint_is_an_error_within_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
):
    spec = StoreSpec(endpoint="http://127.0.0.1:9", deadline_s=0.3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with pytest.raises(StoreError, match=r"s3://bucket/corpus.*a/key"):
        ObjectStore("s3://bucket/corpus", spec).get("a/key")


@pytest.mark.s3
def test_object_store_wrong_secret_is_refused_at_once_without_printing_it(
    seaweedfs_server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-4711")
    spec = StoreSpec(endpoint=seaweedfs_server.endpoint)
    store = open_store(f"s3://{seaweedfs_server.bucket}/refused", spec)
    with pytest.raises(StoreError, match="access refused") as caught:
        store.put("k", b"x")
    assert "canary-4711" not in str(caught.value)
    assert seaweedfs_server.access_key not in str(caught.value)


@pytest.mark.s3
def test_object_store_missing_bucket_is_named(seaweedfs_server):
    store = open_store("s3://no-such-bucket/x", StoreSpec(endpoint=seaweedfs_server.endpoint))
    with pytest.raises(StoreError, match="bucket does not exist"):
        list(store.list(""))


@pytest.mark.s3
def test_object_store_listing_of_several_pages_is_complete(seaweedfs_server, s3_uri):
    store = open_store(s3_uri(), StoreSpec(endpoint=seaweedfs_server.endpoint))
    keys = {f"many/{n:04d}" for n in range(1010)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.put(key, b"x"), keys))
    listed = [item.key for item in store.list("many/")]
    assert len(listed) == len(keys)
    assert set(listed) == keys


@pytest.mark.parametrize("uri", ["", "s3:/bucket/x", "file://host/x", "s3:///x"])
def test_open_store_uri_that_names_no_place_is_refused(uri: str):
    with pytest.raises(RecipeError):
        open_store(uri, StoreSpec())


def test_open_store_plain_path_and_file_url_are_the_same_folder(tmp_path: Path):
    open_store(str(tmp_path / "a b"), StoreSpec()).put("k", b"x")
    assert open_store(f"file://{tmp_path}/a%20b", StoreSpec()).get("k") == b"x"


def test_open_store_touches_nothing(tmp_path: Path):
    open_store(str(tmp_path / "corpus"), StoreSpec())
    assert not (tmp_path / "corpus").exists()
