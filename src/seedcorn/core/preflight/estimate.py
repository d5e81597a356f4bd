"""What a run will cost, as arithmetic: tokens, hours, price, memory, storage.

Every figure is an estimate made before anything starts, from the recipe and row counts alone; its
assumptions are the constants below, and each text names the ones it used. The ledger, not this
module, says what a run did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from seedcorn.core.dedup import index, witnesses
from seedcorn.core.figures import counted, duration, size
from seedcorn.core.recipe import PromptSpec, Recipe
from seedcorn.core.sketch.sketch import LENGTHS

CHARS_PER_TOKEN = 4
"""English text under today's tokenizers; other scripts take more tokens."""
WORDS_PER_TOKEN = 0.75
INDEXED_PER_S = 5_000
"""Documents of 200 words that one core reads, fingerprints, indexes and sketches per second
(measured 6,000 with this package on one core of a 2-core x86 server)."""
GROWING = 2.5
"""Times its final size that an index part takes while its table is copied into a larger one."""
TEXT_SHARE = 0.45
"""Bytes of a zstd-compressed English text per byte of text."""
ROW_BYTES = 350
"""A shard row without its text: keys, signature, id and lineage, compressed (measured)."""
SKETCH_BYTES = 8
"""A shingle in a sketch file (measured 7.2)."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """What it costs to bring documents into the dedup index."""

    rows: int
    seconds: float
    memory: int
    """Bytes once the index stands."""
    peak: int
    """Bytes at most, while a table grows."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes that all generations of a recipe leave on the store, if every sample is full length."""

    shards: int
    sketches: int


def indexing(rows: int, cores: int = 1) -> Indexing:
    """Cost of indexing `rows` documents with `cores` at work."""
    table, witness_bytes = index.memory_bytes(rows), witnesses.memory_bytes(rows)
    seconds = rows / (INDEXED_PER_S * cores)
    return Indexing(rows, seconds, table + witness_bytes, int(GROWING * table) + witness_bytes)


def indexing_line(rows: int) -> str:
    """One line for a person, before indexing starts."""
    cost = indexing(rows)
    return (
        f"indexing {counted(rows, 'document')} for dedup takes about {duration(cost.seconds)} on one core "
        f"(at {INDEXED_PER_S:,} documents of 200 words a second) and {size(cost.memory)} of memory "
        f"(at most {size(cost.peak)} while the index grows)"
    )


def storage(recipe: Recipe) -> Storage:
    """Upper estimate of what the recipe's generations store, the seed's own sketch aside."""
    tokens = ceiling(recipe)
    samples = recipe.samples * recipe.generations
    text = tokens * CHARS_PER_TOKEN * TEXT_SHARE
    shingles = sketched(int(tokens * WORDS_PER_TOKEN), recipe.ledger.fingerprints)
    return Storage(int(text + samples * ROW_BYTES), len(LENGTHS) * shingles * SKETCH_BYTES)


def sketched(shingles: int, fingerprints: int) -> int:
    """Hashes written for so many distinct shingles of one length.

    All of them up to `fingerprints`; from there on the sample rate is halved each time the history
    is full, so every doubling of the corpus writes half a history more.
    """
    if shingles <= fingerprints:
        return shingles
    return int(fingerprints * (1 + log2(shingles / fingerprints) / 2))


def ceiling(recipe: Recipe) -> int:
    """Completion tokens of all generations if every sample runs into max_tokens."""
    return recipe.samples * recipe.generations * recipe.engine.sampling.max_tokens


def prompt_tokens(recipe: Recipe, mean_chars: float) -> int:
    """Prompt tokens of all generations for prompts of `mean_chars` characters."""
    return int(recipe.samples * recipe.generations * mean_chars / CHARS_PER_TOKEN)


def shares(prompts: Sequence[PromptSpec]) -> dict[str, float]:
    """Share of samples that each stratum is drawn for."""
    total = sum(prompt.weight for prompt in prompts)
    return {prompt.name: prompt.weight / total for prompt in prompts}


def remaining_s(planned: int, done: int, done_before: int, elapsed_s: float) -> float | None:
    """Seconds to go at the pace since `done_before`; None while nothing was done since."""
    if done <= done_before or elapsed_s <= 0:
        return None
    return (planned - done) * elapsed_s / (done - done_before)
