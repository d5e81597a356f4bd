"""Withdrawn ids: what was committed comes back, anything else is refused."""

import pytest

from seedcorn.core.errors import CorruptCorpus, ObjectMissing
from seedcorn.core.log.entries import Entry, Withdrawn
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.log.withdrawals import read_ids, withdrawn_ids, write_ids
from seedcorn.storage.stores.local import LocalStore


@pytest.fixture
def store(tmp_path) -> LocalStore:
    return LocalStore(tmp_path)


def state_with(*refs) -> CorpusState:
    state = CorpusState()
    for ref in refs:
        state.apply(Entry(state.sequence, "w", "", 0.0, Withdrawn("licence", {}, {}, ref)))
    return state


def test_withdrawn_ids_is_the_union_over_all_entries(store):
    refs = [write_ids(store, [("a", 1), ("b", 1)]), write_ids(store, [("b", 1), ("c", 2)])]

    assert withdrawn_ids(store, state_with(*refs)) == {"a", "b", "c"}
    assert [ref.rows for ref in refs] == [2, 2]


def test_withdrawn_ids_of_a_log_without_withdrawals_is_empty(store):
    assert withdrawn_ids(store, state_with()) == frozenset()


def test_same_ids_written_again_give_the_same_object(store):
    ids = [("a", 1), ("b", 2)]

    assert write_ids(store, ids) == write_ids(store, ids)
    assert len(list(store.list("measurements/"))) == 1


def test_empty_withdrawal_reads_back_empty(store):
    assert read_ids(store, write_ids(store, [])) == frozenset()


def test_changed_ids_are_corrupt_and_named(store):
    ref, other = write_ids(store, [("a", 1)]), write_ids(store, [("b", 1)])
    store.put(ref.key, store.get(other.key))

    with pytest.raises(CorruptCorpus, match=ref.key):
        withdrawn_ids(store, state_with(ref))


def test_missing_ids_are_an_error_never_nothing_withdrawn(store):
    ref = write_ids(store, [("a", 1)])
    store.delete(ref.key)

    with pytest.raises(ObjectMissing):
        withdrawn_ids(store, state_with(ref))
