"""The simulated store: a dictionary that can lose requests and acknowledgements on command.

It resolves unknown outcomes through the same code as the S3 store, so a protocol that survives
its fault plans has been tested for real. Handles of one name in one process share their objects.
"""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from seedcorn.core.errors import ObjectMissing
from seedcorn.storage.stores.keys import check_key, check_prefix, refuse_pickling
from seedcorn.storage.stores.patience import Patience, Unanswered
from seedcorn.storage.stores.store import ObjectInfo

FaultPlan = Callable[[str, str, str], None]
"""Called as plan(when, operation, key) around every request of one handle.

`when` is before | after, `operation` is put | create | get | list | delete. Raising Unanswered
before a request loses the request, after it the acknowledgement; any other exception passes
through to the caller, and a plan may block to delay.
"""

_IMMEDIATE = Patience()


class _Objects:
    """What all handles of one name share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_key: dict[str, bytes] = {}


_STORES: dict[str, _Objects] = {}
_STORES_LOCK = threading.Lock()


class MemoryStore:
    """A store that lives as long as the process. `conditional=False` ignores put-if-absent's
    condition, like the servers that `doctor` must find."""

    def __init__(
        self,
        name: str,
        faults: FaultPlan | None = None,
        patience: Patience = _IMMEDIATE,
        conditional: bool = True,
    ) -> None:
        with _STORES_LOCK:
            self._objects = _STORES.setdefault(name, _Objects())
        self._name = name
        self._faults = faults
        self._patience = patience
        self._conditional = conditional

    @property
    def uri(self) -> str:
        """`memory:NAME`."""
        return f"memory:{self._name}"

    def put(self, key: str, data: bytes | Path) -> None:
        """See Store.put."""
        check_key(key)
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        self._patience.keep_trying(lambda: self._write(key, content))

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        """See Store.put_if_absent."""
        check_key(key)
        content = bytes(data)
        return self._patience.settle(
            lambda: self._create(key, content), lambda: self._read(key), content
        )

    def get(self, key: str) -> bytes:
        """See Store.get."""
        check_key(key)
        return self._patience.keep_trying(lambda: self._read(key))

    def open(self, key: str) -> BinaryIO:
        """See Store.open."""
        return io.BytesIO(self.get(key))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Store.list; a snapshot."""
        check_prefix(prefix)
        return iter(self._patience.keep_trying(lambda: self._snapshot(prefix)))

    def delete(self, key: str) -> None:
        """See Store.delete."""
        check_key(key)
        self._patience.keep_trying(lambda: self._remove(key))

    def __reduce__(self) -> NoReturn:
        refuse_pickling(self)

    @contextmanager
    def _request(self, operation: str, key: str) -> Iterator[dict[str, bytes]]:
        if self._faults is not None:
            self._faults("before", operation, key)
        with self._objects.lock:
            yield self._objects.by_key
        if self._faults is not None:
            self._faults("after", operation, key)

    def _write(self, key: str, data: bytes) -> None:
        with self._request("put", key) as objects:
            objects[key] = data

    def _create(self, key: str, data: bytes) -> None:
        with self._request("create", key) as objects:
            if self._conditional and key in objects:
                raise Unanswered(f"{self.uri}: creating {key}: something stands there")
            objects[key] = data

    def _read(self, key: str) -> bytes:
        with self._request("get", key) as objects:
            if key not in objects:
                raise ObjectMissing(f"{self.uri}: no object {key}")
            return objects[key]

    def _snapshot(self, prefix: str) -> tuple[ObjectInfo, ...]:
        with self._request("list", prefix) as objects:
            found = ((key, len(data)) for key, data in objects.items() if key.startswith(prefix))
            return tuple(ObjectInfo(key, size) for key, size in found)

    def _remove(self, key: str) -> None:
        with self._request("delete", key) as objects:
            objects.pop(key, None)
