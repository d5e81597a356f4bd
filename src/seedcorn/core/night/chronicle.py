"""Who grew each generation, in which night, from which new rows: a fold over the log alone.

The ledger says what a generation added; this says what happened around it. Times are measured and
decide nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    SeedAdded,
    WriterOpened,
)
from seedcorn.core.night.night import SKIP_NIGHT, key_of


@dataclass(frozen=True, slots=True)
class Writing:
    """A driver that committed batches of a generation: from which one on, and when it came."""

    host: str
    pid: int
    batch: int
    at: float


@dataclass(frozen=True, slots=True)
class AddedRows:
    """Documents that joined the corpus' history."""

    role: str
    source: str
    rows: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A night in which it was decided to grow nothing."""

    night: str
    why: str
    text: str


@dataclass(slots=True)
class Round:
    """One generation, with what came between the one before it and its end.

    `generation` is 0 for what came after the last one.
    """

    generation: int = 0
    night: str = ""
    """Empty for a generation of a plain `grow`."""
    samples: int = 0
    """Planned by its recipe, before any decision."""
    started: float = 0.0
    finished: float | None = None
    writings: list[Writing] = field(default_factory=list)
    seeds: list[AddedRows] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    abandoned: bool = False

    def ended(self, body: GenerationFinished | GenerationAbandoned, at: float) -> None:
        """The generation finished, or was given up."""
        self.abandoned = isinstance(body, GenerationAbandoned)
        self.finished = None if self.abandoned else at


def chronicle(entries: Iterable[Entry]) -> list[Round]:
    """One round per generation, in order, then one for what came after the last."""
    rounds, coming = list[Round](), Round()
    writer, nonce, seen = WriterOpened("", 0, ""), "", ""
    arrived = 0.0
    for entry in entries:
        match entry.body:
            case WriterOpened() as body:
                writer, nonce, arrived = body, entry.writer, entry.at
            case SeedAdded() as body:
                coming.seeds.append(AddedRows(body.role, body.source, body.rows))
            case Decision() as body if body.action == SKIP_NIGHT:
                skipped = Skipped(str(body.value["night"]), str(body.value["why"]), body.reason)
                coming.skipped.append(skipped)
            case GenerationStarted() as body:
                coming.generation, coming.night = body.generation, key_of(body.recipe)
                coming.samples = int(body.recipe.get("samples", 0))
                coming.started, seen = entry.at, ""
                rounds.append(coming)
                coming = Round()
            case BatchCommitted() as body if rounds and nonce != seen:
                rounds[-1].writings.append(Writing(writer.host, writer.pid, body.batch, arrived))
                seen = nonce
            case GenerationFinished() | GenerationAbandoned() as body if rounds:
                rounds[-1].ended(body, entry.at)
            case _:
                pass
    return [*rounds, coming]


def until_next(entries: Iterable[Entry], generation: int) -> Iterator[Entry]:
    """The log up to where the generation after this one begins: what a report on it may know."""
    for entry in entries:
        body = entry.body
        if isinstance(body, GenerationStarted) and body.generation > generation:
            return
        yield entry
