"""A corpus on S3 (through s3fs), or on any other fsspec filesystem.

Objects go up whole and in one call, never through an open remote handle. One level of retries
(`Patience`) with one deadline decides, and a conditional write whose answer is unknown is settled
by reading back.
"""

import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from seedcorn.core.errors import ObjectMissing, StoreUnsafe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.stores.keys import check_key, check_prefix, refuse_pickling
from seedcorn.storage.stores.patience import Patience
from seedcorn.storage.stores.remote import Remote
from seedcorn.storage.stores.store import ObjectInfo

READ_AHEAD = 1 << 20
"""Bytes requested at once by small reads of an open handle: a Parquet footer costs one request."""


class ObjectStore:
    """A store on a remote filesystem; the client is made on first use, once per process."""

    def __init__(self, uri: str, spec: StoreSpec, patience: Patience | None = None) -> None:
        self._uri = uri.rstrip("/")
        self._spec = spec
        self._patience = patience or Patience(spec.deadline_s)
        self._lock = threading.Lock()
        self._connected: tuple[int, Remote] | None = None

    @property
    def uri(self) -> str:
        """The URL, which never holds credentials (`open_store` refuses those)."""
        return self._uri

    def put(self, key: str, data: bytes | Path) -> None:
        """See Store.put."""
        check_key(key)
        self._patience.keep_trying(lambda: self._remote().write(key, data))

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        """See Store.put_if_absent; raises StoreUnsafe where the filesystem has no such write."""
        check_key(key)
        creates = self._remote().creates
        if self._spec.single_writer:
            # The store may ignore the condition: looking first is all that a lone writer needs.
            try:
                return self.get(key)
            except ObjectMissing:
                pass
        elif not creates:
            raise StoreUnsafe(
                f"{self._uri}: this filesystem cannot create an object only if it is absent; use "
                "another store, or set store.single_writer=true if nothing else ever writes this "
                "corpus"
            )
        return self._patience.settle(
            lambda: self._remote().write(key, data, create=creates),
            lambda: self._remote().read(key),
            data,
        )

    def get(self, key: str) -> bytes:
        """See Store.get."""
        check_key(key)
        return self._patience.keep_trying(lambda: self._remote().read(key))

    def open(self, key: str) -> BinaryIO:
        """See Store.open. Each range is a request of its own, with the store's retries."""
        check_key(key)
        size = self._patience.keep_trying(lambda: self._remote().size(key))

        def fetch(start: int, stop: int) -> bytes:
            return self._patience.keep_trying(lambda: self._remote().read(key, start, stop))

        return io.BufferedReader(RangedReader(fetch, size), READ_AHEAD)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Store.list; one request per page of up to 1000 objects."""
        return self._pages(check_prefix(prefix))

    def delete(self, key: str) -> None:
        """See Store.delete."""
        check_key(key)
        try:
            self._patience.keep_trying(lambda: self._remote().remove(key))
        except ObjectMissing:
            return

    def __reduce__(self) -> NoReturn:
        refuse_pickling(self)

    def _remote(self) -> Remote:
        """This process' client: a forked child makes its own, since clients do not survive forks."""
        with self._lock:
            if self._connected is None or self._connected[0] != os.getpid():
                self._connected = (os.getpid(), Remote(self._uri, self._spec))
            return self._connected[1]

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        token = ""
        while True:
            items, token = self._patience.keep_trying(
                lambda token=token: self._remote().page(prefix, token)
            )
            yield from items
            if not token:
                return


class RangedReader(io.RawIOBase):
    """A seekable read-only file over `fetch(start, stop)`; `size` in bytes."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Offset in bytes of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; raises ValueError before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}, before the start of the object")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the current offset with one request; 0 at the end."""
        view = memoryview(buffer).cast("B")
        stop = min(self._position + len(view), self._size)
        if stop <= self._position:
            return 0
        data = self._fetch(self._position, stop)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
