"""Being the one writer of a corpus: wait for the turn, keep the heartbeat, open the log."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator

from seedcorn import __version__
from seedcorn.core.log.entries import Entry, WriterOpened
from seedcorn.core.recipe import RunSpec
from seedcorn.storage.log.log import Head, LogWriter, open_writer
from seedcorn.storage.log.writer import Heartbeat, this_process, wait_for_turn
from seedcorn.storage.stores.store import Store


@contextlib.contextmanager
def writing(
    store: Store,
    head: Head,
    fold: Callable[[Entry], object],
    times: RunSpec,
    takeover: bool,
    clock: Callable[[], float] = time.time,
) -> Iterator[LogWriter]:
    """The corpus' log, open for this process while the `with` body runs.

    `fold` receives every entry after `head`, our own `writer_opened` last. Entries are dated by
    `clock`, in Unix seconds. Raises CorpusBusy while another writer lives. After an error the
    heartbeat stays as it is: the corpus was not closed.
    """
    wait_for_turn(store, times.lease_s, takeover)
    nonce = secrets.token_hex(8)
    identity = this_process(nonce, store.uri, clock())
    with Heartbeat(store, identity, times.heartbeat_s):
        opened = WriterOpened(identity.host, identity.pid, __version__)
        yield open_writer(store, head, nonce, opened, clock, fold)
