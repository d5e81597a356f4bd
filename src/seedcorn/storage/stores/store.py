"""The store: five operations on whole objects, and one read handle.

Objects are written whole or not at all; an open remote handle is never written to, because an
exception inside its `with` body commits a truncated file. Keys are relative, `/`-separated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object."""

    key: str
    size: int


class Store(Protocol):
    """An object store rooted at `uri`. Methods block, are thread-safe, and raise StoreError.

    A Store is opened inside the process that uses it and never pickled: pickled clients carry
    secrets. Pass the URI and `StoreSpec` instead and call `open_store`.
    """

    @property
    def uri(self) -> str:
        """Root of the store as a person would write it."""
        ...

    def put(self, key: str, data: bytes | Path) -> None:
        """Write a whole object (bytes, or a closed local file); replaces what was there."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        """Create the object unless it exists; returns the bytes that now stand under the key.

        Equal to `data`: this call, or an earlier one of ours, created it. Anything unknown (412,
        conflict, time-out, reset) is resolved inside by reading back and comparing, and by sending
        the identical bytes again when nothing stands there. Raises StoreError past the deadline.
        """
        ...

    def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A seekable read-only handle for ranged reads; raises ObjectMissing."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in no particular order, never cached."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; absent is fine."""
        ...
