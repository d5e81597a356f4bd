"""The log's entries: frozen values, one canonical JSON encoding, chained by sha256.

An envelope (`Entry`) carries the format version, sequence number, kind, the writer's nonce, the
hash of the entry before it, the time, and a typed body. Measured times never decide anything.
"""

import json
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from seedcorn.core.codec import UnknownKeys, from_plain, to_plain
from seedcorn.core.errors import NEWER, CorruptCorpus, FormatError
from seedcorn.core.identity import canonical_json, sha256_hex

FORMATS = (1, 2, 3)
"""Versions of an entry's format that are read; any other is refused by name. An entry is written in
the oldest one that can say what it says, so that older code reads all it can."""
GENESIS = "0" * 64
"""`previous` of entry 0."""
_SINCE_2 = {"since": 2}
"""Marks a field that came with format 2: left out where it has its default."""
_SINCE_3 = {"since": 3}
"""The same of format 3."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object on the store that an entry makes exist: key, size in bytes, sha256, rows."""

    key: str
    bytes: int
    sha256: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class WriterOpened:
    """A driver took the corpus."""

    host: str
    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class SeedAdded:
    """Documents entered the corpus' history, in this order, with these ordinals.

    `role` is seed | reference | evaluation. The first document has index ordinal `ordinal`
    (evaluation sets have none). `fingerprint` covers paths, sizes, etags and footers.
    """

    role: str
    source: str
    catalogue: dict[str, Any]
    rows: int
    ordinal: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class GenerationStarted:
    """Generation `generation` begins under this resolved recipe."""

    generation: int
    recipe: dict[str, Any]
    fingerprint: str
    seed_fingerprint: str
    versions: dict[str, str]
    rules: dict[str, int] = field(default_factory=dict, metadata=_SINCE_2)
    """Numbers of the rules it is grown under, where they are not 1 (`core.log.rules`)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice that changes what happens from batch `batch` on, with the inputs it was made from."""

    generation: int
    batch: int
    action: str
    """sketch_rate | stop | drop_stratum | move_budget"""
    value: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something measured beside the line, such as the seed's sketch or containment."""

    name: str
    subject: dict[str, Any]
    values: dict[str, Any]
    objects: list[ObjectRef] = field(default_factory=list)
    """Sketches, or what the measurement is made of."""
    spent_tokens: dict[str, int] = field(default_factory=dict, metadata=_SINCE_3)
    """Of `engine_time`: as in a batch."""
    counts: dict[str, ObjectRef] = field(default_factory=dict, metadata=_SINCE_3)
    """How often an anchor's n-grams occur, by source or generation: the next measurement adds to
    these what is new."""


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """One batch exists: the only thing that makes its samples exist.

    `counts` is by outcome; `reasons` by `outcome:reason` (duplicates: `duplicate:<exact|near>:<of>`);
    `strata` is by stratum, then outcome, with `tokens` of accepted and `generated` tokens of all
    samples. Tokens are the engine's completion tokens, engine_seconds are worker wall seconds with
    work in flight. `form` is by stratum: how alike a fixed number of its texts are (core.ledger.alarms).
    `goodput` is measured: what these seconds went into, and what engines did since the entry before
    (core.scheduling.goodput). `slot_seconds`, `regenerated` and `spent_tokens` are measured too.
    """

    generation: int
    batch: int
    first_unit: int
    last_unit: int
    first_index: int
    last_index: int
    ordinal: int
    """Index ordinal of the batch's first accepted sample."""
    counts: dict[str, int]
    reasons: dict[str, int]
    strata: dict[str, dict[str, int]]
    tokens: dict[str, int]
    """accepted | generated | prompt"""
    data: list[ObjectRef]
    dropped: list[ObjectRef]
    sketch: ObjectRef | None
    sketch_rate: float
    engine_seconds: float
    containment: dict[str, float] = field(default_factory=dict)
    form: dict[str, dict[str, float]] = field(default_factory=dict)
    goodput: dict[str, float] = field(default_factory=dict)
    marked: dict[str, int] = field(default_factory=dict, metadata=_SINCE_2)
    """Accepted samples whose text still holds a marker of a trace, by family of markers."""
    unique: dict[str, dict[str, float]] = field(default_factory=dict, metadata=_SINCE_3)
    """By stratum: sums of what its accepted samples were the first to hold
    (core.sketch.unique_tokens); empty under rule 1 of the ledger's unit."""
    slot_seconds: dict[str, float] = field(default_factory=dict, metadata=_SINCE_3)
    """By stratum: for how long its samples were in flight, regenerated ones included."""
    regenerated: dict[str, int] = field(default_factory=dict, metadata=_SINCE_3)
    """Tokens of rows that another row of the same sample beat: generated | prompt."""
    spent_tokens: dict[str, int] = field(default_factory=dict, metadata=_SINCE_3)
    """Tokens of what engines finished since the entry before, whatever came of it: generated."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Committed samples that readers skip from here on. Nothing is deleted."""

    reason: str
    where: dict[str, str]
    counts: dict[str, dict[str, int]]
    """generation -> {samples, tokens} withdrawn by this entry and by none before it."""
    ids: ObjectRef
    sketch: ObjectRef | None = None
    unique: dict[str, dict[str, float]] = field(default_factory=dict, metadata=_SINCE_3)
    """generation -> stratum -> unique tokens that the samples of `counts` had brought; empty under
    rule 1 of the ledger's unit."""


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """The generation is complete; why it ended."""

    generation: int
    reason: str
    """exhausted | target | stop_rule | budget"""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GenerationAbandoned:
    """The open generation ends and counts for nothing: neither its number nor its ordinals are used
    again, and whoever follows the log skips its samples. Its shards stay."""

    generation: int
    reason: str = ""


