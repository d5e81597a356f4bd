"""How often an anchor's n-grams occur in one source or generation, as an object that a measurement
names: what has been counted once is never counted again."""

from collections.abc import Mapping

from seedcorn.core.errors import CorruptCorpus, ObjectMissing
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import MEASUREMENTS
from seedcorn.core.teaching.table import AnchorTable, Counts
from seedcorn.storage.stores.store import Store


def write_counts(store: Store, counts: Counts) -> ObjectRef:
    """Store counts under a content-addressed key; `rows` of the reference are their documents."""
    data = counts.to_bytes()
    sha256 = sha256_hex(data)
    key = f"{MEASUREMENTS}counts-{sha256[:16]}.zst"
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, counts.documents)


def read_counts(
    store: Store, refs: Mapping[str, ObjectRef], table: AnchorTable
) -> dict[str, Counts]:
    """Those that this table counted; others, and objects that are gone, are left out.

    Raises CorruptCorpus for an object that is not the one committed.
    """
    found: dict[str, Counts] = {}
    for name, ref in refs.items():
        try:
            data = store.get(ref.key)
        except ObjectMissing:
            continue
        if sha256_hex(data) != ref.sha256:
            raise CorruptCorpus(f"{ref.key} does not have the sha256 the log committed")
        counts = Counts.from_bytes(data)
        if counts.table == table.fingerprint:
            found[name] = counts
    return found
