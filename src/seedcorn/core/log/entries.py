"""The log's entries: frozen values, one canonical JSON encoding, chained by sha256.

An envelope (`Entry`) carries the format version, sequence number, kind, the writer's nonce, the
hash of the entry before it, the time, and a typed body. Measured times never decide anything.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from seedcorn.core.errors import CorruptCorpus, FormatError
from seedcorn.core.identity import canonical_json, sha256_hex

FORMAT = 1
"""Version of the log's format; any other is refused by name."""
GENESIS = "0" * 64
"""`previous` of entry 0."""


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


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """One batch exists: the only thing that makes its samples exist.

    `counts` is by outcome; `reasons` by `outcome:reason` (duplicates: `duplicate:<exact|near>:<of>`);
    `strata` is by stratum, then outcome, with `tokens` of accepted and `generated` tokens of all
    samples. Tokens are the engine's completion tokens, engine_seconds are worker wall seconds with
    work in flight. `form` is by stratum: how alike a fixed number of its texts are (core.ledger.alarms).
    `goodput` is measured: what these seconds went into, and what engines did since the entry before
    (core.ledger.goodput).
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


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Committed samples that readers skip from here on. Nothing is deleted."""

    reason: str
    where: dict[str, str]
    counts: dict[str, dict[str, int]]
    """generation -> {samples, tokens} withdrawn by this entry and by none before it."""
    ids: ObjectRef
    sketch: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """The generation is complete; why it ended."""

    generation: int
    reason: str
    """exhausted | target | stop_rule | budget"""
    detail: str = ""


Body = (
    WriterOpened
    | SeedAdded
    | GenerationStarted
    | Decision
    | Measurement
    | BatchCommitted
    | Withdrawn
    | GenerationFinished
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
}
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
    return canonical_json(
        {
            "format": FORMAT,
            "sequence": entry.sequence,
            "kind": entry.kind,
            "writer": entry.writer,
            "previous": entry.previous,
            "at": entry.at,
            "body": asdict(entry.body),
        }
    )


def decode(data: bytes, sequence: int) -> Entry:
    """Parse stored bytes; raises FormatError for unknown versions, CorruptCorpus for damage."""
    try:
        raw = json.loads(data)
        version, kind = raw["format"], raw["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptCorpus(f"log entry {sequence} is not a seedcorn entry: {error}") from error
    if version != FORMAT or not isinstance(kind, str) or kind not in KINDS:
        raise FormatError(
            f"log entry {sequence} has format {version}, kind {kind!r}; this seedcorn reads "
            f"format {FORMAT}: use the seedcorn version that wrote it, or a newer one"
        )
    if raw.get("sequence") != sequence:
        raise CorruptCorpus(f"log entry {sequence} says it is number {raw.get('sequence')}")
    try:
        body = _decode_body(KINDS[kind], raw["body"])
        return Entry(sequence, raw["writer"], raw["previous"], raw["at"], body)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptCorpus(f"log entry {sequence} ({kind}) is incomplete: {error}") from error


def _decode_body(kind: type[Body], raw: dict[str, Any]) -> Body:
    values = dict(raw)
    for name in _REFERENCES & values.keys():
        value = values[name]
        if isinstance(value, list):
            values[name] = [ObjectRef(**ref) for ref in value]
        elif value is not None:
            values[name] = ObjectRef(**value)
    return kind(**values)


_REFERENCES = {"objects", "data", "dropped", "ids", "sketch"}
"""Fields of bodies that hold references. By name, never by look: free-form values may resemble one."""


def chain_hash(data: bytes) -> str:
    """What the next entry must carry as `previous`."""
    return sha256_hex(data)
