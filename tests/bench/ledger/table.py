"""One generation measured as `seedcorn measure` measures it, and a line of it beside the others."""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.measure.foreign import DocumentSet, ForeignLedger
from seedcorn.core.measure.foreign_batch import RowBlock
from seedcorn.core.measure.second_reading import HeldOut
from seedcorn.core.recipe import LedgerSpec
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import NEWEST, read_words
from tests.bench.ledger.corpora import GENERATION, Source
from tests.bench.ledger.fakes import FAKES

PIECE = 4096
"""Documents read at once."""
NEW, PARAPHRASE, OTHER = "new text", "human paraphrase", "other domain"
EXPECTED = {**dict.fromkeys(FAKES, "stop"), NEW: "go", PARAPHRASE: "look", OTHER: "look"}
"""Colour of the verdict."""

Made = Callable[[random.Random], list[str]]


@dataclass(frozen=True)
class Row:
    """What the ledger says of one generation."""

    name: str
    generation: dict[str, Any]
    """Of the ledger document."""
    seconds: float

    @property
    def colour(self) -> str:
        """Of the verdict."""
        return self.generation["verdict"]["colour"]

    @property
    def right(self) -> bool:
        """Whether the verdict is the one it has to be."""
        return self.colour == EXPECTED[self.name]


def generations(source: Source, other: Sequence[str]) -> dict[str, Made]:
    """Every generation of the table, to be drawn with random numbers."""

    def fake(name: str) -> Made:
        return lambda draw: FAKES[name](source.seed, GENERATION, draw)

    def some(texts: Sequence[str]) -> Made:
        return lambda draw: draw.sample(list(texts), min(GENERATION, len(texts)))

    found = {name: fake(name) for name in FAKES}
    real = {PARAPHRASE: source.paraphrase, OTHER: other, NEW: source.new}
    return found | {name: some(texts) for name, texts in real.items() if texts}


def measured(name: str, source: Source, texts: Sequence[str]) -> Row:
    """The row of one generation."""
    start = time.perf_counter()
    held_out = HeldOut(*(list(enumerate(part)) for part in (source.anchor, source.yardstick)))
    ledger = ForeignLedger(LedgerSpec(), held_out)
    parts = [(0, "seed", source.seed), (1, name, texts)]
    for number, what, documents in parts:
        ledger.open(DocumentSet(number, what, len(documents)))
        for piece in _pieces(documents):
            words = read_words(*pack([text.encode() for text in piece]), NEWEST)
            ledger.add(RowBlock(words, np.ones(len(piece), bool), {}, piece.__getitem__))
        ledger.close()
    reading = ledger.second_reading()
    if reading is not None:
        for _, _, documents in parts:
            for piece in _pieces(documents):
                reading.look(*pack([text.encode() for text in piece]), len(piece))
        ledger.measured(reading)
    (generation,) = to_json(ledger.ledger)["generations"]
    return Row(name, {**generation}, time.perf_counter() - start)


def rows(source: Source, other: Sequence[str], number: int = 0) -> Iterator[Row]:
    """All rows, drawn with the random numbers of a seed."""
    for name, made in generations(source, other).items():
        texts = made(random.Random(f"{name} {number}"))
        yield measured(name, source, texts)


def table(title: str, found: Iterator[Row]) -> Iterator[str]:
    """For a person; ΔA in millibits per byte."""
    yield (
        f"{title:25s}{'u':>5s}{'v':>5s}{'rho':>5s}{'B Mbit':>7s}{'gap':>6s}"
        f"{'gain mb/B':>24s}{'worth':>22s}{'s':>5s}  verdict"
    )
    for row in found:
        yield _line(row)


def resampled(source: Source, other: Sequence[str], times: int) -> Iterator[str]:
    """How often each generation, drawn anew, gets each colour; new text has to be stopped in at
    most 5 % and fakes in at least 95 %."""
    for name, made in generations(source, other).items():
        colours = [
            measured(name, source, made(random.Random(f"{name} again {number}"))).colour
            for number in range(times)
        ]
        told = ", ".join(f"{one} {colours.count(one)}" for one in ("go", "look", "stop"))
        share = colours.count("stop") / times
        bound = {"stop": share >= 0.95, "look": share <= 0.05, "go": share <= 0.05}
        yield f"  {name:23s} {told}: {'met' if bound[EXPECTED[name]] else 'MISSED'}"


def say(lines: Iterator[str]) -> None:
    """Print lines as they come."""
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _line(row: Row) -> str:
    found = row.generation["companions"] or {}
    share = found.get("novel_share") or {}
    bits = found.get("novel_bits") or {}
    gain, worth = found.get("anchor_gain"), found.get("worth")
    verdict = row.generation["verdict"]
    return (
        f"  {row.name:23s}{_figure(row.generation['unique_share'])}"
        f"{_figure(found.get('outside_share'))}{_figure(share.get('mean'))}"
        f"{bits.get('estimate', 0) / 1e6:7.2f}{_figure(found.get('order_gap')):>6s}"
        f"{_spread(gain, 1000, 2):>24s}{_spread(worth, 1, 1):>22s}{row.seconds:5.1f}  "
        f"{'' if row.right else 'WRONG '}{verdict['sentence']}"
    )


def _figure(bounds: dict[str, float] | None) -> str:
    return f"{bounds['estimate']:5.2f}" if bounds else "    ?"


def _spread(bounds: dict[str, float] | None, scale: float, digits: int) -> str:
    if not bounds:
        return "?"
    value, low, high = (scale * bounds[key] for key in ("estimate", "low", "high"))
    return f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _pieces(documents: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(documents), PIECE):
        yield documents[start : start + PIECE]
