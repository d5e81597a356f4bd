"""Deterministic text with planted flaws: the truth that dedup and ledger are checked against.

Everything is a function of (recipe, generation, index): which samples repeat others, which are
refused, and every word. Any process can therefore say what any sample is, and `truth` can say
what a ledger must show, without anything having been generated. `poison` is operational, so it
changes no text; it only takes its own index away.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from seedcorn.core.errors import RecipeError
from seedcorn.core.identity import digest, uint64
from seedcorn.core.recipe import SimulatedSpec

VERSION = "1"
"""Changes whenever the same spec would give other texts; part of the engine's name."""

LENGTH_SPREAD = 0.25
"""Texts have `words` words, give or take this share."""

TARGET_ATTEMPTS = 64
TARGET_SCAN = 4096
"""Draws, then steps downwards, spent on finding an original for a planted repetition."""

CONSONANTS = ("b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
VOWELS = ("a", "e", "i", "o", "u")
SYLLABLES = tuple(c + v for c in CONSONANTS for v in VOWELS)

REFUSAL = "I'm sorry, but I can't help with that. As an AI language model, I cannot write it."


class Kind(StrEnum):
    """What the simulation makes of one planned sample."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    SEED_COPY = "seed_copy"
    REJECTED = "rejected"
    FAILED = "failed"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated completion. `of` is the fresh index that a planted repetition repeats."""

    kind: Kind
    text: str = ""
    of: int | None = None

    @property
    def words(self) -> int:
        """Words of the text, which count as its tokens."""
        return self.text.count(" ") + 1 if self.text else 0


def rates(spec: SimulatedSpec) -> tuple[tuple[Kind, float], ...]:
    """The planted kinds and their shares of all samples; the rest is fresh."""
    return (
        (Kind.DUPLICATE, spec.duplicate_rate),
        (Kind.NEAR_DUPLICATE, spec.near_duplicate_rate),
        (Kind.SEED_COPY, spec.seed_copy_rate),
        (Kind.REJECTED, spec.rejection_rate),
        (Kind.FAILED, spec.failure_rate),
    )


def check(spec: SimulatedSpec) -> None:
    """Raises RecipeError for numbers that plant nothing sensible."""
    table = rates(spec)
    for kind, rate in table:
        if not 0.0 <= rate <= 1.0:
            raise RecipeError(f"engine.simulated: the rate of {kind} is {rate}, not within [0, 1]")
    if (total := sum(rate for _, rate in table)) > 1.0 + 1e-9:
        raise RecipeError(f"engine.simulated: the planted rates sum to {total:g}, more than 1")
    for name, least in (("words", 1), ("vocabulary", 2), ("concurrency", 1)):
        if getattr(spec, name) < least:
            raise RecipeError(
                f"engine.simulated.{name} is {getattr(spec, name)}; it takes at least {least}"
            )


def simulate(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, parent: str
) -> Simulated:
    """The completion of one planned sample; `parent` is only looked at for seed copies."""
    kind, of = planted(recipe, generation, index, spec)
    if index in spec.poison:
        return Simulated(Kind.POISON)
    if kind is Kind.SEED_COPY and parent:
        return Simulated(kind, parent)
    if kind is Kind.REJECTED:
        name = digest("refusal", recipe, generation, index, size=6).hex()
        return Simulated(kind, f"{REFUSAL} Reference {name}.")
    if kind is Kind.FAILED:
        return Simulated(kind)
    if kind is Kind.DUPLICATE and of is not None:
        return Simulated(kind, written(recipe, generation, of, spec, None), of)
    if kind is Kind.NEAR_DUPLICATE and of is not None:
        return Simulated(kind, written(recipe, generation, of, spec, index), of)
    return Simulated(Kind.FRESH, written(recipe, generation, index, spec, None))


def planted(
    recipe: str, generation: int, index: int, spec: SimulatedSpec
) -> tuple[Kind, int | None]:
    """The kind of a sample, poison aside, and the earlier fresh index it repeats, if any."""
    kind = drawn(recipe, generation, index, spec)
    if kind not in (Kind.DUPLICATE, Kind.NEAR_DUPLICATE):
        return kind, None
    for candidate in candidates(recipe, generation, index):
        if drawn(recipe, generation, candidate, spec) is Kind.FRESH:
            return kind, candidate
    return Kind.FRESH, None


def drawn(recipe: str, generation: int, index: int, spec: SimulatedSpec) -> Kind:
    """The kind that the rates alone give an index."""
    share = uint64("kind", recipe, generation, index) / 2**64
    for kind, rate in rates(spec):
        if share < rate:
            return kind
        share -= rate
    return Kind.FRESH


def candidates(recipe: str, generation: int, index: int) -> Iterator[int]:
    """Earlier indices to repeat: hashed draws first, then the nearest ones before `index`."""
    if index == 0:
        return
    for attempt in range(TARGET_ATTEMPTS):
        yield uint64("original", recipe, generation, index, attempt) % index
    yield from range(index - 1, max(-1, index - 1 - TARGET_SCAN), -1)


def written(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, edited_by: int | None
) -> str:
    """The fresh text of `index`; `edited_by` names the index whose edits it carries, if any."""
    key = digest("text", recipe, generation, index)
    length = round(spec.words * (1 + LENGTH_SPREAD * (key[0] / 127.5 - 1)))
    noise = uniform(key, max(1, length))
    words = vocabulary(spec.vocabulary)
    chosen = [words[number % spec.vocabulary] for number in noise]
    if edited_by is not None:
        edit(chosen, digest("edit", recipe, generation, edited_by), spec)
    return sentences(chosen, key)


def edit(chosen: list[str], key: bytes, spec: SimulatedSpec) -> None:
    """Replace `near_duplicate_edits` of the words, at least one, each by a different word."""
    count = min(len(chosen), max(1, round(spec.near_duplicate_edits * len(chosen))))
    words = vocabulary(spec.vocabulary)
    edited: set[int] = set()
    for number in uniform(key, 64 * count + 64):
        position = number % len(chosen)
        replacement = words[(number >> 32) % spec.vocabulary]
        if position not in edited and replacement != chosen[position]:
            chosen[position] = replacement
            edited.add(position)
        if len(edited) == count:
            return


def sentences(chosen: list[str], key: bytes) -> str:
    """Words as prose: sentences of 6 to 13 words, capitalised, with a full stop."""
    parts: list[str] = []
    start = turn = 0
    while start < len(chosen):
        end = start + 6 + (key[turn % len(key)] & 7)
        parts.append(" ".join(chosen[start:end]).capitalize() + ".")
        start, turn = end, turn + 1
    return " ".join(parts)


def uniform(key: bytes, count: int) -> tuple[int, ...]:
    """`count` uniform 64-bit numbers from a key, the same on every platform and Python."""
    return struct.unpack(f"<{count}Q", hashlib.shake_128(key).digest(8 * count))


@lru_cache(maxsize=8)
def vocabulary(size: int) -> tuple[str, ...]:
    """`size` distinct pronounceable words that are no words."""
    syllables = 3
    while len(SYLLABLES) ** syllables < size:
        syllables += 1
    space = len(SYLLABLES) ** syllables
    # Coprime to 80^k (no factor 2 or 5), hence a bijection: no word occurs twice.
    stride = space * 5 // 8 + 1
    return tuple(spelled(number * stride % space, syllables) for number in range(size))


def spelled(number: int, syllables: int) -> str:
    """The word of a number below 80^syllables."""
    parts: list[str] = []
    for _ in range(syllables):
        number, rest = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[rest])
    return "".join(parts)


def truth(recipe: str, generation: int, samples: int, spec: SimulatedSpec) -> dict[Kind, int]:
    """How many of the first `samples` of a generation are what, once all are deduplicated.

    Seed copies assume a parent with text. A poison index leaves nothing to repeat, so the first
    of its repetitions is fresh and the later ones repeat that one.
    """
    counts = dict.fromkeys(Kind, 0)
    heirs: dict[int, Kind] = {}
    for index in range(samples):
        kind, of = planted(recipe, generation, index, spec)
        if index in spec.poison:
            kind = Kind.POISON
        elif of is not None and of in spec.poison:
            heir = heirs.get(of)
            if heir is None:
                heirs[of], kind = kind, Kind.FRESH
            elif heir is Kind.NEAR_DUPLICATE:
                kind = heir
        counts[kind] += 1
    return counts
