"""Raw documents out of JSONL and plain text, one at a time and in bounded memory.

Nothing is dropped: what cannot be a document becomes a row that says why. A line is never loaded
whole unless it is shorter than a cap, and compressed files are decompressed as they stream, so a
compression bomb costs time, not memory.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec
from seedcorn.storage.seeds.files import compression

CHUNK = 1 << 20
BOMB_BYTES = 16 << 20
BOMB_RATIO = 200
"""A file that has given so many bytes, and so many times what was read of it, is a bomb: text
shrinks to a tenth, logs to a hundredth."""
SPLITS = ("file", "paragraph", "line")
_BOM = b"\xef\xbb\xbf"


class Problem(StrEnum):
    """Why a seed row cannot be used. Found again as the detail of `rejected: seed_row`."""

    NULL = "null"
    EMPTY = "empty"
    NOT_UTF8 = "not UTF-8"
    NOT_TEXT = "not text"
    NO_TEXT = "no text key"
    NOT_JSON = "not JSON"
    NOT_OBJECT = "not a JSON object"
    TOO_LONG = "too long"


class SeedRow(NamedTuple):
    """A converted row: `text` is None exactly where `problem` is not empty."""

    text: str | None
    id: str | None
    problem: str
    group: str | None = None
    """By which rows are held out together."""


class HashingReader(io.RawIOBase):
    """Hands through what is read from `source` and keeps its sha256."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._state = hashlib.sha256()
        self.count = 0
        """Bytes read so far."""

    def readable(self) -> bool:
        """True: io asks before it reads."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the source; 0 at its end."""
        data = self._source.read(len(buffer))
        self._state.update(data)
        self.count += len(data)
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> str:
        """Read what a decoder left unread, and return the hash of the whole file."""
        while data := self._source.read(CHUNK):
            self._state.update(data)
            self.count += len(data)
        return self._state.hexdigest()


def line_cap(max_chars: int) -> int:
    """Bytes of one line or document that are held at most: 4 per character, with room for JSON."""
    return max(1 << 20, 4 * max_chars + (64 << 10))


def seed_rows(
    raw: HashingReader, name: str, kind: str, spec: SourceSpec, group: str = ""
) -> Iterator[SeedRow]:
    """The rows of one file of format `kind` (jsonl or text), decompressed by its ending. `group` is
    a key that is kept of JSONL."""
    stream = decompressed(raw, name)
    cap = line_cap(spec.max_chars)
    if kind == "jsonl":
        for line in lines(stream, cap):
            if line is None or line.strip():
                yield json_row(line, spec, group)
    elif spec.split == "file":
        yield text_row(_whole(stream, cap), name, spec.max_chars)
    elif spec.split in SPLITS:
        pieces = lines(stream, cap)
        for piece in pieces if spec.split == "line" else paragraphs(pieces, cap):
            if piece is None or piece.strip():
                yield text_row(piece, None, spec.max_chars)
    else:
        raise SeedError(
            f"seed {spec.path}: unknown split {spec.split!r}; choose one of {', '.join(SPLITS)}"
        )


def lines(stream: BinaryIO, cap: int) -> Iterator[bytes | None]:
    """Lines without their ends; None stands for a line of more than `cap` bytes."""
    carry, skipping, first = b"", False, True
    while chunk := stream.read(CHUNK):
        pieces = (chunk.removeprefix(_BOM) if first else chunk).split(b"\n")
        first = False
        pieces[0] = carry + pieces[0]
        for piece in pieces[:-1]:
            yield None if skipping or len(piece) > cap else piece.removesuffix(b"\r")
            skipping = False
        carry = pieces[-1]
        if skipping or len(carry) > cap:
            carry, skipping = b"", True
    if skipping:
        yield None
    elif carry:
        yield carry.removesuffix(b"\r")


