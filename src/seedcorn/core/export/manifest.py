"""`export.json`: what an export holds, the last object that is written and the first to be read.

A shard exists for readers iff the manifest names it. Increments only grow in number; one changes
only where samples in it were withdrawn. Equal corpora and options give equal bytes: no clock.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seedcorn.core.codec import from_plain, to_plain
from seedcorn.core.errors import CorruptCorpus, FormatError
from seedcorn.core.export.exports import ExportError, Options, differing
from seedcorn.core.identity import canonical_json
from seedcorn.core.log.entries import GENESIS

KEY = "export.json"
FORMAT = 1
DATA = "data/"
CARD, CROISSANT, LEDGER = "README.md", "croissant.json", "ledger.json"

Counts = dict[str, dict[str, int]]
"""Rows by generation, then stratum."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of the export."""

    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Accepted samples that are not in an export, by why."""

    filtered: int = 0
    withdrawn: int = 0
    not_drawn: int = 0
    """A weight below 1 left them out."""

    def __add__(self, other: "LeftOut") -> "LeftOut":
        return LeftOut(
            self.filtered + other.filtered,
            self.withdrawn + other.withdrawn,
            self.not_drawn + other.not_drawn,
        )


@dataclass(frozen=True, slots=True)
class Increment:
    """What one run added: samples accepted in log entries [start, stop)."""

    start: int
    stop: int
    samples: int
    """Distinct samples in it; rows are more where a weight is above 1."""
    counts: Counts
    left_out: LeftOut
    models: tuple[str, ...]
    """`model`, or `model@revision`, each once."""
    shards: tuple[Shard, ...]

    @property
    def rows(self) -> int:
        """Rows of all its shards."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole export."""

    options: dict[str, Any]
    fingerprint: str
    columns: tuple[str, ...]
    sequence: int = 0
    """Log entries covered; the number of the first one that is not."""
    head: str = GENESIS
    """sha256 of the last entry covered: it names the corpus and all that is in it."""
    increments: tuple[Increment, ...] = ()
    rewrites: int = 0
    """Runs that took withdrawn samples out of shards that were there."""
    objects: dict[str, str] = field(default_factory=dict)
    """sha256 of card, metadata and ledger as written."""
    about: dict[str, Any] = field(default_factory=dict)
    """What the user said of it: name, licence and so on; it stands until said otherwise."""

    @property
    def shards(self) -> list[Shard]:
        """All shards in reading order."""
        return [shard for increment in self.increments for shard in increment.shards]

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.bytes for shard in self.shards)

    @property
    def samples(self) -> int:
        """Distinct samples."""
        return sum(increment.samples for increment in self.increments)

    @property
    def left_out(self) -> LeftOut:
        """Accepted samples that are not in it."""
        return sum((increment.left_out for increment in self.increments), LeftOut())

    @property
    def models(self) -> list[str]:
        """Models that wrote some row."""
        return sorted({name for increment in self.increments for name in increment.models})

    @property
    def counts(self) -> Counts:
        """Rows by generation and stratum."""
        return merged(*(increment.counts for increment in self.increments))


def empty(options: Options) -> Manifest:
    """The manifest of a target that holds nothing yet."""
    return Manifest(options.described(), options.fingerprint, options.names)


def encode(manifest: Manifest) -> bytes:
    """The bytes that are stored."""
    totals = {"format": FORMAT, "rows": manifest.rows, "bytes": manifest.bytes}
    return canonical_json(totals | to_plain(Manifest, manifest)) + b"\n"


def decode(data: bytes, where: str) -> Manifest:
    """Parse stored bytes; raises FormatError for another version, CorruptCorpus for damage."""
    try:
        raw = json.loads(data)
        if raw["format"] != FORMAT:
            raise FormatError(
                f"{where}: has format {raw['format']}, this seedcorn writes {FORMAT}; use the "
                "seedcorn that wrote it, or another target"
            )
        found = from_plain(Manifest, {key: raw[key] for key in Manifest.__dataclass_fields__})
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptCorpus(f"{where}: is not an export's manifest: {error!r}") from error
    if (found.rows, found.bytes) != (raw["rows"], raw["bytes"]):
        raise CorruptCorpus(f"{where}: its totals are not the sums over its shards")
    return found


def require_same_options(stored: Manifest, options: Options, where: str) -> None:
    """Raise ExportError naming the options that differ from the manifest's."""
    if stored.fingerprint != options.fingerprint:
        wrong = "; ".join(differing(stored.options, options.described()))
        raise ExportError(
            f"{where} was exported with other options: {wrong}. Give the same, or another target"
        )


def without(
    increment: Increment, shards: tuple[Shard, ...], gone: Counts, samples: int
) -> Increment:
    """The increment after `samples` withdrawn samples with the rows `gone` were taken out of it."""
    counts = Counter({pair: rows for pair, rows in _pairs(increment.counts)})
    counts.subtract(dict(_pairs(gone)))
    return replace(
        increment,
        samples=increment.samples - samples,
        counts=_nested(counts),
        left_out=increment.left_out + LeftOut(withdrawn=samples),
        shards=shards,
    )


def merged(*parts: Mapping[str, Mapping[str, int]]) -> Counts:
    """Counts added up, generations in order."""
    total: Counter[tuple[str, str]] = Counter()
    for part in parts:
        total.update(dict(_pairs(part)))
    return _nested(total)


def shard_key(increment: int, number: int, sha256: str) -> str:
    """The name of a shard: which run, which place, which content."""
    return f"{DATA}part-{increment:04d}-{number:05d}-{sha256[:16]}.parquet"


def version(manifest: Manifest) -> str:
    """The data set's version: the first number grows when rows were taken out, the second when
    some were added (semantic versioning as Croissant 1.0 reads it)."""
    return f"{1 + manifest.rewrites}.{max(0, len(manifest.increments) - 1)}.0"


def _pairs(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[tuple[str, str], int]]:
    return [((g, name), rows) for g, strata in counts.items() for name, rows in strata.items()]


def _nested(flat: Mapping[tuple[str, str], int]) -> Counts:
    counts: Counts = {}
    for (generation, name), rows in sorted(flat.items(), key=lambda one: (int(one[0][0]), one[0])):
        if rows:
            counts.setdefault(generation, {})[name] = rows
    return counts
