"""The texts of the simulation: invented words, a small grammar over them, templates, retellings.

Every function is a pure function of its arguments, the same on every platform and Python. The
grammar belongs to a vocabulary size, so all generations of a corpus speak one language: a fixed
stock of three-word idioms alternates with words drawn at random. What follows inside an idiom is
known, which is the information that word order carries; the words between idioms keep any two
texts apart.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

from seedcorn.core.identity import digest
from seedcorn.core.recipe import SimulatedSpec

LENGTH_SPREAD = 0.25
"""Texts have `words` words, give or take this share."""
IDIOMS = 512
"""Few enough that some hundred texts show most of them often enough to be learnt."""
OPENING = 8
"""Words that all instances of a template with slots, and all collapsed samples, begin with: as
many as the alarm on identical openings compares."""
SLOT_STEP = 7919
"""Keeps the slots of one instance from all holding the same word."""

CONSONANTS = ("b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
VOWELS = ("a", "e", "i", "o", "u")
SYLLABLES = tuple(c + v for c in CONSONANTS for v in VOWELS)
_WORD = re.compile(r"\w+")


def fresh(key: bytes, spec: SimulatedSpec) -> list[str]:
    """The words of a new text: about `spec.words` of them, at least one where that rounds to 0."""
    return phrase(key, _length(key, spec), spec)


def phrase(key: bytes, length: int, spec: SimulatedSpec) -> list[str]:
    """Words in the spec's style, `length` of them, at least one."""
    noise = uniform(key, max(1, length))
    if spec.style == "sentences":
        return pronounceable(noise, spec.vocabulary)
    words = vocabulary(spec.vocabulary)
    return [words[number % spec.vocabulary] for number in noise]


def pronounceable(noise: Sequence[int], size: int) -> list[str]:
    """As many words of the grammar as there are 64-bit numbers: idiom, two or three words, …

    Idioms are drawn with density 1/√rank, so that some are met often and some rarely.
    """
    words, stock = vocabulary(size), idioms(size)
    chosen: list[str] = []
    at = 0
    while at < len(noise):
        number = noise[at]
        share = number >> 32
        chosen += stock[(share * share * IDIOMS) >> 64]
        end = at + 3 + (number & 1)
        chosen += [words[other % size] for other in noise[at + 1 : end]]
        at = end
    return chosen[: len(noise)]


@lru_cache(maxsize=8)
def idioms(size: int) -> tuple[tuple[str, ...], ...]:
    """The stock of three-word idioms of a vocabulary."""
    words = vocabulary(size)
    noise = uniform(digest("idioms", size), 3 * IDIOMS)
    return tuple(
        tuple(words[number % size] for number in noise[at : at + 3])
        for at in range(0, 3 * IDIOMS, 3)
    )


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


def templated(recipe: str, instance: int, spec: SimulatedSpec, collapsed: bool) -> str:
    """One instance of the recipe's template, exactly `spec.words` words long.

    Without slots instances share nothing, unless `collapsed`: then they share their opening. With
    slots they share a frame, and any two differ in at least one slot, in all slots wherever there
    are no more instances than words of the vocabulary.
    """
    key = digest("template", recipe, instance)
    if not (spec.template_slots or collapsed):
        return prose(phrase(key, spec.words, spec), key)
    frame_key = digest("frame", recipe)
    frame = _frame(frame_key, spec.words, spec.vocabulary, spec.style)
    opening = min(OPENING, spec.words - max(1, spec.template_slots))
    if spec.template_slots:
        return prose(_filled(list(frame), opening, instance, spec), frame_key)
    return prose([*frame[:opening], *phrase(key, spec.words, spec)[opening:]], frame_key)


def _filled(frame: list[str], opening: int, instance: int, spec: SimulatedSpec) -> list[str]:
    """The frame with an instance's words in slots spread evenly behind the opening.

    The digits of the instance in base `vocabulary` fill the slots. The lowest one is added to all
    others, so that neighbouring instances differ everywhere; it can be subtracted again, so that
    no two instances are equal.
    """
    words = vocabulary(spec.vocabulary)
    room = (len(frame) - opening) / spec.template_slots
    rest, lowest = divmod(instance, spec.vocabulary)
    digit = 0
    for slot in range(spec.template_slots):
        number = lowest + digit + slot * SLOT_STEP
        frame[opening + int((slot + 0.5) * room)] = words[number % spec.vocabulary]
        rest, digit = divmod(rest, spec.vocabulary)
    return frame


@lru_cache(maxsize=8)
def _frame(key: bytes, length: int, size: int, style: str) -> tuple[str, ...]:
    return tuple(phrase(key, length, SimulatedSpec(words=length, vocabulary=size, style=style)))


def paraphrased(parent: str, key: bytes, spec: SimulatedSpec) -> str:
    """The parent with `paraphrase_swap` of its words, chosen by the key, replaced by synonyms."""
    least = round(spec.paraphrase_swap * 2**16)
    most = len(parent) // 2 + 1
    noise = iter(struct.unpack(f"<{most}H", hashlib.shake_128(key).digest(2 * most)))

    def swap(found: re.Match[str]) -> str:
        word = found[0]
        return synonym(word, spec.vocabulary) if next(noise) < least else word

    return _WORD.sub(swap, parent)


def synonym(word: str, size: int) -> str:
    """The one other word that stands for this one; words of the vocabulary form pairs.

    Because the synonym of a synonym is the word itself, telling a text again and again never
    leaves the finite set of its word-by-word variants. Other words lead into the vocabulary, by
    a hash of their letters. Capitals are kept.
    """
    lower = word.lower()
    number = positions(size).get(lower)
    if number is None:
        number = zlib.crc32(lower.encode("utf-8", "surrogatepass")) % size
    elif number == size - 1 and size % 2:
        return word
    else:
        number ^= 1
    other = vocabulary(size)[number]
    return other.capitalize() if word[0] != lower[0] else other


def prose(chosen: Sequence[str], key: bytes) -> str:
    """Words as prose: sentences of 6 to 13 words, capitalised, with a full stop."""
    parts: list[str] = []
    start = turn = 0
    while start < len(chosen):
        end = start + 6 + (key[turn % len(key)] & 7)
        parts.append(" ".join(chosen[start:end]).capitalize() + ".")
        start, turn = end, turn + 1
    return " ".join(parts)


def salad(key: bytes, spec: SimulatedSpec) -> str:
    """Uniform draws of words without capitals or full stops: nothing in it depends on order."""
    words = vocabulary(spec.vocabulary)
    noise = uniform(key, max(1, _length(key, spec)))
    return " ".join([words[number % spec.vocabulary] for number in noise])


def _length(key: bytes, spec: SimulatedSpec) -> int:
    return round(spec.words * (1 + LENGTH_SPREAD * (key[0] / 127.5 - 1)))


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
    return tuple(_spelled(number * stride % space, syllables) for number in range(size))


@lru_cache(maxsize=8)
def positions(size: int) -> dict[str, int]:
    """Where each word stands in the vocabulary."""
    return {word: number for number, word in enumerate(vocabulary(size))}


def _spelled(number: int, syllables: int) -> str:
    """The word of a number below 80^syllables."""
    parts: list[str] = []
    for _ in range(syllables):
        number, rest = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[rest])
    return "".join(parts)
