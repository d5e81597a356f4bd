"""What an export takes and how its rows are laid out: options, columns, the plan of shards.

Everything here is a function of options and counts. Invariant of the plan: every row position is in
exactly one row group of exactly one shard, in order, and shards differ by at most one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from seedcorn.core.errors import SeedcornError
from seedcorn.core.export.mixture import Weights
from seedcorn.core.identity import canonical_json, digest, uint64

TARGET_BYTES = 256 << 20
"""Encoded size of a shard that is aimed at."""
GROUP_BYTES = 32 << 20
"""Decoded size of a row group; the second pass holds about four of them at once."""
COPY = "copy"
"""Column that counts the copies of a sample from 0; there where a weight is above 1."""
ALWAYS = ("id", "generation", "stratum")
"""Columns that every export has: withdrawals and counts need them."""
DEFAULT = ("id", "text", "generation", "stratum", "parents", "model")
COLUMNS = {
    "id": "sample_id",
    "text": "text",
    "generation": "generation",
    "stratum": "stratum",
    "parents": "parents",
    "model": "model",
    "model_revision": "model_revision",
    "engine": "engine",
    "reasoning": "reasoning",
    "prompt": "prompt",
    "axes": "axes",
    "index": "index",
    "recipe": "recipe",
    "template_hash": "template_hash",
    "chat_template": "chat_template",
    "sampling": "sampling",
    "seed": "seed",
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    "finish_reason": "finish_reason",
    "checks": "checks",
}
"""Columns that an export may have, and what they are called in the corpus' own shards."""


class ExportError(SeedcornError):
    """An export that cannot be made as asked; nothing a reader follows was changed."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Options:
    """What decides rows and their order. All of it is in the manifest, and stays as it is there."""

    generations: tuple[int, ...] = ()
    """Empty: all."""
    strata: tuple[str, ...] = ()
    """Empty: all."""
    columns: tuple[str, ...] = DEFAULT
    weights: Weights = field(default_factory=Weights)
    shuffle: bool = True
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the export, in order."""
        return (*self.columns, COPY) if self.weights.repeat else self.columns

    def takes(self, generation: int, stratum: str) -> bool:
        """Whether the filters let a sample through."""
        return (not self.generations or generation in self.generations) and (
            not self.strata or stratum in self.strata
        )

    def described(self) -> dict[str, object]:
        """Plain JSON, as a manifest holds it."""
        return {
            "generations": sorted(self.generations),
            "strata": sorted(self.strata),
            "columns": list(self.columns),
            "weights": self.weights.described(),
            "shuffle": self.shuffle,
            "seed": self.seed,
        }

    @property
    def fingerprint(self) -> str:
        """32 hex digits over all of them."""
        return digest("export", canonical_json(self.described()), size=16).hex()

    def shuffle_key(self, sequence: int) -> int | None:
        """The key that shuffles what is new since log entry `sequence`; None in plan order."""
        return uint64("export-shuffle", self.seed, sequence) if self.shuffle else None


def chosen_columns(text: str) -> tuple[str, ...]:
    """Column names from `text,model,…`, those always there first; raises ValueError."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in asked if name not in COLUMNS]
    if unknown or not asked:
        known = ", ".join(COLUMNS)
        raise ValueError(f"no column {', '.join(unknown) or '(none given)'}; there are {known}")
    return tuple(name for name in COLUMNS if name in ALWAYS or name in asked)


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """Row positions [start, stop) of one shard, cut into row groups."""

    number: int
    start: int
    stop: int
    groups: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """How `rows` rows are laid out. Row groups are the buckets of the shuffle's second pass."""

    rows: int
    shards: tuple[PlannedShard, ...]

    @property
    def groups(self) -> list[tuple[int, int]]:
        """All row groups in order."""
        return [group for shard in self.shards for group in shard.groups]


def shard_plan(
    rows: int,
    encoded: float,
    decoded: float,
    target: int = TARGET_BYTES,
    group: int = GROUP_BYTES,
) -> ShardPlan:
    """Shards of about `target` encoded bytes or somewhat less, in row groups of at most about
    `group` decoded ones; `encoded` and `decoded` are bytes per row."""
    count = max(1, ceil(rows * encoded / target)) if rows else 0
    per_group = max(1, int(group / max(decoded, 1.0)))
    shards = []
    for number, (start, stop) in enumerate(even(0, rows, count)):
        groups = even(start, stop, -(-(stop - start) // per_group))
        shards.append(PlannedShard(number, start, stop, tuple(groups)))
    return ShardPlan(rows, tuple(shards))


def even(start: int, stop: int, parts: int) -> list[tuple[int, int]]:
    """[start, stop) in at most `parts` ranges that differ by at most one; none is empty."""
    parts = min(parts, stop - start)
    ends = [start + (stop - start) * part // parts for part in range(parts + 1)] if parts else []
    return list(pairwise(ends))


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers below `count`, evenly spread: what a size is measured on."""
    return [first for first, _ in even(0, count, most)]


def size_category(rows: int) -> str:
    """The hub's name for a number of rows."""
    bounds = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    if rows < 1000:
        return "n<1K"
    place = min(len(str(rows)) - 4, len(bounds) - 1)
    return f"{bounds[place]}<n<{bounds[place + 1]}" if place < len(bounds) - 1 else "n>1T"


def differing(stored: dict[str, object], asked: dict[str, object]) -> list[str]:
    """`name: there X, here Y` for every option that differs."""
    keys: Sequence[str] = sorted(stored.keys() | asked.keys())
    return [
        f"{key}: there {stored.get(key)}, here {asked.get(key)}"
        for key in keys
        if stored.get(key) != asked.get(key)
    ]
