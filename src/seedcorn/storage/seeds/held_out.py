"""What is held back of a seed, on the store, and the column by which rows are held back together.

The object names rows by the ordinals of the log, with role and cluster of each. Equal hold-outs have
equal bytes and the same key, so a retry changes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import CorruptCorpus, SeedError
from seedcorn.core.holdout.held import Held, together
from seedcorn.core.holdout.roles import ROLES
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import Measurement, ObjectRef
from seedcorn.core.log.layout import MEASUREMENTS
from seedcorn.core.log.state import Source
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.conversion import GROUP
from seedcorn.storage.seeds.files import Filesystems, find_files
from seedcorn.storage.seeds.footers import holds_values, read_footer
from seedcorn.storage.seeds.keys import advice, keys_of
from seedcorn.storage.seeds.reader import SeedReader
from seedcorn.storage.seeds.rows import Examined, examined, ids
from seedcorn.storage.stores.parquet_objects import table_of
from seedcorn.storage.stores.store import Store

SCHEMA = pa.schema([("ordinal", pa.int64()), ("role", pa.string()), ("cluster", pa.uint64())])
_ENCODING: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": ["role"],
    "column_encoding": {"ordinal": "DELTA_BINARY_PACKED", "cluster": "PLAIN"},
}
CHUNK_ROWS = 4096


def write_held(store: Store, held: Held) -> ObjectRef:
    """Store it; durable when this returns. Raises StoreError."""
    roles = np.array(ROLES, object)[held.roles]
    columns = (pa.array(held.ordinals), pa.array(roles, pa.string()), pa.array(held.clusters))
    sink = BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), sink, **_ENCODING)
    data = sink.getvalue()
    sha256 = sha256_hex(data)
    key = f"{MEASUREMENTS}holdout-{sha256[:16]}.parquet"
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, len(held.ordinals))


def held_of(store: Store, measured: Sequence[Measurement]) -> Held:
    """All that a corpus holds back, by the measurements in its log; raises as `read_held`."""
    return read_held(store, [ref for body in measured for ref in body.objects])


def read_held(store: Store, refs: Sequence[ObjectRef]) -> Held:
    """What these objects hold back; CorruptCorpus where one is not what was logged."""
    return together([_read(store, ref) for ref in refs])


def _read(store: Store, ref: ObjectRef) -> Held:
    data = store.get(ref.key)
    if sha256_hex(data) != ref.sha256:
        raise CorruptCorpus(f"{ref.key} does not have the sha256 the log committed")
    table = table_of(data, SCHEMA.names)
    places = {role: place for place, role in enumerate(ROLES)}
    roles = np.array([places[role] for role in table["role"].to_pylist()], np.int8)
    return Held(table["ordinal"].to_numpy(), roles, table["cluster"].to_numpy())


def held_texts(
    store: Store, spec: StoreSpec, sources: Sequence[Source], held: Held
) -> list[tuple[str, int]]:
    """(text, cluster) of the held rows of these sources, in the order of their ordinals."""
    found: list[tuple[str, int]] = []
    for source in sources:
        own = held.within(source.ordinal, source.rows)
        reader = SeedReader(Catalogue.from_dict(source.catalogue), store, spec)
        parents = reader.read(own.ordinals.tolist()) if len(own.ordinals) else []
        pairs = zip(parents, own.clusters.tolist(), strict=True)
        found += [(parent.text, cluster) for parent, cluster in pairs if parent.text]
    return found


def grouped_rows(
    catalogue: Catalogue, store: Store, spec: StoreSpec, group: str
) -> Iterator[tuple[int, Examined, list[str]]]:
    """(first row, rows, their groups with "" for none) of all of a source, in pieces. Without a
    group, or where the corpus' copy has none, no row has one."""
    columns = replace(catalogue.columns, id=_column(catalogue, store, group) if group else "")
    reader = SeedReader(replace(catalogue, columns=columns), store, spec)
    for first, slab in reader.slabs():
        for start in range(0, slab.num_rows, CHUNK_ROWS):
            rows = slab.slice(start, CHUNK_ROWS)
            named = ids(rows, columns)
            for piece in examined(rows, columns, catalogue.max_chars):
                place = slice(piece.first, piece.first + len(piece.problems))
                yield first + start + piece.first, piece, named[place]


def require_group(
    spec: SourceSpec, catalogue: Catalogue, base: str, stores: tuple[Store, StoreSpec], group: str
) -> None:
    """Raise SeedError where the recipe names a key that no row of a converted source has."""
    if not group or catalogue.problems is None:
        return
    if _has_groups(catalogue, stores[0]):
        return
    filesystems = Filesystems(stores[1])
    keys = keys_of(find_files(spec, base, filesystems), spec, filesystems)
    why = advice(group, keys) or "groups are texts or whole numbers"
    raise SeedError(f"seed {spec.path}: no row has a group under {group!r}: {why}")


def _column(catalogue: Catalogue, store: Store, group: str) -> str:
    """What the group's column is called in the files of a source."""
    if catalogue.problems is None:
        return group
    return GROUP.name if _has_groups(catalogue, store) else ""


def _has_groups(catalogue: Catalogue, store: Store) -> bool:
    """Whether any row of a conversion has a group."""
    for file in catalogue.files:
        with closing(store.open(file.path)) as handle:
            if holds_values(read_footer(handle, file.path)[0], GROUP.name):
                return True
    return False
