"""From a corpus URI to the store behind it. URIs never carry credentials.

A URI is written into logs, reports and process lists; credentials come from the environment.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.recipe.secrets import holds_credentials
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.store import Store

_ALMOST_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def open_store(uri: str, spec: StoreSpec) -> Store:
    """The store at `uri`: a folder, file://, s3://bucket/prefix, memory:NAME or an fsspec URL.

    Touches nothing yet. Raises RecipeError for a URI that cannot be one or holds credentials.
    """
    if not uri:
        raise RecipeError("the corpus URI is empty; set `corpus:` in the recipe or corpus=URI")
    if uri.startswith("memory:"):
        return MemoryStore(uri.removeprefix("memory:").strip("/"))
    if "://" not in uri:
        if _ALMOST_URL.match(uri):
            raise RecipeError(f"{uri} is neither a folder nor a URL; a URL has `://`")
        return LocalStore(Path(uri), spec.single_writer)
    scheme = _check_url(uri)
    if scheme == "file":
        return LocalStore(Path(unquote(urlsplit(uri).path)), spec.single_writer)
    # s3fs costs half a second to import, and local corpora never need it.
    from seedcorn.storage.stores.object_store import ObjectStore

    return ObjectStore(uri, spec)


def _check_url(uri: str) -> str:
    """The scheme of `uri`; raises RecipeError without printing what might be a secret."""
    scheme, rest = uri.split("://", 1)
    if holds_credentials(uri):
        raise RecipeError(
            f"the {scheme}:// URI holds a user name, password or key; remove it and set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or your store's variables)"
        )
    if "?" in rest or "#" in rest:
        raise RecipeError(f"the {scheme}:// URI has a query or fragment; a corpus is a plain path")
    authority = rest.split("/", 1)[0]
    if scheme == "file" and authority not in ("", "localhost"):
        raise RecipeError(f"{uri} names a host; a file URI has three slashes: file:///folder")
    if scheme in ("s3", "s3a") and not authority:
        raise RecipeError(f"{uri} names no bucket; write s3://bucket/prefix")
    return scheme