Body = (
    WriterOpened
    | SeedAdded
    | GenerationStarted
    | Decision
    | Measurement
    | BatchCommitted
    | Withdrawn
    | GenerationFinished
    | GenerationAbandoned
)

KINDS: dict[str, type[Body]] = {
    "writer_opened": WriterOpened,
    "seed_added": SeedAdded,
    "generation_started": GenerationStarted,
    "decision": Decision,
    "measurement": Measurement,
    "batch_committed": BatchCommitted,
    "withdrawn": Withdrawn,
    "generation_finished": GenerationFinished,
    "generation_abandoned": GenerationAbandoned,
}
_KINDS_SINCE: dict[type[Body], int] = {GenerationAbandoned: 2}
"""Kinds that came with a later format than the first."""
_NAMES = {body: kind for kind, body in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered entry of the log."""

    sequence: int
    writer: str
    previous: str
    at: float
    """Unix seconds when it was written; measured, decides nothing."""
    body: Body

    @property
    def kind(self) -> str:
        """The entry's kind as stored."""
        return _NAMES[type(self.body)]


def encode(entry: Entry) -> bytes:
    """The bytes that are stored and hashed."""
    body, version = _body(entry.body)
    return canonical_json(
        {
            "format": version,
            "sequence": entry.sequence,
            "kind": entry.kind,
            "writer": entry.writer,
            "previous": entry.previous,
            "at": entry.at,
            "body": body,
        }
    )


def _body(body: Body) -> tuple[dict[str, Any], int]:
    """The body as it is written, and the oldest format that has all of its keys."""
    plain, version = to_plain(type(body), body), _KINDS_SINCE.get(type(body), FORMATS[0])
    for item in fields(body):
        since = item.metadata.get("since", FORMATS[0])
        if since == FORMATS[0]:
            continue
        if item.default_factory is not MISSING and plain[item.name] == item.default_factory():
            del plain[item.name]
        else:
            version = max(version, since)
    return plain, version


def decode(data: bytes, sequence: int) -> Entry:
    """Parse stored bytes; raises FormatError for unknown versions, CorruptCorpus for damage."""
    try:
        raw = json.loads(data)
        version, kind = raw["format"], raw["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptCorpus(f"log entry {sequence} is not a seedcorn entry: {error}") from error
    if version not in FORMATS or not isinstance(kind, str) or kind not in KINDS:
        raise FormatError(
            f"log entry {sequence} has format {version}, kind {kind!r}; this seedcorn reads "
            f"formats {FORMATS[0]} to {FORMATS[-1]}: {NEWER}"
        )
    if raw.get("sequence") != sequence:
        raise CorruptCorpus(f"log entry {sequence} says it is number {raw.get('sequence')}")
    try:
        body = from_plain(KINDS[kind], raw["body"])
        return Entry(sequence, raw["writer"], raw["previous"], raw["at"], body)
    except UnknownKeys as error:
        raise FormatError(
            f"log entry {sequence} ({kind}) says {', '.join(error.keys_unknown)}, which this "
            f"seedcorn does not know: {NEWER}"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptCorpus(f"log entry {sequence} ({kind}) is incomplete: {error}") from error


def chain_hash(data: bytes) -> str:
    """What the next entry must carry as `previous`."""
    return sha256_hex(data)