def paragraphs(pieces: Iterator[bytes | None], cap: int) -> Iterator[bytes | None]:
    """Lines joined up to the next blank one; None for a paragraph of more than `cap` bytes."""
    gathered: list[bytes] = []
    size, skipping = 0, False
    for piece in pieces:
        if piece is not None and not piece.strip():
            if gathered or skipping:
                yield None if skipping else b"\n".join(gathered)
            gathered, size, skipping = [], 0, False
            continue
        size += cap + 1 if piece is None else len(piece) + 1
        skipping = skipping or size > cap + 1
        if skipping or piece is None:
            gathered = []
        else:
            gathered.append(piece)
    if gathered or skipping:
        yield None if skipping else b"\n".join(gathered)


def json_row(line: bytes | None, spec: SourceSpec, group: str = "") -> SeedRow:
    """One JSONL line as a row; raises nothing, whatever the line holds."""
    if line is None:
        return SeedRow(None, None, Problem.TOO_LONG)
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return SeedRow(None, None, Problem.NOT_UTF8)
    except (ValueError, RecursionError):
        return SeedRow(None, None, Problem.NOT_JSON)
    if not isinstance(record, dict):
        return SeedRow(None, None, Problem.NOT_OBJECT)
    name = _json_id(record.get(spec.id)) if spec.id else None
    if spec.text not in record:
        return SeedRow(None, name, Problem.NO_TEXT)
    text = record[spec.text]
    if not isinstance(text, str):
        return SeedRow(None, name, Problem.NULL if text is None else Problem.NOT_TEXT)
    row = _checked(text, name, spec.max_chars)
    return row._replace(group=_json_id(record.get(group))) if group else row


def text_row(data: bytes | None, name: str | None, max_chars: int) -> SeedRow:
    """A piece of plain text as a row."""
    if data is None:
        return SeedRow(None, name, Problem.TOO_LONG)
    try:
        return _checked(data.decode("utf-8"), name, max_chars)
    except UnicodeDecodeError:
        return SeedRow(None, name, Problem.NOT_UTF8)


def _checked(text: str, name: str | None, max_chars: int) -> SeedRow:
    if len(text) > max_chars:
        return SeedRow(None, name, Problem.TOO_LONG)
    if not _encodable(text):
        return SeedRow(None, name, Problem.NOT_UTF8)
    if not text or text.isspace():
        return SeedRow(None, name, Problem.EMPTY)
    return SeedRow(text, name, "")


def _json_id(value: Any) -> str | None:
    """Ids are text or whole numbers; for anything else the row number names the document."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) if isinstance(value, int) or _encodable(value) else None


def _encodable(text: str) -> bool:
    """False for lone surrogates, which JSON escapes can spell but UTF-8 cannot."""
    try:
        return text.isascii() or bool(text.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def decompressed(raw: HashingReader, name: str) -> BinaryIO:
    """What a file holds, by its ending; raises SeedError for a compression bomb."""
    buffered, codec = io.BufferedReader(raw, CHUNK), compression(name)
    if codec == "gzip":
        return cast(BinaryIO, _Expanding(gzip.GzipFile(fileobj=buffered), raw, name))
    if codec == "zstd":
        inflated = pa.CompressedInputStream(pa.PythonFile(buffered, "r"), "zstd")
        return cast(BinaryIO, _Expanding(inflated, raw, name))
    return cast(BinaryIO, buffered)


class _Expanding:
    """Reads a decompressed stream; raises SeedError once it is a bomb."""

    def __init__(self, stream: Any, raw: HashingReader, name: str) -> None:
        self._stream, self._raw, self._name, self._given = stream, raw, name, 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._given += len(data)
        if self._given > BOMB_BYTES and self._given > BOMB_RATIO * self._raw.count:
            raise SeedError(
                f"seed {self._name}: expands more than {BOMB_RATIO}-fold, to {self._given >> 20} "
                "MiB so far: a compression bomb; decompress it yourself if it is meant"
            )
        return data


def _whole(stream: BinaryIO, cap: int) -> bytes | None:
    gathered = b""
    while len(gathered) <= cap and (chunk := stream.read(CHUNK)):
        gathered += chunk
    return None if len(gathered) > cap else gathered.removeprefix(_BOM)
