"""The heartbeat `writer.json`: it saves GPU time and decides nothing.

A newcomer that sees it move refuses to start beside the holder. All safety comes from the log
(`Fenced`), so a heartbeat that is late, lost, or overwritten by two drivers is never an error.
Movement is judged on the watcher's own monotonic clock; clocks of two hosts are never compared.
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from seedcorn.core.codec import from_plain, to_plain
from seedcorn.core.errors import CorpusBusy, ObjectMissing, StoreError
from seedcorn.core.identity import canonical_json
from seedcorn.core.log.layout import WRITER
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)

_BEATING: set[str] = set()
"""Nonces of the heartbeats that this process keeps up: another run in it may have failed before."""
LOOKS_PER_LEASE = 20
"""How often a newcomer looks at the heartbeat while it watches."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes. `boot` names the boot and process namespace in which `pid` means something."""

    nonce: str
    host: str
    pid: int
    boot: str
    corpus: str
    started: float
    """Unix seconds, for people."""


@dataclass(frozen=True, slots=True)
class WriterRecord:
    """The content of `writer.json`. `counter` moves while the writer lives."""

    identity: Identity
    counter: int
    closed: bool


def this_process(nonce: str, corpus: str, started: float) -> Identity:
    """The identity of the calling process."""
    return Identity(nonce, socket.gethostname(), os.getpid(), this_boot(), corpus, started)


def this_boot() -> str:
    """The kernel's boot id and our process namespace; empty where neither can be known.

    Containers on one host may share host name and boot id, but not process ids.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


class Heartbeat:
    """Refreshes `writer.json` every `interval_s` seconds from its own thread."""

    def __init__(self, store: Store, identity: Identity, interval_s: float) -> None:
        self._store = store
        self._record = WriterRecord(identity, counter=0, closed=False)
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seedcorn-heartbeat", daemon=True)
        self.failures = 0
        """Refreshes in a row that did not reach the store."""

    def __enter__(self) -> "Heartbeat":
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Close after a body that ended well; only stop after any error."""
        if kind is None:
            self.close()
        else:
            self.stop()

    def start(self) -> None:
        """Write the first record, then keep refreshing."""
        _BEATING.add(self._record.identity.nonce)
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """Refresh once; a failure is logged and counted, never raised."""
        self._record = replace(self._record, counter=self._record.counter + 1)
        self._write()

    def stop(self) -> None:
        """Stop refreshing and leave the record as it is: after a crash, or when fenced."""
        self._ended.set()
        _BEATING.discard(self._record.identity.nonce)
        if self._thread.is_alive():
            # A store that hangs must not hold the exit for its whole deadline.
            self._thread.join(timeout=2 * self._interval_s)

    def close(self) -> None:
        """Stop, and mark the record closed so that the next driver starts at once.

        A record that another writer has taken meanwhile is left alone.
        """
        self.stop()
        if self._is_ours():
            self._record = replace(self._record, closed=True)
            self._write()

    def _run(self) -> None:
        while not self._ended.wait(self._interval_s):
            self.beat()

    def _is_ours(self) -> bool:
        try:
            record = _parse(self._store.get(WRITER))
        except StoreError as error:
            logger.warning("cannot close the heartbeat: %s", error)
            return False
        return record is not None and record.identity.nonce == self._record.identity.nonce

    def _write(self) -> None:
        try:
            self._store.put(WRITER, canonical_json(to_plain(WriterRecord, self._record)))
        except StoreError as error:
            self.failures += 1
            logger.warning("heartbeat %d not written: %s", self._record.counter, error)
        else:
            self.failures = 0


def wait_for_turn(
    store: Store,
    lease_s: float,
    takeover: bool,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when no living writer seems to hold the corpus; raises CorpusBusy naming it otherwise.

    At once if there is no record, it is closed, its process is dead on this boot, or `takeover`;
    else after watching for `lease_s` seconds a record that does not move.
    """
    if takeover:
        return
    first = _look(store)
    if _is_free(first):
        return
    end = clock() + lease_s
    while (left := end - clock()) > 0:
        sleep(min(left, lease_s / LOOKS_PER_LEASE))
        seen = _look(store)
        if _is_free(seen):
            return
        if seen != first:
            raise CorpusBusy(_busy(store, seen))


def _look(store: Store) -> bytes | None:
    try:
        return store.get(WRITER)
    except ObjectMissing:
        return None


def _is_free(data: bytes | None) -> bool:
    if data is None:
        return True
    record = _parse(data)
    # A record this version cannot read is watched like any other.
    return record is not None and (record.closed or _is_dead(record.identity))


def _is_dead(identity: Identity) -> bool:
    """Whether the process is known to be gone: only on the same host, boot and namespace."""
    if not identity.boot or (identity.host, identity.boot) != (socket.gethostname(), this_boot()):
        return False
    if identity.pid == os.getpid():
        return identity.nonce not in _BEATING
    try:
        os.kill(identity.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _parse(data: bytes) -> WriterRecord | None:
    try:
        return from_plain(WriterRecord, json.loads(data))
    except (ValueError, KeyError, TypeError):
        return None


def _busy(store: Store, data: bytes | None) -> str:
    record = _parse(data) if data is not None else None
    if record is None:
        holder = "a writer of another seedcorn version"
    else:
        who = record.identity
        since = datetime.fromtimestamp(who.started, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        holder = f"writer {who.nonce} (host {who.host}, pid {who.pid}, since {since})"
    return (
        f"{store.uri} is being grown by {holder}; wait for it, stop it, or set takeover=true to "
        "fence it: it then stops at its next commit and loses nothing committed"
    )
