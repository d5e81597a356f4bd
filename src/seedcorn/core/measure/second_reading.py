"""What measured text is near to: all of it, read once more past the documents that were drawn.

Which documents are drawn is known only once a source has passed, and their neighbours are to come
from everything before them; so companions take a second reading. Invariant: the figures are those of
a grown corpus whose log held these sources in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.companions.companions import (
    FORM_TEXTS,
    PLACEBOS,
    SEED_TEXTS,
    Before,
    Companions,
    Subset,
    companions,
    with_lesson,
)
from seedcorn.core.companions.draws import Draw
from seedcorn.core.companions.neighbours import GROWN, REAL, HistoryPass
from seedcorn.core.identity import uint64
from seedcorn.core.measure.foreign_subset import DocumentDraw
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.taught import (
    POOL,
    Lesson,
    Material,
    Pool,
    taught,
    too_small,
    unknown,
)
from seedcorn.core.text.words import NEWEST, read_words


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Real text that is in no source; each document is a cluster."""

    anchor: Pool = ()
    yardstick: Pool = ()


class SecondReading:
    """Give it every source's rows once more, in the same order, then ask.

    Memory: as `core.companions.neighbours` says, once per generation; with an anchor 8,192 documents
    of each source, and the counts of `core.teaching.table`.
    """

    def __init__(self, drawn: Sequence[DocumentDraw], held_out: HeldOut) -> None:
        """`drawn`: of every source, in order."""
        self._drawn, self._row, self._held_out = drawn, 0, held_out
        texts = [text for _, text in held_out.anchor]
        self._why = too_small(texts)
        self._anchor = None if self._why else Anchor.of(texts, NEWEST)
        self._pools = [Draw.of(POOL, draw.rows) for draw in drawn]
        self._counts = [self._anchor.table.none() for _ in drawn] if self._anchor else []
        self._starts = [0, *accumulate(draw.rows for draw in drawn)]
        self._samples = {
            place: self._sample(place)
            for place, draw in enumerate(drawn)
            if draw.number and draw.texts
        }
        self._indices = {place: sample.index() for place, sample in self._samples.items()}
        self._passes = {place: HistoryPass(index) for place, index in self._indices.items()}

    def look(self, data: NDArray[np.uint8], offsets: NDArray[Any], rows: int) -> None:
        """The next rows, as for `read_words`; rows that hold no document are empty."""
        place = int(np.searchsorted(self._starts, self._row, side="right")) - 1
        kind = GROWN if self._drawn[place].number else REAL
        position = self._row + np.arange(rows)
        for number, history in self._passes.items():
            if number >= place:
                history.look(data, offsets, position, kind)
        if self._anchor is not None:
            self._count(place, data, offsets)
        self._row += rows

    def companions(self) -> dict[int, Companions]:
        """By generation."""
        return {
            self._drawn[place].number: with_lesson(
                companions(
                    sample, self._indices[place], self._passes[place].found(), self._before(place)
                ),
                self._lesson(place),
            )
            for place, sample in self._samples.items()
        }

    def _count(self, place: int, data: NDArray[np.uint8], offsets: NDArray[Any]) -> None:
        if self._anchor is None:
            return
        used = np.flatnonzero(np.diff(offsets))
        words = read_words(data, offsets, NEWEST)
        groups = [(0,) if size else () for size in np.diff(offsets).tolist()]
        self._counts[place] += self._anchor.table.count_groups(words, groups, 1)[0]

        def text(row: int) -> str:
            return bytes(data[offsets[used[row]] : offsets[used[row] + 1]]).decode(
                "utf-8", "replace"
            )

        name = f"{self._drawn[place].number}"
        self._pools[place] = self._pools[place].with_rows(name, self._row + used, text)

    def _lesson(self, place: int) -> Lesson:
        if self._anchor is None:
            return unknown(self._why)
        first = next((i for i, draw in enumerate(self._drawn) if draw.number), 0)
        none = self._anchor.table.none()
        material = Material(
            anchor=self._anchor,
            history=[sum(self._counts[:first], none), *self._counts[first:place]],
            generation=self._counts[place],
            own=self._pools[place].rows,
            placebo=reduce(Draw.merged, self._pools[:place], Draw(POOL)).rows,
            yardstick=self._held_out.yardstick,
        )
        return taught(material)

    def _sample(self, place: int) -> Subset:
        draw, start = self._drawn[place], self._starts[place]
        return Subset(
            documents=draw.texts,
            position=[start + row for row in draw.drawn],
            since=start,
            population=draw.population,
            placebos=self._placebos(place),
        )

    def _placebos(self, place: int) -> list[str]:
        """Documents of everything before, as many of each source as it has a share in it."""
        before = self._drawn[:place]
        total = max(1, sum(draw.population for draw in before))
        texts = [t for d in before for t in d.first(-(-PLACEBOS * d.population // total))]
        return sorted(texts, key=lambda text: (uint64("placebo", text), text))[:PLACEBOS]

    def _before(self, place: int) -> Before:
        seeds = [text for draw in self._drawn if not draw.number for text in draw.first(SEED_TEXTS)]
        earlier = [draw for draw in self._drawn[:place] if draw.number]
        return Before(seeds, {draw.number: draw.first(FORM_TEXTS) for draw in earlier})
