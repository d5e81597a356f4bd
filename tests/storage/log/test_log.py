"""The log under damage, races and faults: whatever happens, what is read back is one valid chain."""

import itertools
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import CorpusBusy, CorruptCorpus, Fenced, FormatError, StoreError
from seedcorn.core.log.entries import Decision, Entry, Measurement, WriterOpened
from seedcorn.core.log.layout import log_key
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import START, LogReader, LogWriter, open_writer, read_log
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.memory import FaultPlan, MemoryStore
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.patience import Patience, Unanswered
from seedcorn.storage.stores.store import Store


def noon() -> float:
    return 1_700_000_000.0


def note(text: str) -> Measurement:
    return Measurement("note", {"text": text}, {})


def opened(host: str) -> WriterOpened:
    return WriterOpened(host, pid=41, version="0.1.0")


def writer_of(store: Store, name: str) -> LogWriter:
    """A writer that has read the log and opened it."""
    reader = LogReader(store)
    list(reader)
    return open_writer(store, reader.head, name, opened(name), noon, lambda entry: None)


def hurried() -> Patience:
    """Gives up after a few attempts, without waiting."""
    ticks = itertools.count()
    return Patience(8.0, lambda: float(next(ticks)), lambda seconds: None, lambda: 0.0)


def store_named(name: str, faults: FaultPlan | None = None) -> MemoryStore:
    return MemoryStore(name, faults, hurried())


def a_log(store: Store, entries: int) -> list[Entry]:
    writer = writer_of(store, "writer-a")
    for number in range(entries - 1):
        writer.append(note(f"entry {number}"))
    return list(read_log(store))


def test_log_written_is_read_back_in_order(tmp_path: Path):
    store = LocalStore(tmp_path)
    writer = writer_of(store, "writer-a")
    written = [writer.append(Decision(1, n, "stop", {"n": n}, "")) for n in range(70)]
    assert list(read_log(store))[1:] == written
    assert [entry.sequence for entry in read_log(store)] == list(range(71))


def test_empty_log_reads_as_nothing(tmp_path: Path):
    reader = LogReader(LocalStore(tmp_path))
    assert list(reader) == []
    assert reader.head == START


def test_reader_from_a_checkpoint_goes_on_where_it_stopped(tmp_path: Path):
    store = LocalStore(tmp_path)
    writer = writer_of(store, "writer-a")
    first = LogReader(store)
    assert len(list(first)) == 1
    added = [writer.append(note("later")), writer.append(note("last"))]
    assert list(read_log(store, first.head.sequence, first.head.previous)) == added
    assert list(first) == added
    assert first.head == writer.head


def test_reader_alone_reads_the_same_entries_in_the_calling_thread(tmp_path: Path):
    threads: set[int] = set()
    store = store_named(
        str(tmp_path), lambda when, operation, key: threads.add(threading.get_ident())
    )
    written = a_log(store, 40)
    threads.clear()
    assert list(LogReader(store, readers=1)) == written
    assert threads == {threading.get_ident()}
    assert list(LogReader(store)) == written
    assert len(threads) > 1


def test_reader_left_early_reads_the_prefix(tmp_path: Path):
    store = LocalStore(tmp_path)
    whole = a_log(store, 40)
    assert list(itertools.islice(read_log(store), 3)) == whole[:3]


@pytest.mark.parametrize("victim", [0, 1, 5])
def test_changed_entry_is_found_by_the_chain(tmp_path: Path, victim: int):
    store = LocalStore(tmp_path)
    a_log(store, 8)
    raw = json.loads(store.get(log_key(victim)))
    raw["at"] += 1
    store.put(log_key(victim), json.dumps(raw).encode())
    read: list[Entry] = []
    with pytest.raises(CorruptCorpus, match=rf"entry {victim} or {victim + 1} was changed"):
        read.extend(read_log(store))


def test_entry_that_is_no_json_is_named(tmp_path: Path):
    store = LocalStore(tmp_path)
    a_log(store, 4)
    store.put(log_key(2), store.get(log_key(2))[:-1])
    with pytest.raises(CorruptCorpus, match="log entry 2"):
        list(read_log(store))


def test_entry_of_another_format_is_refused_by_name(tmp_path: Path):
    store = LocalStore(tmp_path)
    a_log(store, 4)
    raw = json.loads(store.get(log_key(3)))
    store.put(log_key(3), json.dumps(raw | {"format": 99}).encode())
    with pytest.raises(FormatError, match="format 99"):
        list(read_log(store))


@pytest.mark.parametrize("missing", [0, 3])
def test_missing_entry_with_a_successor_is_named(tmp_path: Path, missing: int):
    store = LocalStore(tmp_path)
    a_log(store, 6)
    store.delete(log_key(missing))
    with pytest.raises(CorruptCorpus, match=f"log entry {missing} is missing"):
        list(read_log(store))


def test_file_that_is_no_entry_does_not_disturb_reading(tmp_path: Path):
    store = LocalStore(tmp_path)
    whole = a_log(store, 3)
    store.put("log/notes.txt", b"hello")
    assert list(read_log(store)) == whole


def test_entries_beyond_a_listing_are_still_read(tmp_path: Path):
    """Something appended after the listing, or not listed yet, is part of the log."""
    name = str(tmp_path)
    writer = writer_of(store_named(name), "writer-a")

    def append_behind_the_listing(when: str, operation: str, key: str) -> None:
        if (when, operation) == ("after", "list"):
            writer.append(note("late"))
            writer.append(note("later"))

    kinds = [e.kind for e in read_log(store_named(name, append_behind_the_listing))]
    assert kinds == ["writer_opened", "measurement", "measurement"]


