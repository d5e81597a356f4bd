"""Names of everything a corpus holds. Names carry ranges and content hashes, never data."""

import re
from dataclasses import dataclass

from seedcorn.core.errors import CorruptCorpus

LOG = "log/"
DATA = "data/"
DROPPED = "dropped/"
STAGING = "staging/"
SKETCHES = "sketches/"
MEASUREMENTS = "measurements/"
CHECKPOINTS = "checkpoints/"
SEEDS = "seeds/"
WRITER = "writer.json"

_SHARD = re.compile(r"(data|dropped)/gen-(\d{4,})/part-(\d{8,})-(\d{8,})-([0-9a-f]{16})\.parquet")
_SEGMENT = re.compile(r"staging/gen-(\d{4,})/unit-(\d{8,})-([0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True)
class ShardName:
    """A shard's name, parsed: which units it may hold and the first 16 digits of its sha256."""

    role: str
    generation: int
    first_unit: int
    last_unit: int
    sha16: str

    @property
    def key(self) -> str:
        """The object key."""
        return (
            f"{self.role}/gen-{self.generation:04d}/"
            f"part-{self.first_unit:08d}-{self.last_unit:08d}-{self.sha16}.parquet"
        )


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A staged segment's name, parsed."""

    generation: int
    unit: int
    sha16: str

    @property
    def key(self) -> str:
        """The object key."""
        return f"{STAGING}gen-{self.generation:04d}/unit-{self.unit:08d}-{self.sha16}.parquet"


def log_key(sequence: int) -> str:
    """Key of log entry `sequence`, counted from 0."""
    return f"{LOG}{sequence:010d}.json"


def parse_shard(key: str) -> ShardName:
    """Parse a shard key; raises CorruptCorpus for any other name."""
    match = _SHARD.fullmatch(key)
    if match is not None:
        role, generation, first, last, sha16 = match.groups()
        name = ShardName(role, int(generation), int(first), int(last), sha16)
        # Only the one spelling that we write is ours: what parses may be deleted as garbage.
        if name.key == key and name.first_unit <= name.last_unit:
            return name
    raise CorruptCorpus(f"{key} is not a shard name; something else wrote into the corpus")


def parse_segment(key: str) -> SegmentName:
    """Parse a segment key; raises CorruptCorpus for any other name."""
    match = _SEGMENT.fullmatch(key)
    if match is not None:
        generation, unit, sha16 = match.groups()
        name = SegmentName(int(generation), int(unit), sha16)
        if name.key == key:
            return name
    raise CorruptCorpus(f"{key} is not a segment name; something else wrote into the corpus")


def segment_prefix(generation: int) -> str:
    """Prefix of one generation's segments."""
    return f"{STAGING}gen-{generation:04d}/"
