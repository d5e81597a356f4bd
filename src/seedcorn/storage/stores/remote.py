"""One request to a remote filesystem: no retries, explicit time-outs, translated errors.

What is peculiar to s3fs is known here only: its caches are off, its own retries are cut to one,
and listings are read page by page instead of through its cached directory view.
"""

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fsspec.asyn import AsyncFileSystem
from fsspec.core import url_to_fs
from fsspec.spec import AbstractFileSystem
from s3fs import S3FileSystem

from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.stores.answers import REMOTE_ERRORS, store_error
from seedcorn.storage.stores.store import ObjectInfo

CONNECT_TIMEOUT_S = 10.0
SLOWEST_TRANSFER = 1 << 20
"""Bytes per second; a transfer is granted its size at this rate beyond the deadline."""
CONNECTIONS = 32

Page = tuple[list[ObjectInfo], str]
"""Objects of one listing request, and the token of the next page (empty: none)."""


class Remote:
    """A connected filesystem and the root below which keys live."""

    def __init__(self, uri: str, spec: StoreSpec) -> None:
        self._uri = uri
        self._deadline_s = spec.deadline_s
        self._is_s3 = urlsplit(uri).scheme in ("s3", "s3a")
        if self._is_s3:
            self._filesystem: AbstractFileSystem = _connect_s3(spec)
            self._root = uri.partition("://")[2].strip("/")
        else:
            self._filesystem, root = url_to_fs(
                uri, skip_instance_cache=True, use_listings_cache=False
            )
            self._root = root.rstrip("/")
        self._is_async = isinstance(self._filesystem, AsyncFileSystem)

    @property
    def creates(self) -> bool:
        """Whether the filesystem brings its own exclusive write; fsspec's default only looks."""
        name = "_pipe_file" if self._is_async else "pipe_file"
        writes = getattr(type(self._filesystem), name)
        inherited = getattr(AsyncFileSystem if self._is_async else AbstractFileSystem, name)
        return writes is not inherited and "mode" in inspect.signature(writes).parameters

    def write(self, key: str, data: bytes | Path, create: bool = False) -> None:
        """Send a whole object; `create` asks the store to refuse if something stands there."""
        doing = f"{'create' if create else 'write'} {key}"
        how = {"mode": "create"} if create else {}
        target = f"{self._root}/{key}"
        if not self._is_async:
            self._ask(doing, 0, "makedirs", target.rpartition("/")[0], exist_ok=True)
        if isinstance(data, Path):
            self._ask(doing, data.stat().st_size, "put_file", str(data), target, **how)
        else:
            self._ask(doing, len(data), "pipe_file", target, data, **how)

    def read(self, key: str, start: int | None = None, stop: int | None = None) -> bytes:
        """The object, or the bytes [start, stop) of it; raises ObjectMissing."""
        # With more than one connection s3fs asks for the size first: twice the requests.
        how = {"max_concurrency": 1} if self._is_s3 else {}
        size = (stop or 0) - (start or 0)
        target = f"{self._root}/{key}"
        return self._ask(f"read {key}", size, "cat_file", target, start=start, end=stop, **how)

    def size(self, key: str) -> int:
        """Bytes of the object; raises ObjectMissing."""
        return int(self._ask(f"read {key}", 0, "info", f"{self._root}/{key}")["size"])

    def remove(self, key: str) -> None:
        """Delete one object; raises ObjectMissing where the store tells."""
        self._ask(f"delete {key}", 0, "rm_file", f"{self._root}/{key}")

    @property
    def is_s3(self) -> bool:
        """Whether requests can be made by their S3 names."""
        return self._is_s3

    def request(self, operation: str, key: str, **arguments: Any) -> dict[str, Any]:
        """One S3 request about one object, such as `head_object`; the answer with its headers."""
        bucket, _, root = self._root.partition("/")
        name = f"{root}/{key}" if root else key
        return self._ask(
            f"{operation} {key}", 0, "call_s3", operation, Bucket=bucket, Key=name, **arguments
        )

    def page(self, prefix: str, token: str) -> Page:
        """One page of the listing; the first has an empty token."""
        if self._is_s3:
            return self._s3_page(prefix, token)
        self._filesystem.invalidate_cache()
        folder = f"{self._root}/{prefix}".rpartition("/")[0]
        found: dict[str, Any] = self._ask(f"list {prefix}", 0, "find", folder, detail=True)
        listed = _below(self._root, ((name, info["size"]) for name, info in found.items()))
        return [item for item in listed if item.key.startswith(prefix)], ""

    def _s3_page(self, prefix: str, token: str) -> Page:
        bucket, _, root = self._root.partition("/")
        base = f"{root}/" if root else ""
        how = {"ContinuationToken": token} if token else {}
        out = self._ask(
            f"list {prefix}",
            0,
            "call_s3",
            "list_objects_v2",
            Bucket=bucket,
            Prefix=base + prefix,
            **how,
        )
        listed = ((found["Key"], found["Size"]) for found in out.get("Contents", []))
        items = list(_below(root, listed))
        return items, out["NextContinuationToken"] if out.get("IsTruncated") else ""

    def _ask(self, doing: str, size: int, method: str, *arguments: Any, **how: Any) -> Any:
        if self._is_async:
            how["timeout"] = self._deadline_s + size / SLOWEST_TRANSFER
        try:
            return getattr(self._filesystem, method)(*arguments, **how)
        except REMOTE_ERRORS as error:
            raise store_error(error, f"{self._uri}: cannot {doing}") from error


def _below(root: str, listed: Iterator[tuple[str, int]]) -> Iterator[ObjectInfo]:
    base = f"{root}/" if root else ""
    for name, size in listed:
        if name.startswith(base) and not name.endswith("/"):
            yield ObjectInfo(name[len(base) :], int(size))


def _connect_s3(spec: StoreSpec) -> S3FileSystem:
    """An S3 client with credentials from the default chain (environment, profile, role)."""
    environment = os.environ
    endpoint = (
        spec.endpoint
        or environment.get("AWS_ENDPOINT_URL_S3", "")
        or environment.get("AWS_ENDPOINT_URL", "")
    )
    region = (
        spec.region
        or environment.get("AWS_REGION", "")
        or environment.get("AWS_DEFAULT_REGION", "")
        or ("us-east-1" if endpoint else "")
    )
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": min(spec.answer_s, spec.deadline_s),
        "retries": {"total_max_attempts": 2},
        "max_pool_connections": CONNECTIONS,
    }
    if endpoint and not (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com"):
        # Most self-hosted servers have no DNS name per bucket.
        config["s3"] = {"addressing_style": "path"}
    filesystem = S3FileSystem(
        endpoint_url=endpoint or None,
        client_kwargs={"region_name": region} if region else {},
        config_kwargs=config,
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    filesystem.retries = 1
    return filesystem
