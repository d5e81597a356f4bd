"""The log on the store: numbered objects, each created only if absent, chained by sha256.

Whoever creates entry n owns it for ever; there is no other lock. A writer that finds another
writer's bytes under its next number is fenced. Readers follow the numbers, and take listings only
as a hint of how far to read ahead and as proof that a missing entry has successors.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import overload

from seedcorn.core.errors import CorpusBusy, CorruptCorpus, Fenced, ObjectMissing, StoreError
from seedcorn.core.log.entries import GENESIS, Body, Entry, WriterOpened, chain_hash, decode, encode
from seedcorn.core.log.layout import LOG, log_key
from seedcorn.storage.stores.store import Store

READERS = 16
"""Threads that fetch entries ahead; one entry costs one round trip."""
LARGEST_RUN = 32
"""Entries that a thread fetches at a time."""
OPENING_ATTEMPTS = 16
"""How often a newcomer that loses the next number refolds before it gives up."""
_LOG_KEY = re.compile(re.escape(LOG) + r"(\d{10,})\.json")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log goes on: the next number, and the sha256 of the entry before it."""

    sequence: int = 0
    previous: str = GENESIS


START = Head()
"""The head of an empty log."""


class LogReader:
    """Iterates over the entries from `head` to the end of the log; `head` moves along.

    Iterating again goes on with what was appended since. Raises CorruptCorpus naming the first
    wrong entry, FormatError for an entry of an unknown version, StoreError.
    """

    def __init__(self, store: Store, head: Head = START, readers: int = READERS) -> None:
        """`readers` threads fetch ahead; 1: the calling thread alone, one entry after the other."""
        self._store = store
        self._readers = readers
        self.head = head

    def __iter__(self) -> Iterator[Entry]:
        return self._entries(last_listed(self._store))

    def until(self, stop: int) -> Iterator[Entry]:
        """Entries below `stop`, which are known to exist: nothing is listed to find them."""
        return islice(self._entries(stop - 1), max(0, stop - self.head.sequence))

    def _entries(self, listed: int) -> Iterator[Entry]:
        for data in self._fetch_ahead(self.head.sequence, listed + 1):
            if data is None:
                raise CorruptCorpus(
                    f"{self._store.uri}: log entry {self.head.sequence} is missing although entry "
                    f"{listed} exists; try again: a store that is slow to show what it holds is "
                    "unfit for a corpus (see `seedcorn doctor`); if the entry is gone for good, "
                    f"restore {log_key(self.head.sequence)} from a backup"
                )
            yield self._advance(data)
        while (data := _entry_bytes(self._store, self.head.sequence)) is not None:
            yield self._advance(data)

    def _advance(self, data: bytes) -> Entry:
        sequence = self.head.sequence
        entry = decode(data, sequence)
        if entry.previous != self.head.previous:
            raise CorruptCorpus(
                f"{self._store.uri}: log entry {sequence} does not continue the log: it follows an "
                f"entry with sha256 {entry.previous[:16]}, but the one before it has "
                f"{self.head.previous[:16]}; entry {max(sequence - 1, 0)} or {sequence} was changed"
            )
        self.head = Head(sequence + 1, chain_hash(data))
        return entry

    def _fetch_ahead(self, start: int, stop: int) -> Iterator[bytes | None]:
        """Bytes of entries [start, stop) in order, None where one is missing."""
        if self._readers == 1 or stop - start < 2:
            yield from (_entry_bytes(self._store, sequence) for sequence in range(start, stop))
            return
        waiting: deque[Future[list[bytes | None]]] = deque()
        pool = ThreadPoolExecutor(self._readers, "seedcorn-log")
        # Handing an entry to a thread costs more than reading it from a disk.
        size = min(LARGEST_RUN, max(1, (stop - start) // (4 * self._readers)))
        try:
            for first in range(start, stop, size):
                waiting.append(pool.submit(self._run, first, min(first + size, stop)))
                if len(waiting) >= 4 * self._readers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _run(self, start: int, stop: int) -> list[bytes | None]:
        return [_entry_bytes(self._store, sequence) for sequence in range(start, stop)]


class StoredChains(Sequence[str]):
    """`chains[s]`: the sha256 of log entry s - 1 for 0 <= s <= `stop`, read when it is asked for;
    empty where that entry is missing. What binds a checkpoint to a log without reading it whole."""

    def __init__(self, store: Store, stop: int) -> None:
        self._store, self._stop = store, stop

    def __len__(self) -> int:
        return self._stop + 1

    @overload
    def __getitem__(self, sequence: int) -> str: ...

    @overload
    def __getitem__(self, sequence: slice) -> Sequence[str]: ...

    def __getitem__(self, sequence: int | slice) -> str | Sequence[str]:
        if isinstance(sequence, slice):
            return [self[one] for one in range(len(self))[sequence]]
        if not 0 <= sequence <= self._stop:
            raise IndexError(sequence)
        if sequence == 0:
            return GENESIS
        data = _entry_bytes(self._store, sequence - 1)
        return chain_hash(data) if data is not None else ""


def last_listed(store: Store) -> int:
    """The highest log entry that a listing shows, -1 for none; entries beyond it may exist."""
    matches = (_LOG_KEY.fullmatch(item.key) for item in store.list(LOG))
    return max((int(match[1]) for match in matches if match), default=-1)


def read_log(store: Store, start: int = 0, previous: str = GENESIS) -> Iterator[Entry]:
    """Entries from number `start`, whose predecessor has sha256 `previous`; errors as LogReader."""
    return iter(LogReader(store, Head(start, previous)))


def _entry_bytes(store: Store, sequence: int) -> bytes | None:
    try:
        return store.get(log_key(sequence))
    except ObjectMissing:
        return None


class LogWriter:
    """Appends entries under one nonce. After any append that failed it refuses to append again:
    what stands on the store is then unknown, and only a new fold of the log tells."""

    def __init__(self, store: Store, head: Head, nonce: str, now: Callable[[], float]) -> None:
        self._store = store
        self._nonce = nonce
        self._now = now
        self._lock = threading.Lock()
        self._stopped_by: StoreError | Fenced | None = None
        self.head = head

    def append(self, body: Body) -> Entry:
        """Make `body` the next entry; durable on return.

        Raises Fenced when another writer's entry stands there, StoreError when the outcome is
        unknown (stop and refold), and whichever of the two stopped this writer before.
        """
        with self._lock:
            if self._stopped_by is not None:
                raise self._stopped_by
            sequence = self.head.sequence
            entry = Entry(sequence, self._nonce, self.head.previous, self._now(), body)
            data = encode(entry)
            self._stopped_by = StoreError(
                f"{self._store.uri}: appending log entry {sequence} failed and it may or may not "
                "be stored; nothing committed is lost: run the same command again, which re-reads "
                "the log"
            )
            stored = self._store.put_if_absent(log_key(sequence), data)
            if stored != data:
                self._stopped_by = self._refusal(sequence, stored)
                raise self._stopped_by
            self._stopped_by = None
            self.head = Head(sequence + 1, chain_hash(data))
            return entry

    def overtaken(self) -> Fenced | None:
        """The error that names another writer, if one stands under this writer's next number.

        What a fenced writer stumbles over first may be something else, such as staged segments
        that its successor committed and deleted.
        """
        stored = _entry_bytes(self._store, self.head.sequence)
        refusal = None if stored is None else self._refusal(self.head.sequence, stored)
        return refusal if isinstance(refusal, Fenced) else None

    def _refusal(self, sequence: int, stored: bytes) -> Fenced | StoreError:
        other = decode(stored, sequence)
        if other.writer == self._nonce:
            return StoreError(
                f"{self._store.uri}: log entry {sequence} was written by this writer with another "
                "content; nothing committed is lost: run the same command again, which re-reads "
                "the log"
            )
        who = f"writer {other.writer}"
        if isinstance(other.body, WriterOpened):
            who += f" (host {other.body.host}, pid {other.body.pid})"
        return Fenced(
            f"{self._store.uri}: {who} took over: its {other.kind} is log entry {sequence}; this "
            "process stops, and nothing committed is lost"
        )


def open_writer(
    store: Store,
    head: Head,
    nonce: str,
    opened: WriterOpened,
    now: Callable[[], float],
    fold: Callable[[Entry], object],
) -> LogWriter:
    """Append `opened` after `head` and return the writer that goes on from there.

    `fold` receives every entry after `head` in order, the new `opened` entry last. Raises
    CorpusBusy when others kept taking the next number, else what reading and appending raise.
    """
    for _ in range(OPENING_ATTEMPTS):
        writer = LogWriter(store, head, nonce, now)
        try:
            entry = writer.append(opened)
        except Fenced:
            reader = LogReader(store, head, readers=1)  # What is missed is a few entries.
            for missed in reader:
                fold(missed)
            head = reader.head
            continue
        fold(entry)
        return writer
    raise CorpusBusy(
        f"{store.uri}: others appended to the log {OPENING_ATTEMPTS} times while this process "
        "tried to open it; find the drivers that grow this corpus and stop all but one"
    )
