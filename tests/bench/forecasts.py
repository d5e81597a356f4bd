"""How often forecasts hold on real streams: `python -m tests.bench.forecasts`.

Every batch of a stream is forecast as in a run, `ahead` batches before it lands, by stratum, widened
by what its record says, and scored when it does. The text is what Python ships: its standard
library's code, cut up. Fixed seeds: two runs print the same.
"""

import ast
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from seedcorn.core.forecast.prospects import ALL, Prospects, forecast_entry
from seedcorn.core.forecast.scores import ForecastScores
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.log.state import GenerationState
from seedcorn.core.scheduling.leasing import Cut
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, batch_delta
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import Shingles, shingles_of
from seedcorn.core.text.words import NEWEST, read_words

REQUIRED, LEAST = 0.93, 0.90
"""Coverage over all kinds, and of each."""
FORECASTS = 500
"""Scored by stratum, at least."""
BATCH, BATCHES, AHEAD, SEEDS = 64, 28, 2, 8
STRATA = ("one", "other")
LINES = 25
"""Of a piece of code."""
TEMPLATES = 900
"""Pieces that a saturated stream draws again and again, each stratum its half of them."""
KINDS = ("code", "heavy tails", "saturation")
SHARED = "one pool"
"""Saturation where both strata draw from the same pieces: what one of them brings is a duplicate in the
other, which no stratum's own documents foresee. Shown, and no target."""


@dataclass(frozen=True)
class Row:
    """How the forecasts of one kind of stream fared."""

    kind: str
    stratum: str
    scored: int
    covered: int
    half: float
    """Median half-width, as a share of the estimate."""

    @property
    def coverage(self) -> float:
        """Share that held."""
        return self.covered / max(1, self.scored)


@cache
def sources() -> tuple[str, ...]:
    """The files of the standard library, without tests and tables."""
    root = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"test", "tests", "idlelib", "site-packages", "dist-packages", "encodings", "lib2to3"}
    paths = sorted([*root.glob("*.py"), *root.glob("[a-z]*/*.py")])
    kept = [path for path in paths if not skipped & set(path.parts)]
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in kept)


@cache
def documents(kind: str) -> tuple[str, ...]:
    """Pieces of equal length, or whole functions and classes: from three lines to a thousand."""
    if kind == "heavy tails":
        nodes = (node for text in sources() for node in _definitions(text))
        return tuple(text for text in nodes if len(text.split()) >= 8)
    lines = (text.splitlines() for text in sources())
    pieces = ("\n".join(of[n : n + LINES]) for of in lines for n in range(0, len(of), LINES))
    return tuple(text for text in pieces if len(text.split()) >= 8)


def _definitions(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield ast.get_source_segment(text, node) or ""


def rows(kind: str) -> list[Row]:
    """By stratum, over all seeds."""
    found = [prediction for seed in range(SEEDS) for prediction in scores_of(kind, seed).record]
    scored = [one for one in found if one.truth is not None and one.stratum != ALL]
    listed = []
    for stratum in STRATA:
        of = [one for one in scored if one.stratum == stratum]
        halves = [
            (one.forecast.high - one.forecast.low) / 2 / max(1.0, one.forecast.estimate)
            for one in of
        ]
        held = sum(one.covered is True for one in of)
        listed.append(Row(kind, stratum, len(of), held, float(np.median(halves))))
    return listed


def scores_of(kind: str, seed: int) -> ForecastScores:
    """One stream through deltas, history, prospects and forecast entries, as in a run."""
    texts, random = documents(kind), np.random.default_rng(seed)
    order = random.permutation(len(texts))[: BATCH * BATCHES]
    stratum = random.integers(0, 2, len(order)).astype(np.uint8)
    if kind == SHARED:
        order = random.choice(order[:TEMPLATES], len(order))
    elif kind == "saturation":
        order = order[:TEMPLATES][2 * random.integers(0, TEMPLATES // 2, len(order)) + stratum]
    found = shingles_of(read_words(*pack([texts[n].encode() for n in order]), NEWEST), HEADLINE)
    held = [found.hashes[low:high] for low, high in pairwise(found.offsets.tolist())]
    first = np.zeros(len(order), bool)
    first[np.unique(order, return_index=True)[1]] = True
    stream = Stream()
    for start in range(0, len(order), BATCH):
        part = slice(start, start + BATCH)
        stream.batch(held[part], first[part], stratum[part])
    return stream.scores


class Stream:
    """A generation whose batches land one after the other."""

    def __init__(self) -> None:
        self._history, self._prospects = History(), Prospects(1, STRATA)
        self._generation = GenerationState(1, {}, "", 0, {"ledger_unit": 2})
        self.scores = ForecastScores()

    def batch(self, held: Sequence[np.ndarray], accepted: np.ndarray, of: np.ndarray) -> None:
        """Commit documents, all of them verified; then say what is to come."""
        offsets = np.cumsum([0, *map(len, held)])
        shingles = {HEADLINE: Shingles(np.concatenate(held), offsets)}
        delta = batch_delta(shingles, accepted, np.ones(len(held), bool), of)
        self._history.add(delta, 1)
        self._prospects.add(
            _committed(self._generation.batches, accepted, of), delta, self._history
        )
        self._generation.batches += 1
        self.scores.apply(
            forecast_entry(
                self._prospects,
                self._history,
                self._generation,
                partial(self.scores.widening, 1),
                (Cut(BATCH * BATCHES, BATCH, 1), AHEAD),
                lambda batch: dict.fromkeys(STRATA, 0.5),
            )
        )


def _committed(number: int, accepted: np.ndarray, of: np.ndarray) -> BatchCommitted:
    def counted(which: np.ndarray) -> dict[str, int]:
        kept = int(accepted[which].sum())
        return {"accepted": kept, "duplicate": int(which.sum()) - kept, "generated": 0}

    whole = counted(np.ones(len(of), bool))
    return BatchCommitted(
        generation=1,
        batch=number,
        first_unit=number,
        last_unit=number,
        first_index=number * BATCH,
        last_index=number * BATCH + len(of) - 1,
        ordinal=0,
        counts=whole,
        reasons={},
        strata={name: counted(of == place) for place, name in enumerate(STRATA)},
        tokens={"generated": 0},
        data=[],
        dropped=[],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
    )


def report() -> Iterator[str]:
    """The table, and whether the targets are met."""
    table = [row for kind in KINDS for row in rows(kind)]
    shared = rows(SHARED)
    yield "forecasts by stratum        scored   covered   median half-width"
    for row in [*table, *shared]:
        yield (f"{row.kind:14}{row.stratum:10}{row.scored:10}{row.coverage:10.1%}{row.half:15.0%}")
    scored, covered = sum(row.scored for row in table), sum(row.covered for row in table)
    of_kind = {
        kind: sum(r.covered for r in table if r.kind == kind)
        / sum(r.scored for r in table if r.kind == kind)
        for kind in KINDS
    }
    met = covered >= REQUIRED * scored and scored >= FORECASTS and min(of_kind.values()) >= LEAST
    kinds = ", ".join(f"{kind} {share:.1%}" for kind, share in of_kind.items())
    yield (
        f"all {scored}: {covered / scored:.1%} ({kinds}); target {REQUIRED:.0%} and {LEAST:.0%} each: "
        + ("met" if met else "MISSED")
    )


if __name__ == "__main__":
    for line in report():
        print(line)  # noqa: T201
