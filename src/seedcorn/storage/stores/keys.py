"""What a key may look like, so that no name can leave the corpus or mean two objects.

Every store checks the same rule before it touches anything: `a/b/c`, relative, no segment that is
empty or starts with a dot (`..` walks out of the corpus; dot files are a local store's own).
"""

import re
from typing import NoReturn

from seedcorn.core.errors import StoreError

_SEGMENT = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*")


def check_key(key: str) -> str:
    """Return `key`; raises StoreError unless it is relative, with plain non-empty segments."""
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise StoreError(
            f"{key!r} is not a key: keys are relative, `/`-separated, and no segment is empty, "
            "starts with a dot or holds a backslash or control character"
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix`, the beginning of some keys (empty: of all); raises StoreError like a key."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def refuse_pickling(store: object) -> NoReturn:
    """Raise TypeError: clients carry secrets and sockets, and belong to one process."""
    raise TypeError(
        f"a {type(store).__name__} is never pickled: pass the corpus URI and the StoreSpec, "
        "and call open_store in the process that uses it"
    )