def test_two_writers_first_is_fenced_by_name(tmp_path: Path):
    store = LocalStore(tmp_path)
    first = writer_of(store, "writer-a")
    first.append(note("before"))
    second = writer_of(store, "writer-b")
    with pytest.raises(Fenced, match=r"writer-b \(host writer-b, pid 41\)"):
        first.append(note("too late"))
    with pytest.raises(Fenced, match="writer-b"):
        first.append(note("still too late"))
    second.append(note("after"))
    texts = [e.body.subject["text"] for e in read_log(store) if isinstance(e.body, Measurement)]
    assert texts == ["before", "after"]


def test_two_openers_from_one_head_both_open_in_turn(tmp_path: Path):
    store = LocalStore(tmp_path)
    first = open_writer(store, START, "writer-a", opened("a"), noon, lambda entry: None)
    first.append(note("news"))
    folded: list[Entry] = []
    open_writer(store, START, "writer-b", opened("b"), noon, folded.append)
    assert folded == list(read_log(store))
    assert [e.writer for e in folded] == ["writer-a", "writer-a", "writer-b"]


def test_opener_that_always_loses_gives_up(tmp_path: Path):
    name = str(tmp_path)
    other = writer_of(store_named(name), "writer-a")

    def append_first(when: str, operation: str, key: str) -> None:
        if (when, operation) == ("before", "create"):
            other.append(note("again"))

    with pytest.raises(CorpusBusy, match="others appended"):
        writer_of(store_named(name, append_first), "writer-b")


def losing(moment: str, operation: str, times: int) -> FaultPlan:
    left = [times]

    def plan(when: str, what: str, key: str) -> None:
        if (when, what) == (moment, operation) and left[0] > 0:
            left[0] -= 1
            raise Unanswered("reset by peer")

    return plan


def test_lost_acknowledgement_neither_doubles_nor_fences(tmp_path: Path):
    store = store_named(str(tmp_path), losing("after", "create", 2))
    writer = writer_of(store, "writer-a")
    writer.append(note("one"))
    writer.append(note("two"))
    assert [e.sequence for e in read_log(store)] == [0, 1, 2]


def test_append_without_an_answer_stops_the_writer_for_good(tmp_path: Path):
    name = str(tmp_path)
    reader = LogReader(store_named(name))
    a_log(store_named(name), 2)
    list(reader)
    store = store_named(name, losing("before", "create", 1000))
    writer = LogWriter(store, reader.head, "writer-b", noon)
    with pytest.raises(StoreError, match="gave up"):
        writer.append(note("unknown"))
    with pytest.raises(StoreError, match="run the same command again"):
        writer.append(note("never sent"))


def test_own_nonce_with_other_bytes_stops_and_refolds(tmp_path: Path):
    store = LocalStore(tmp_path)
    head = writer_of(store, "writer-a").head
    LogWriter(store, head, "writer-a", noon).append(note("one"))
    with pytest.raises(StoreError, match="re-reads the log"):
        LogWriter(store, head, "writer-a", noon).append(note("another"))


CHOICES = st.lists(st.sampled_from(["pass", "lose", "yield"]), max_size=60)


class Rivals:
    """Two writers over one store; each request of one may be lost, or let the other act first."""

    def __init__(self, choices: list[str]) -> None:
        self.name = f"rivals-{secrets.token_hex(8)}"
        self.choices = iter(choices)
        self.acting: set[str] = set()
        self.writers: dict[str, LogWriter] = {}
        self.acknowledged: list[Entry] = []
        self.numbers = itertools.count()

    def act(self, me: str) -> None:
        """Open, append, or after an error run the same command again as a new process would."""
        if me in self.acting:
            return
        self.acting.add(me)
        store = store_named(self.name, lambda when, what, key: self.happen(me))
        try:
            if me not in self.writers:
                self.open(store, me)
            else:
                body = note(f"{me} {next(self.numbers)}")
                self.acknowledged.append(self.writers[me].append(body))
        except (Fenced, StoreError, CorpusBusy):
            self.writers.pop(me, None)
        finally:
            self.acting.discard(me)

    def open(self, store: Store, me: str) -> None:
        nonce = f"{me}-{next(self.numbers)}"
        reader = LogReader(store)
        list(reader)
        self.writers[me] = open_writer(
            store, reader.head, nonce, opened(me), noon, lambda entry: None
        )

    def happen(self, me: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # reading ahead is concurrent, and an example must replay exactly
        choice = next(self.choices, "pass")
        if choice == "lose":
            raise Unanswered("lost")
        if choice == "yield":
            self.act("b" if me == "a" else "a")


@settings(max_examples=150, deadline=None)
@given(CHOICES, st.lists(st.sampled_from("ab"), min_size=1, max_size=12))
def test_any_interleaving_of_two_writers_leaves_one_valid_chain(
    choices: list[str], turns: list[str]
):
    rivals = Rivals(choices)
    for me in turns:
        rivals.act(me)
    log = list(read_log(MemoryStore(rivals.name)))
    assert [entry.sequence for entry in log] == list(range(len(log)))
    for entry in rivals.acknowledged:
        assert log.count(entry) == 1
    owner = ""
    for entry in log:
        owner = entry.writer if entry.kind == "writer_opened" else owner
        assert entry.writer == owner, "an entry of a fenced writer stands in the log"


@pytest.mark.s3
def test_log_on_s3_reads_back_and_fences(seaweedfs_server, s3_uri: Callable[[], str]):
    store = open_store(s3_uri(), StoreSpec(endpoint=seaweedfs_server.endpoint, deadline_s=20.0))
    first = writer_of(store, "writer-a")
    written = [first.append(note(str(n))) for n in range(40)]
    assert list(read_log(store))[1:] == written
    writer_of(store, "writer-b")
    with pytest.raises(Fenced, match="writer-b"):
        first.append(note("too late"))
