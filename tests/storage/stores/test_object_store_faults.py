"""Faults on the wire between s3fs and a real store: no answer is taken for what it is not."""

from collections.abc import Iterator

import pytest

from seedcorn.core.errors import StoreError
from seedcorn.core.log.entries import Measurement, WriterOpened
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import START, open_writer, read_log
from seedcorn.storage.stores.object_store import ObjectStore
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy

pytestmark = pytest.mark.s3

WRITE_FAULTS = [
    ["lose_answer"],
    ["lose_answer"] * 3,
    ["lose_request"] * 3,
    ["409 ConditionalRequestConflict"] * 2,
    ["412 PreconditionFailed"],
    ["503 SlowDown"] * 3,
    ["500 InternalError"] * 3,
    ["400 RequestTimeout"],
    ["lose_request", "lose_answer", "503 SlowDown"],
    ["reset", "reset_in_body"],
]


@pytest.fixture
def proxy(seaweedfs_server) -> Iterator[FaultyProxy]:
    with faulty_proxy(seaweedfs_server.endpoint) as running:
        yield running


@pytest.fixture
def store(proxy: FaultyProxy, s3_uri) -> ObjectStore:
    return ObjectStore(s3_uri(), StoreSpec(endpoint=proxy.endpoint, deadline_s=20.0))


@pytest.mark.parametrize("faults", WRITE_FAULTS, ids="+".join)
def test_put_if_absent_under_a_fault_is_mine(
    proxy: FaultyProxy, store: ObjectStore, faults: list[str]
):
    proxy.plan = {"PUT": list(faults)}
    assert store.put_if_absent("log/0", b"mine") == b"mine"
    assert proxy.plan == {"PUT": []}
    assert store.put_if_absent("log/0", b"theirs") == b"mine"


@pytest.mark.parametrize("faults", WRITE_FAULTS[:2], ids="+".join)
def test_put_under_a_fault_stores_the_whole_object(
    proxy: FaultyProxy, store: ObjectStore, faults: list[str]
):
    proxy.plan = {"PUT": list(faults)}
    store.put("shard", b"x" * 300_000)
    assert store.get("shard") == b"x" * 300_000


@pytest.mark.parametrize(
    "faults", [["lose_answer"] * 3, ["cut_answer"] * 2, ["503 SlowDown"] * 3], ids="+".join
)
def test_reads_under_a_fault_return_whole_objects(
    proxy: FaultyProxy, store: ObjectStore, faults: list[str]
):
    data = bytes(range(256)) * 2000
    store.put("shard", data)
    proxy.plan = {"GET": list(faults)}
    assert store.get("shard") == data
    proxy.plan = {"GET": list(faults), "HEAD": ["503 SlowDown"]}
    with store.open("shard") as handle:
        handle.seek(1000)
        assert handle.read(200_000) == data[1000:201_000]
    proxy.plan = {"GET": list(faults)}
    assert [item.size for item in store.list("")] == [len(data)]


@pytest.mark.parametrize("fault", ["stall", "late"])
def test_answer_that_takes_longer_than_answer_s_is_unknown_and_settled(
    proxy: FaultyProxy, s3_uri, fault: str
):
    spec = StoreSpec(endpoint=proxy.endpoint, deadline_s=60.0, answer_s=0.7)
    store = ObjectStore(s3_uri(), spec)
    proxy.stall_s, proxy.plan = 1.5, {"PUT": [fault]}
    assert store.put_if_absent("log/0", b"mine") == b"mine"
    proxy.settle()
    assert store.put_if_absent("log/0", b"theirs") == b"mine"
    proxy.plan = {"GET": [fault]}
    assert store.get("log/0") == b"mine"


def test_lost_acknowledgements_of_appends_neither_double_nor_fence(
    proxy: FaultyProxy, store: ObjectStore
):
    writer = open_writer(
        store, START, "w", WriterOpened("h", 1, "0"), lambda: 0.0, lambda entry: None
    )
    written = []
    for number in range(4):
        proxy.plan = {"PUT": ["lose_answer"] * number}
        written.append(writer.append(Measurement("note", {"n": number}, {})))
    assert list(read_log(store))[1:] == written


def test_refusal_that_cannot_pass_is_not_repeated(proxy: FaultyProxy, store: ObjectStore):
    proxy.plan = {"PUT": ["403 AccessDenied"]}
    with pytest.raises(StoreError, match="access refused"):
        store.put_if_absent("log/0", b"mine")
    proxy.plan = {"PUT": ["400 InvalidRequest"]}
    with pytest.raises(StoreError, match="InvalidRequest"):
        store.put("k", b"x")
    assert list(store.list("")) == []


def test_store_that_never_answers_is_an_error_that_names_the_key(proxy: FaultyProxy, s3_uri):
    store = ObjectStore(s3_uri(), StoreSpec(endpoint=proxy.endpoint, deadline_s=0.5))
    proxy.plan = {"PUT": ["lose_request"] * 1000}
    with pytest.raises(StoreError, match=r"log/0.*gave up after"):
        store.put_if_absent("log/0", b"mine")
