"""Parquet footers: all that opening a seed costs, and what says how to read a row group safely.

A footer is read by two ranged reads from the end of the file, hashed, and parsed; no page is
touched. What a row group can grow to in memory is decided here, from the footer alone.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import SeedError
from seedcorn.storage.seeds.files import seed_errors

TAIL = 64 << 10
MAX_FOOTER = 512 << 20
WHOLE_BYTES = 128 << 20
"""Row groups whose columns take more than this are read in slices."""
SLICE_ROWS = 256
"""Rows per slice where cells may be long: 256 cells of 1 MB are the worst that is held at once."""
WIDE_ROWS = 1 << 20
"""Rows per slice where the footer bounds the cells, so that only 4 bytes per row are added."""
_MAGIC = b"PAR1"
_BOUNDED = {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"}
"""Encodings whose values are no larger than the pages that the footer counts."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns a seed needs; `id` and `problem` are empty where there is none."""

    text: str
    id: str = ""
    problem: str = ""

    @property
    def names(self) -> list[str]:
        """The columns that exist, each once."""
        return list(dict.fromkeys(name for name in (self.text, self.id, self.problem) if name))


@dataclass(frozen=True, slots=True)
class ReadMode:
    """How to read one row group in bounded memory."""

    dictionaries: tuple[str, ...]
    """Columns kept as dictionaries: a value that repeats a million times stays one value."""
    rows: int
    """Rows per slice."""
    whole: bool
    """True: the group is small enough to be fetched at once and kept."""


def read_footer(handle: BinaryIO, where: str) -> tuple[pq.FileMetaData, str]:
    """The footer of the Parquet file behind `handle`, and its sha256; raises SeedError."""
    with seed_errors(where):
        size = handle.seek(0, io.SEEK_END)
        handle.seek(max(0, size - TAIL))
        tail = handle.read(TAIL)
        if len(tail) < 12 or tail[-4:] != _MAGIC:
            raise SeedError(f"seed {where}: is not a complete Parquet file (no footer at its end)")
        length = int.from_bytes(tail[-8:-4], "little") + 8
        if length > min(size, MAX_FOOTER):
            raise SeedError(f"seed {where}: its Parquet footer claims {length} bytes of {size}")
        if length > len(tail):
            handle.seek(-length, os.SEEK_END)
            tail = handle.read(length)
        footer = tail[-length:]
        return pq.read_metadata(pa.BufferReader(footer)), hashlib.sha256(footer).hexdigest()


def check_columns(metadata: pq.FileMetaData, columns: Columns, where: str) -> None:
    """Raise SeedError unless the text column is a string and the id column a string or integer."""
    with seed_errors(where):
        schema = metadata.schema.to_arrow_schema()
    text = _column_type(schema, columns.text, "text", where)
    if not is_text(text):
        raise SeedError(f"seed {where}: column {columns.text!r} holds {text}, not strings")
    if columns.id:
        kind = _column_type(schema, columns.id, "id", where)
        if not (is_text(kind) or pa.types.is_integer(kind)):
            raise SeedError(f"seed {where}: id column {columns.id!r} holds {kind}, not ids")


def check_group(metadata: pq.FileMetaData, name: str, where: str) -> None:
    """Raise SeedError unless rows can be held out together by this column."""
    with seed_errors(where):
        schema = metadata.schema.to_arrow_schema()
    kind = _column_type(schema, name, "group", where)
    if not (is_text(kind) or pa.types.is_integer(kind)):
        raise SeedError(
            f"seed {where}: group column {name!r} holds {kind}, not texts or whole numbers"
        )


def holds_values(metadata: pq.FileMetaData, name: str) -> bool:
    """Whether rows of a file have a value in this column, if it has one, by its footer."""
    names = [metadata.schema.column(place).path for place in range(len(metadata.schema))]
    for group in map(metadata.row_group, range(metadata.num_row_groups if name in names else 0)):
        found = group.column(names.index(name)).statistics
        if found is None or not found.has_null_count or found.null_count < group.num_rows:
            return True
    return False


def is_text(kind: pa.DataType) -> bool:
    """True for every layout that Arrow has for strings, dictionaries of strings included."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def read_mode(metadata: pq.FileMetaData, group: int, columns: Columns) -> ReadMode:
    """Slices and dictionaries for row group `group`; raises what Arrow raises for a broken footer.

    Dictionary pages can name one long value a million times, so decoding to plain strings has no
    bound; delta encodings share prefixes and have none either, nor can Arrow keep them encoded.
    """
    size, bounded = 0, True
    dictionaries: list[str] = []
    for index in range(len(metadata.schema)):
        name = metadata.schema.column(index).path
        if name not in columns.names:
            continue
        _check_chunk(metadata, group, name)
        column = metadata.row_group(group).column(index)
        size += column.total_uncompressed_size
        bounded = bounded and set(column.encodings) <= _BOUNDED
        if column.physical_type == "BYTE_ARRAY" and any("DICT" in e for e in column.encodings):
            dictionaries.append(name)
    if not bounded or size > WHOLE_BYTES:
        return ReadMode((), SLICE_ROWS, False)
    return ReadMode(tuple(dictionaries), WIDE_ROWS, metadata.row_group(group).num_rows <= WIDE_ROWS)


class _NoPages(io.RawIOBase):
    """A file longer than any there is, and without a byte in it."""

    asked = False
    _at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: 2**62}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        self.asked = True
        return b""


def _check_chunk(metadata: pq.FileMetaData, group: int, name: str) -> None:
    """Let Arrow's reader check a column chunk's description, which it does before it asks for pages.

    `RowGroupMetaData.column` of pyarrow 26 ends the process instead of raising (std::terminate).
    """
    pages = _NoPages()
    try:
        file = pq.ParquetFile(cast("BinaryIO", pages), metadata=metadata)
        file.read_row_group(group, columns=[name], use_threads=False)
    except (OSError, pa.ArrowException):
        if not pages.asked:
            raise


def _column_type(schema: pa.Schema, name: str, role: str, where: str) -> pa.DataType:
    found = schema.get_all_field_indices(name)
    if len(found) != 1:
        what = "occurs twice" if found else f"is missing; the columns are {', '.join(schema.names)}"
        raise SeedError(f"seed {where}: {role} column {name!r} {what}")
    return schema.field(found[0]).type
