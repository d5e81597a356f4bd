"""Deciding which rows of a batch are usable documents, for random reads and scans alike.

Both go through `examined`, so that a row cannot be a document in one and a problem in the other.
Nothing longer than `max_chars` is ever decoded, and Arrow's strings are not trusted to be UTF-8:
the Parquet reader does not check.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from seedcorn.storage.seeds.footers import Columns
from seedcorn.storage.seeds.lines import Problem

pc: Any = compute
"""Arrow makes these functions when it is imported, where no type checker sees them."""
PIECE_BYTES = 32 << 20
"""Text that is decoded at once."""
MAX_ID = 256
"""Longer ids, and ids that are not UTF-8, give way to the row number."""


@dataclass(frozen=True, slots=True)
class Examined:
    """Rows of one piece: `texts` is empty and `problems` says why where a row is unusable."""

    first: int
    """Row of the batch that the piece starts at."""
    texts: pa.StringArray
    problems: np.ndarray
    """Object array of str, empty where the row is usable."""


def examined(batch: pa.RecordBatch, columns: Columns, max_chars: int) -> Iterator[Examined]:
    """The batch in pieces of at most PIECE_BYTES of text (a single longer row stands alone)."""
    column = batch.column(columns.text)
    lengths = byte_lengths(column)
    too_long = lengths > 4 * max_chars
    kept = np.where(too_long, 0, lengths)
    problems = given_problems(batch, columns)
    for start, stop in _pieces(kept):
        skip = too_long[start:stop]
        texts = _plain(column, np.arange(start, stop), skip)
        found = problems[start:stop]
        null = column.slice(start, stop - start).is_null().to_numpy(zero_copy_only=False)
        _mark(found, null, Problem.NULL)
        _mark(found, skip, Problem.TOO_LONG)
        texts = _marked_texts(texts, found, max_chars)
        yield Examined(start, texts, found)


def check_dictionaries(batch: pa.RecordBatch) -> None:
    """Raise pa.ArrowInvalid where a cell names a value that its dictionary does not have.

    Arrow's own full check would also refuse every cell for one value that is not UTF-8.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not pa.types.is_dictionary(column.type):
            continue
        used, size = pc.min_max(column.indices).as_py(), len(column.dictionary)
        if used["min"] is not None and not 0 <= used["min"] <= used["max"] < size:
            raise pa.ArrowInvalid(f"column {name!r} names a value that its dictionary lacks")


def byte_lengths(column: pa.Array) -> np.ndarray:
    """Bytes of each cell, 0 for nulls; a dictionary's values are measured, not repeated."""
    if pa.types.is_dictionary(column.type):
        values = pc.binary_length(_measurable(column.dictionary))
        lengths = values.take(column.indices)
    else:
        lengths = pc.binary_length(_measurable(column))
    return lengths.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)


def ids(batch: pa.RecordBatch, columns: Columns) -> list[str]:
    """The id of each row as text, empty where there is none to use."""
    if not columns.id:
        return [""] * batch.num_rows
    column = batch.column(columns.id)
    if pa.types.is_integer(column.type):
        return ["" if value is None else str(value) for value in column.to_pylist()]
    too_long = byte_lengths(column) > MAX_ID
    plain = _plain(column, np.arange(batch.num_rows), too_long)
    return [_decoded(value) or "" for value in _bytes(plain).to_pylist()]


def given_problems(batch: pa.RecordBatch, columns: Columns) -> np.ndarray:
    """Object array of str: what a conversion found wrong with each row, empty for nothing."""
    if not columns.problem:
        return np.full(batch.num_rows, "", dtype=object)
    return np.array(batch.column(columns.problem).to_pylist(), dtype=object)


def _pieces(lengths: np.ndarray) -> Iterator[tuple[int, int]]:
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + PIECE_BYTES, side="right"))
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def _plain(column: pa.Array, rows: np.ndarray, skip: np.ndarray) -> pa.StringArray:
    """The cells as plain strings, null where skipped; nothing skipped is ever copied."""
    chosen = column.take(pa.array(rows, mask=skip))
    if pa.types.is_dictionary(chosen.type):
        chosen = chosen.dictionary.take(chosen.indices)
    return chosen.cast(pa.string())


def _marked_texts(texts: pa.StringArray, found: np.ndarray, max_chars: int) -> pa.StringArray:
    """Mark what only the characters tell, and blank the rows that are marked."""
    texts = _valid(texts, found)
    lengths = pc.utf8_length(texts)
    _mark(found, _mask(pc.greater(lengths, max_chars)), Problem.TOO_LONG)
    blank = pc.or_(pc.equal(lengths, 0), pc.utf8_is_space(texts))
    _mark(found, _mask(blank), Problem.EMPTY)
    if not found.any():
        return texts
    return pc.if_else(pa.array(found == ""), texts, "")


def _valid(texts: pa.StringArray, found: np.ndarray) -> pa.StringArray:
    """The texts with null where the bytes are not UTF-8; looks at single rows only if it must."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        decoded = [_decoded(value) for value in _bytes(texts).to_pylist()]
        invalid = np.array([text is None for text in decoded])
        _mark(found, invalid, Problem.NOT_UTF8)
        return pa.array(decoded, pa.string())
    return texts


def _mark(found: np.ndarray, rows: np.ndarray, problem: Problem) -> None:
    """The first problem of a row stands."""
    found[rows & (found == "")] = str(problem)


def _mask(array: pa.Array) -> np.ndarray:
    return array.fill_null(False).to_numpy(zero_copy_only=False)


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _bytes(array: pa.StringArray) -> pa.Array:
    return array.view(pa.binary())


def _measurable(array: pa.Array) -> pa.Array:
    return array.cast(pa.large_string()) if pa.types.is_string_view(array.type) else array
