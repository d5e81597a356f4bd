"""Generations that bring nothing, each made from a seed: every way known to look new."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

WORD = re.compile(r"\w+")
COMMON = 250
"""So many words, over half of a text, have no synonym: articles, pronouns, names of everybody."""
LONGEST = 200
"""Words of a looped document, at most."""

Fake = Callable[[Sequence[str], int, random.Random], list[str]]
"""(seed, documents wanted, random numbers) -> documents."""


def verbatim(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Documents of the seed."""
    return draw.sample(list(seed), count)


def shifted(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """The second half of a document and the first of the next."""
    starts = draw.sample(list(pairwise(seed)), count)
    return [f"{_halves(one)[1]} {_halves(other)[0]}" for one, other in starts]


def synonyms(share: float) -> Fake:
    """That share of the words that can have a synonym replaced, each by its one partner of the
    nearest frequency."""

    def made(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
        ranked = by_frequency(seed)[COMMON:]
        partner = {a: b for a, b in zip(ranked[::2], ranked[1::2], strict=False)}
        partner |= {b: a for a, b in partner.items()}

        def swap(match: re.Match[str]) -> str:
            word = match.group()
            return partner.get(word, word) if draw.random() < share else word

        return [WORD.sub(swap, text) for text in verbatim(seed, count, draw)]

    return made


def unigrams(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Words drawn as often as the seed has them."""
    words = [word for text in seed for word in text.split()]
    return [" ".join(draw.choices(words, k=_size(text))) for text in verbatim(seed, count, draw)]


def uniform(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Words drawn alike from all that the seed has."""
    words = sorted(by_frequency(seed))
    return [" ".join(draw.choices(words, k=_size(text))) for text in verbatim(seed, count, draw)]


def shuffled(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Documents of the seed with what stands between their spaces in random order."""
    texts = [text.split() for text in verbatim(seed, count, draw)]
    return [" ".join(draw.sample(words, len(words))) for words in texts]


def letters(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Random letters and spaces."""
    alphabet = "abcdefghijklmnopqrstuvwxyz    "
    return ["".join(draw.choices(alphabet, k=len(text))) for text in verbatim(seed, count, draw)]


def template(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Three documents of the seed in which every sixth word is a slot, filled at random."""
    words = sorted(by_frequency(seed))
    forms = [_slotted(text) for text in verbatim(seed, 3, draw)]
    return [
        "".join(draw.choice(words) if part is None else part for part in draw.choice(forms))
        for _ in range(count)
    ]


def loop(order: int) -> Fake:
    """A Markov model with so many words of context, fitted once on the seed: a closed loop."""

    def made(seed: Sequence[str], count: int, draw: random.Random) -> list[str]:
        follow: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for text in seed:
            words = [*[""] * order, *text.split(), ""]
            for i in range(order, len(words)):
                follow[tuple(words[i - order : i])].append(words[i])
        documents: list[str] = []
        while len(documents) < count:
            words = [""] * order
            while len(words) < LONGEST and (word := draw.choice(follow[tuple(words[-order:])])):
                words.append(word)
            if len(words) > LONGEST // 4:
                documents.append(" ".join(words[order:]))
        return documents

    return made


FAKES: dict[str, Fake] = {
    "verbatim copy": verbatim,
    "shifted copy": shifted,
    "15 % synonyms": synonyms(0.15),
    "40 % synonyms": synonyms(0.4),
    "unigram salad": unigrams,
    "uniform salad": uniform,
    "white-space shuffle": shuffled,
    "random letters": letters,
    "template": template,
    "closed loop of order 2": loop(2),
    "closed loop of order 3": loop(3),
}


def by_frequency(texts: Sequence[str]) -> list[str]:
    """Distinct words, frequent ones first."""
    counts = Counter(word for text in texts for word in WORD.findall(text))
    return sorted(counts, key=lambda word: (-counts[word], word))


def _size(text: str) -> int:
    return len(text.split())


def _halves(text: str) -> tuple[str, str]:
    words = text.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def _slotted(text: str) -> list[str | None]:
    """The text in parts; None for every sixth word."""
    parts: list[str | None] = list(re.findall(r"\w+|\W+", text))
    places = [i for i, part in enumerate(parts) if part and WORD.fullmatch(part)]
    for place in places[5::6]:
        parts[place] = None
    return parts
