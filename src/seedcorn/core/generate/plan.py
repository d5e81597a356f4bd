"""The plan: which prompt, axes and parents sample `index` of a generation is written from.

Random access, never a list: `draw(index)` hashes (recipe fingerprint, generation, index), so that
any process may ask for any index in any order and a billion planned samples cost no memory. The
invariant: a draw depends on the recipe, the generation, the pools' row counts and the decisions
passed in, and on nothing else.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from math import prod

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.errors import RecipeError, RunStopped
from seedcorn.core.identity import (
    GOLDEN,
    Permutation,
    digest,
    request_seed,
    sample_id,
    splitmix64_words,
    uint64,
)
from seedcorn.core.recipe import PromptSpec, Recipe
from seedcorn.core.sample import Draw

_EPOCHS_CACHED = 2
"""Block orders kept per source: open batches straddle at most one epoch boundary at a time."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows of one generation: `sizes` are its blocks in order (row groups, or accepted shards)."""

    generation: int
    sizes: Sequence[int] | NDArray[np.int64]
    held: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows that are never drawn, ascending: they are held back for measuring."""

    def free(self) -> NDArray[np.int64]:
        """Rows of each block that may be drawn."""
        sizes = np.asarray(self.sizes, dtype=np.int64)
        return sizes - np.diff(np.searchsorted(self.held, np.cumsum(sizes)), prepend=0)

    def ordinal(self, row: int) -> int:
        """Which row of the pool the free row `row` is."""
        if not len(self.held):
            return row
        return row + int(np.searchsorted(self._free_before, row, side="right"))

    @cached_property
    def _free_before(self) -> NDArray[np.int64]:
        """How many rows may be drawn before each held one."""
        return self.held - np.arange(len(self.held))


class Plan:
    """Draws of one generation. Picklable; two plans made from equal arguments draw the same.

    What it remembers between draws (an epoch's order) only saves time; it is not thread-safe.

    `fingerprint` is the one that `generation_started` stored; None: no generation has started yet, and
    the recipe's own rules. `earlier` holds the pools of the generations before it that stand, in order: the last is
    `previous`, and a generation without any draws from the seed alone.
    Raises RecipeError when a prompt needs parents and no pool with a positive weight has rows.
    """

    def __init__(
        self,
        recipe: Recipe,
        generation: int,
        seed: Pool,
        earlier: Sequence[Pool] = (),
        fingerprint: str | None = None,
    ) -> None:
        self.recipe = recipe
        self.generation = generation
        self._fingerprint = recipe.fingerprint if fingerprint is None else fingerprint
        self._per_prompt = recipe.samples_per_prompt
        self._batch_samples = recipe.units.unit * recipe.units.batch
        self._key = digest("plan", self._fingerprint, generation)
        self._width = max((spec.parents for spec in recipe.prompts), default=0)
        self._sources = self._weighted_sources(seed, earlier)
        self._shares = _shares([weight for weight, _ in self._sources])
        self.decide({})

    def __len__(self) -> int:
        """Planned samples."""
        return self.recipe.samples

    def decide(self, mixes: Mapping[int, Mapping[str, float]]) -> None:
        """Draw by these weights: batch -> stratum -> weight, from that batch on; 0 or absent is
        never drawn. Before the first such batch the recipe's own weights rule."""
        given = {spec.name: spec.weight for spec in self.recipe.prompts}
        self._mixes = [
            (batch, self._mix(weights)) for batch, weights in sorted({-1: given, **mixes}.items())
        ]

    def draw(self, index: int) -> Draw:
        """What sample `index` is written from; raises IndexError outside the plan.

        `samples_per_prompt` neighbouring indices share prompt, axes and parents, and differ in id
        and seed. Raises RunStopped when no stratum is left to draw.
        """
        if not 0 <= index < self.recipe.samples:
            raise IndexError(f"index {index} is outside a plan of {self.recipe.samples} samples")
        number = index // self._per_prompt
        spec = self._branch(number)
        parents, combination = self._parents(spec, number)
        return Draw(
            index=index,
            sample_id=sample_id(self._fingerprint, self.generation, index),
            prompt=spec.name,
            axes=_axes(spec, combination),
            parents=parents,
            seed=request_seed(self._fingerprint, self.generation, index),
        )

    def _branch(self, number: int) -> PromptSpec:
        batch = number * self._per_prompt // self._batch_samples
        shares, specs = self._mixes[bisect_right(self._mixes, batch, key=lambda mix: mix[0]) - 1][1]
        if not specs:
            raise RunStopped(
                f"every stratum of generation {self.generation} was stopped before batch {batch}: "
                "nothing is left to draw; see the decisions in the log"
            )
        return specs[0] if len(specs) == 1 else specs[_pick(shares, self._hash("branch", number))]

    def _parents(self, spec: PromptSpec, number: int) -> tuple[tuple[tuple[int, int], ...], int]:
        """Parents of prompt `number` and which combination of axes it takes.

        A document drawn again in a later epoch takes the next combination of its own shuffled
        order, so that rows x combinations prompts meet as few pairs twice as they can.
        """
        if not spec.parents:
            return (), self._combination(spec, "", number)
        parents: list[tuple[int, int]] = []
        combination = 0
        for position in range(spec.parents):
            source = self._source(number, position)
            epoch, row = source.row(number, position, self._width)
            parents.append(source.locate(row))
            if position == 0:
                combination = self._combination(spec, f"{source.name}:{row}", epoch)
        return tuple(parents), combination

    def _combination(self, spec: PromptSpec, document: str, epoch: int) -> int:
        size = prod(map(len, spec.axes.values()))
        if size == 1:
            return 0
        round_, turn = divmod(epoch, size)
        return Permutation(size, uint64(self._key, "axes", spec.name, document, round_))(turn)

    def _source(self, number: int, position: int) -> "_WeightedPool":
        if len(self._sources) == 1:
            return self._sources[0][1]
        return self._sources[_pick(self._shares, self._hash("pool", number, position))][1]

    def _hash(self, *parts: str | int) -> int:
        return uint64(self._key, *parts)

    def _weighted_sources(
        self, seed: Pool, earlier: Sequence[Pool]
    ) -> list[tuple[float, "_WeightedPool"]]:
        spec = self.recipe.parents
        previous, older = list(earlier[-1:]), list(earlier[:-1])
        named: list[tuple[str, float, list[Pool]]] = [
            ("seed", spec.seed if earlier else 1.0, [seed]),
            ("previous", spec.previous, previous),
            ("earlier", spec.earlier, older),
        ]
        sources = [
            (weight, _WeightedPool(name, pools, spec.order, self._key))
            for name, weight, pools in named
            if weight > 0 and sum(int(pool.free().sum()) for pool in pools) > 0
        ]
        if self._width and not sources:
            raise RecipeError(
                f"generation {self.generation} has no parents: every pool with a positive weight "
                "is empty; set parents.seed, parents.previous or parents.earlier, or add a seed"
            )
        return sources

    def _mix(self, weights: Mapping[str, float]) -> tuple[list[float], list[PromptSpec]]:
        specs = [spec for spec in self.recipe.prompts if weights.get(spec.name, 0) > 0]
        return _shares([weights[spec.name] for spec in specs]), specs


class _WeightedPool:
    """The rows of one or more pools behind one weight, in an order that is never materialised. Rows
    are counted over those that may be drawn."""

    def __init__(self, name: str, pools: Sequence[Pool], order: str, key: bytes) -> None:
        self.name = name
        self._order = order
        self._key = key
        self._pools = pools
        sizes = [pool.free() for pool in pools]
        self._sizes = np.concatenate(sizes)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self.rows = int(self._sizes.sum())
        self._ends = list(accumulate(int(free.sum()) for free in sizes))
        self._shuffle = -1, Permutation(self.rows, 0)
        self._cached: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def row(self, number: int, position: int, width: int) -> tuple[int, int]:
        """(epoch, row) of parent `position` of prompt `number`, `width` slots to a prompt.

        An epoch is rows // width prompts, so that none of its slots, hence no row, occurs twice;
        a source with fewer rows than slots gives every prompt an epoch of its own.
        """
        if self.rows >= width:
            epoch, slot = divmod(number, self.rows // width)
            return epoch, self._at(epoch, slot * width + position)
        return number, self._at(number, position % self.rows)

    def locate(self, row: int) -> tuple[int, int]:
        """(generation, ordinal) of a row counted over all pools of the source."""
        which = bisect_right(self._ends, row)
        pool, free = self._pools[which], row - (self._ends[which - 1] if which else 0)
        return pool.generation, pool.ordinal(free)

    def _at(self, epoch: int, slot: int) -> int:
        if self._order == "sequential":
            return slot
        if self._order == "shuffled":
            if epoch != self._shuffle[0]:
                self._shuffle = epoch, Permutation(self.rows, uint64(self._key, self.name, epoch))
            return self._shuffle[1](slot)
        order, ends = self._block_order(epoch)
        rank = int(np.searchsorted(ends, slot, side="right"))
        block = int(order[rank])
        size = int(self._sizes[block])
        inside = slot - int(ends[rank]) + size
        within = Permutation(size, uint64(self._key, self.name, epoch, block))(inside)
        return int(self._starts[block]) + within

    def _block_order(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Blocks of an epoch as they are visited, and the running end of each."""
        cached = self._cached.get(epoch)
        if cached is None:
            blocks = np.arange(self._sizes.size, dtype=np.uint64) * np.uint64(GOLDEN)
            keys = splitmix64_words(blocks + np.uint64(uint64(self._key, self.name, epoch)))
            order = np.argsort(keys, kind="stable")
            cached = (order, np.cumsum(self._sizes[order]))
            while len(self._cached) >= _EPOCHS_CACHED:
                del self._cached[min(self._cached)]
            self._cached[epoch] = cached
        return cached


def _shares(weights: Sequence[float]) -> list[float]:
    """Running upper ends of the weights' shares of [0, 1)."""
    total = sum(weights)
    return [end / total for end in accumulate(weights)]


def _pick(shares: Sequence[float], word: int) -> int:
    """The share a uniform 64-bit word falls into."""
    return min(bisect_right(shares, (word >> 11) * 2.0**-53), len(shares) - 1)


def _axes(spec: PromptSpec, combination: int) -> dict[str, str]:
    """One value per axis: `combination` read as a mixed-radix number."""
    chosen: dict[str, str] = {}
    for name, values in spec.axes.items():
        combination, digit = divmod(combination, len(values))
        chosen[name] = values[digit]
    return chosen
