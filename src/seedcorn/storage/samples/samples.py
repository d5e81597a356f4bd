"""Samples as Arrow tables, and Arrow tables as objects.

Three shapes share one core of columns: a *segment* (staged, every outcome, fingerprints), a
*data* shard (accepted, fingerprints, lineage) and a *dropped* shard (everything else, and why).
Types are the ones every Parquet reader and `datasets` know. An object is encoded whole, reopened,
counted and hashed before its single upload.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import CorruptCorpus, FormatError, ObjectMissing, StoreError
from seedcorn.core.identity import digest, sha256_hex
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import SegmentName, ShardName, parse_segment
from seedcorn.core.sample import Outcome, Sample
from seedcorn.core.text.fingerprint import KEYS, SIGNATURE_BYTES, Fingerprints
from seedcorn.storage.stores.parquet_objects import column_of, row_count, table_of
from seedcorn.storage.stores.store import Store

SAMPLE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("text", pa.string()),
        ("reasoning", pa.string()),
        ("generation", pa.int32()),
        ("index", pa.int64()),
        ("unit", pa.int64()),
        ("stratum", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("axes", pa.string()),
        ("template_hash", pa.string()),
        ("recipe", pa.string()),
        ("model", pa.string()),
        ("model_revision", pa.string()),
        ("engine", pa.string()),
        ("chat_template", pa.string()),
        ("sampling", pa.string()),
        ("seed", pa.int64()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("finish_reason", pa.string()),
        ("checks", pa.list_(pa.string())),
        ("neutralised", pa.int32()),
        ("prompt", pa.string()),
    ]
)
FINGERPRINT_FIELDS = [
    pa.field("keys", pa.binary()),
    pa.field("signature", pa.binary()),
    pa.field("text_hash", pa.uint64()),
    pa.field("words", pa.int32()),
]
OUTCOME_FIELDS = [
    pa.field("outcome", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("detail", pa.string()),
]
DATA_SCHEMA = pa.schema([*SAMPLE_SCHEMA, *FINGERPRINT_FIELDS])
UNIQUE_TOKENS = pa.field("unique_tokens", pa.float64())
"""Last column of a data shard where unique tokens are the ledger's unit."""
DROPPED_SCHEMA = pa.schema(
    [
        *SAMPLE_SCHEMA,
        *OUTCOME_FIELDS,
        pa.field("duplicate_of", pa.string()),
        pa.field("similarity", pa.float32()),
    ]
)
ENGINE_SECONDS = "engine_seconds"
"""Column of a segment: each sample's share of its engine's busy time. Measured, never in a shard."""
IN_FLIGHT = "in_flight_seconds"
"""Column of a segment: for how long each sample held a slot of its engine. Where a segment has none,
its shares stand for it. Measured, never in a shard."""
SEGMENT_SCHEMA = pa.schema(
    [
        *SAMPLE_SCHEMA,
        *OUTCOME_FIELDS,
        pa.field("content_hash", pa.uint64()),
        *FINGERPRINT_FIELDS,
        pa.field(ENGINE_SECONDS, pa.float64()),
        pa.field(IN_FLIGHT, pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What every sample of a generation shares: recipe, engine, template hashes by branch."""

    generation: int
    fingerprint: str
    info: EngineInfo
    templates: dict[str, str]


def segment_table(
    samples: Sequence[Sample],
    unit: int,
    lineage: Lineage,
    fingerprints: Fingerprints,
    seconds: Sequence[tuple[float, float]] = (),
) -> pa.Table:
    """One row per sample; `fingerprints` belong to the candidates, in order; `seconds` are each
    sample's share of the engine's time and its time in flight, none where it was free."""
    info, count = lineage.info, len(samples)
    sampling = json.dumps(dict(info.sampling), sort_keys=True)
    spent = np.array(seconds or [(0.0, 0.0)] * count, np.float64).reshape(count, 2)
    columns: dict[str, object] = {
        "sample_id": [s.draw.sample_id for s in samples],
        "text": [_storable(s.text) for s in samples],
        "reasoning": [_storable(s.reasoning) for s in samples],
        "generation": np.full(count, lineage.generation, np.int32),
        "index": [s.draw.index for s in samples],
        "unit": np.full(count, unit, np.int64),
        "stratum": [s.draw.prompt for s in samples],
        "parents": [list(s.parents) for s in samples],
        "axes": [json.dumps(dict(s.draw.axes), sort_keys=True) for s in samples],
        "template_hash": [lineage.templates[s.draw.prompt] for s in samples],
        "recipe": [lineage.fingerprint] * count,
        "model": [info.model] * count,
        "model_revision": [info.revision] * count,
        "engine": [info.engine] * count,
        "chat_template": [info.chat_template] * count,
        "sampling": [sampling] * count,
        "seed": [s.draw.seed for s in samples],
        "prompt_tokens": [s.prompt_tokens for s in samples],
        "completion_tokens": [s.completion_tokens for s in samples],
        "finish_reason": [s.finish_reason for s in samples],
        "checks": [list(s.checks) for s in samples],
        "neutralised": [s.neutralised for s in samples],
        "prompt": [_storable(s.prompt) for s in samples],
        "outcome": [s.outcome.value for s in samples],
        "reason": [s.reason for s in samples],
        "detail": [_storable(s.detail) for s in samples],
        "content_hash": np.array([_content_hash(s) for s in samples], np.uint64),
        **_fingerprint_columns(samples, fingerprints),
        ENGINE_SECONDS: spent[:, 0],
        IN_FLIGHT: spent[:, 1],
    }
    return pa.table(columns, schema=SEGMENT_SCHEMA)


def _storable(text: str | None) -> str | None:
    """Lone surrogates, which JSON from an engine can spell and UTF-8 cannot, become `?`.

    So do they in `fingerprint_texts`: a stored text has the fingerprints it was staged with.
    """
    return text and text.encode("utf-8", "replace").decode()


def _content_hash(sample: Sample) -> int:
    parts = (sample.outcome.value, sample.reason, sample.text, sample.reasoning or "")
    return int.from_bytes(digest(*parts, size=8), "little")


def _fingerprint_columns(
    samples: Sequence[Sample], fingerprints: Fingerprints
) -> dict[str, pa.Array]:
    candidate = np.array([s.outcome is Outcome.CANDIDATE for s in samples], dtype=bool)
    rows = np.full(len(samples), -1, dtype=np.int64)
    rows[candidate] = np.arange(candidate.sum())
    take = pa.array(rows, mask=~candidate)
    return {
        "keys": binary_column(fingerprints.keys.view(np.uint8)).take(take),
        "signature": binary_column(fingerprints.signature).take(take),
        "text_hash": pa.array(fingerprints.text_hash).take(take),
        "words": pa.array(fingerprints.words).take(take),
    }


def binary_column(rows: np.ndarray) -> pa.Array:
    """uint8[n, width] as an Arrow binary column, without copying row by row."""
    count, width = rows.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(rows)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), count, buffers)


def matrix(column: pa.ChunkedArray, width: int, dtype: type = np.uint8) -> np.ndarray:
    """A binary column of equal widths, none null, back as dtype[n, width]."""
    joined = b"".join(_bytes_of(chunk) for chunk in column.chunks if len(chunk))
    return np.frombuffer(joined, dtype=dtype).reshape(len(column), width)


def _bytes_of(chunk: pa.Array) -> bytes:
    _, offset_buffer, data = chunk.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[offsets[0] : offsets[-1]].tobytes()


def fingerprints_of(table: pa.Table) -> Fingerprints:
    """The fingerprint columns of accepted or candidate rows (none may be null)."""
    return Fingerprints(
        keys=matrix(table["keys"], KEYS, np.uint64),
        signature=matrix(table["signature"], SIGNATURE_BYTES),
        text_hash=table["text_hash"].to_numpy(),
        words=table["words"].to_numpy(),
    )


def encode(table: pa.Table) -> bytes:
    """A closed, reopened and counted Parquet file; raises StoreError if it does not read back."""
    sink = BytesIO()
    repeating: Any = _dictionary_columns(table)
    pq.write_table(table, sink, compression="zstd", use_dictionary=repeating)
    data = sink.getvalue()
    rows = row_count(data)
    if rows != table.num_rows:
        raise StoreError(f"encoded {table.num_rows} rows but the file holds {rows}")
    return data


def _dictionary_columns(table: pa.Table) -> list[str]:
    unique = {"sample_id", "text", "reasoning", "prompt", "keys", "signature", "index", "seed"}
    unique |= {ENGINE_SECONDS, IN_FLIGHT}
    return [name for name in table.column_names if name not in unique]


def write_segment(store: Store, table: pa.Table, generation: int, unit: int) -> str:
    """Stage samples of one unit; returns the key. Durable when this returns."""
    data = encode(table)
    key = SegmentName(generation, unit, sha256_hex(data)[:16]).key
    store.put(key, data)
    return key


def write_shard(store: Store, table: pa.Table, name: ShardName) -> ObjectRef:
    """Write a shard whose name's sha16 is still empty; returns the reference a log entry commits."""
    data = encode(table)
    sha256 = sha256_hex(data)
    key = ShardName(name.role, name.generation, name.first_unit, name.last_unit, sha256[:16]).key
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, table.num_rows)


def read_segment(store: Store, key: str) -> pa.Table:
    """A staged segment; raises CorruptCorpus for other bytes than the ones its name was made from,
    FormatError for columns of another version."""
    data = store.get(key)
    if sha256_hex(data)[:16] != parse_segment(key).sha16:
        raise CorruptCorpus(
            f"{key} is damaged: its bytes do not have the hash in its name; delete it and run the "
            "same command again, which generates its samples again"
        )
    table = table_of(data)
    if IN_FLIGHT not in table.column_names and ENGINE_SECONDS in table.column_names:
        table = table.append_column(IN_FLIGHT, table[ENGINE_SECONDS])
    if missing := set(SEGMENT_SCHEMA.names) - set(table.column_names):
        raise FormatError(
            f"{key} was staged by another version of seedcorn: it has no "
            f"{', '.join(sorted(missing))}; finish the generation with that version, or delete the "
            "segment, whose samples the same command then generates again"
        )
    return table.select(SEGMENT_SCHEMA.names).cast(SEGMENT_SCHEMA)


def segment_indices(store: Store, key: str) -> list[int]:
    """Plan indices a staged segment covers; empty if it is gone (its batch was committed)."""
    try:
        with store.open(key) as handle:
            return column_of(handle, "index")
    except ObjectMissing:
        return []


def read_shard(store: Store, ref: ObjectRef, columns: list[str] | None = None) -> pa.Table:
    """A committed shard; raises CorruptCorpus naming it when bytes or rows differ from the log."""
    data = store.get(ref.key)
    if sha256_hex(data) != ref.sha256:
        raise CorruptCorpus(f"{ref.key} does not have the sha256 the log committed")
    table = table_of(data, columns)
    if table.num_rows != ref.rows:
        raise CorruptCorpus(f"{ref.key} holds {table.num_rows} rows, the log says {ref.rows}")
    return table
