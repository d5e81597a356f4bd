"""The keys that the rows of a JSONL source have: what a message says where a recipe names another.

Parquet tells its columns in the footer; here the first rows are read again, so that nothing needs
to be kept of a conversion that was made long ago.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from difflib import get_close_matches
from itertools import islice

from seedcorn.core.recipe import SourceSpec
from seedcorn.storage.seeds.files import Filesystems, SourceListing, seed_errors
from seedcorn.storage.seeds.lines import HashingReader, decompressed, line_cap, lines

ROWS = 200
"""Rows whose keys are looked at."""
SHOWN = 20
"""Keys that a message lists."""
SHOWN_CHARS = 60


def keys_of(source: SourceListing, spec: SourceSpec, filesystems: Filesystems) -> dict[str, str]:
    """Key -> kind of its first value (text, number, list, …) in the first rows of a source.

    In the order in which they appear; empty where rows have no keys.
    """
    found: dict[str, str] = {}
    if source.format == "jsonl":
        for row in islice(_rows(source, spec, filesystems), ROWS):
            for key, value in row.items() if isinstance(row, dict) else ():
                if found.get(key, "null") == "null":
                    found[key] = _kind(value)
    return found


def advice(wanted: str, keys: dict[str, str]) -> str:
    """What is wrong with the key `wanted`, and which there are; empty where that says nothing."""
    if not keys or keys.get(wanted) == "text":
        return ""
    if wanted in keys:
        texts = [key for key, kind in keys.items() if kind == "text"]
        others = f"; text is under {_listed(texts)}" if texts else ""
        return f"{wanted!r} holds {keys[wanted]} in the first row that has it{others}"
    close = get_close_matches(wanted, keys, 1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return f"no row has the key {wanted!r}; the keys there are {_listed(keys)}{meant}"


def _listed(keys: dict[str, str] | list[str]) -> str:
    shown = [repr(key[:SHOWN_CHARS])[1:-1] for key in islice(keys, SHOWN)]
    more = len(keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _rows(source: SourceListing, spec: SourceSpec, filesystems: Filesystems) -> Iterator[object]:
    for file in source.files:
        with seed_errors(file.path), closing(filesystems.open(file.path, stream=True)) as raw:
            stream = decompressed(HashingReader(raw), file.name)
            for line in lines(stream, line_cap(spec.max_chars)):
                yield _parsed(line)


def _parsed(line: bytes | None) -> object:
    try:
        return json.loads(line or b"null")
    except (ValueError, RecursionError):
        return None


def _kind(value: object) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "an object"}
    return names.get(type(value), "null")
