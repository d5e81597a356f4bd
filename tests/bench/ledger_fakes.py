"""What each number of the ledger says about genuinely new text, and about fakes of it.

`python -m tests.bench.ledger_fakes [source ...]` prints, per source of real text, shingle novelty
and MinHash beside the companions. A fake counts as caught by a companion that crosses a limit
stated here; genuinely new text of the same source must cross none.
"""

import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seedcorn.core.companions.companions import by_content
from seedcorn.core.companions.diversity import form
from seedcorn.core.companions.novel_bits import PARAPHRASE, shares
from seedcorn.core.companions.order_gap import NOISE, order_gap
from seedcorn.core.companions.queries import Queries, query_index
from seedcorn.core.intervals import Interval
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.gain import Teacher
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import fingerprint_texts, shingles, similarity
from seedcorn.core.text.words import NEWEST
from tests.bench import real_text
from tests.corpora.histories import found_in

DOCUMENTS = 150
"""At most so many in each of seed, generation and anchor; a third of a smaller source."""
NEAR = 0.7
"""Similarity from which on the line calls a document a near duplicate."""
RATIO = 1.5
"""Compression ratio, as a multiple of the real text's, that raises an alarm."""
NEGLIGIBLE = 0.005
"""Anchor gain, in bits per byte, whose lower end is not above this: nothing was taught."""
OPENINGS = 0.2
"""Share of identical openings beyond the real text's that raises an alarm."""
GENUINE = "genuinely new text"
SHUFFLED = "new text, shuffled"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Row:
    """What was measured on one generation."""

    name: str
    novelty: float
    """Share of its distinct 8-word shingles that the seed does not have."""
    near: float
    """Share of its documents that MinHash calls duplicates of a seed document."""
    rho: float
    gap: Interval
    gain: Interval
    ratio: float
    openings: float
    caught: tuple[str, ...] = ()
    """Companions that see through it."""


def rows(source: str) -> list[Row]:
    """Generations grown from one third of a source, judged with the two others."""
    size = min(DOCUMENTS, len(real_text.documents(source)) // 3)
    seed, new, anchor = real_text.parts(source, size, size, size)
    usual = form(by_content(seed, 64), NEWEST)
    generations = {name: fake(seed) for name, fake in FAKES.items()}
    generations |= {SHUFFLED: shuffled(new), GENUINE: new}
    return [
        _judged(_measured(name, documents, seed, anchor), usual)
        for name, documents in generations.items()
    ]


def verbatim(seed: Sequence[str]) -> list[str]:
    """The seed's documents, in another order."""
    return list(reversed(seed))


def shifted(seed: Sequence[str]) -> list[str]:
    """The seed in one piece, cut in the middle of its documents."""
    halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in seed]
    return [before[1] + "\n\n" + after[0] for before, after in pairwise(halves)]


def synonyms(seed: Sequence[str]) -> list[str]:
    """15 % of the words replaced, each by its one partner of the nearest frequency."""
    draw = random.Random(15)
    ranked = _by_frequency(seed)
    partner = {a: b for a, b in zip(ranked[::2], ranked[1::2], strict=False)}
    partner |= {b: a for a, b in partner.items()}

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        return partner.get(word, word) if draw.random() < 0.15 else word

    return [_WORD.sub(swap, text) for text in seed]


def salad(seed: Sequence[str]) -> list[str]:
    """Words drawn uniformly from the seed's vocabulary; lengths as in the seed."""
    draw = random.Random(16)
    words = sorted(_by_frequency(seed))
    return [" ".join(draw.choices(words, k=len(_WORD.findall(text)))) for text in seed]


def shuffled(texts: Sequence[str]) -> list[str]:
    """Every text with its words in random order: new words, no sentence."""
    draw = random.Random(19)
    return [" ".join(draw.sample(words, len(words))) for words in map(_WORD.findall, texts)]


def template(seed: Sequence[str]) -> list[str]:
    """Three documents of the seed in which every sixth word is a slot, filled at random."""
    draw = random.Random(17)
    words = sorted(_by_frequency(seed))
    forms = [_slotted(text) for text in sorted(seed, key=len)[len(seed) // 2 :][:3]]
    return [
        "".join(draw.choice(words) if part is None else part for part in draw.choice(forms))
        for _ in seed
    ]


def markov(seed: Sequence[str], order: int = 2) -> list[str]:
    """A Markov model of word order, fitted once on the seed and sampled: a closed loop."""
    draw = random.Random(18)
    follow: dict[tuple[str, ...], list[str]] = defaultdict(list)
    start, end = ("",) * order, ""
    for text in seed:
        words = [*start, *text.split(), end]
        for i in range(order, len(words)):
            follow[tuple(words[i - order : i])].append(words[i])
    documents: list[str] = []
    while len(documents) < len(seed):
        words = list(start)
        while len(words) < 400 and (word := draw.choice(follow[tuple(words[-order:])])) != end:
            words.append(word)
        if len(words) > 40:
            documents.append(" ".join(words[order:]))
    return documents


FAKES: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "verbatim copy": verbatim,
    "shifted cut points": shifted,
    "15 % synonyms": synonyms,
    "word salad": salad,
    "template, random slots": template,
    "closed loop, Markov 1": lambda seed: markov(seed, 1),
    "closed loop, Markov 2": markov,
}
"""Text that brings nothing, made from a seed."""


def near_duplicates(documents: Sequence[str], seed: Sequence[str]) -> float:
    """Share of documents with a seed document of a common key and similarity of at least .7."""
    mine, theirs = fingerprint_texts(documents, NEWEST), fingerprint_texts(seed, NEWEST)
    found = 0
    for keys, signature in zip(mine.keys, mine.signature, strict=True):
        candidates = theirs.signature[(theirs.keys == keys).any(axis=1)]
        copies = np.repeat(signature[None], len(candidates), axis=0)
        found += bool(np.any(similarity(copies, candidates) >= NEAR))
    return found / len(documents)


def shingle_novelty(documents: Sequence[str], seed: Sequence[str]) -> float:
    """Share of the documents' distinct 8-word shingles that the seed does not have."""
    mine, theirs = (
        np.unique(shingles(*pack([text.encode() for text in texts]), NEWEST, 8).hashes)
        for texts in (documents, seed)
    )
    return float(np.isin(mine, theirs, invert=True).mean())


def novel_share(documents: Sequence[str], seed: Sequence[str]) -> float:
    """Mean rho of the documents, each against the seed and those before it."""
    n = len(documents)
    index = query_index(Queries(documents, range(n), [0] * n), NEWEST)
    return float(shares(index, found_in(index, seed, documents=documents)).mean())


def anchor_gain(anchor: Sequence[str], seed: Sequence[str], documents: Sequence[str]) -> Interval:
    """ΔA of the documents beyond the seed."""
    learnt = Anchor.of(anchor, NEWEST)
    teacher = Teacher(learnt, [learnt.table.count(seed)])
    return teacher.lesson(learnt.table.count(documents)).interval


def table(source: str, measured: Sequence[Row]) -> Iterator[str]:
    """The rows for a person; the anchor gain in millibits per byte, with its interval."""
    yield (
        f"{source:24s}{'novel':>6s}{'MinHash':>8s}{'rho':>6s}{'gap b/B':>9s}"
        f"{'anchor gain mb/B':>25s}{'ratio':>7s}{'openings':>9s}  caught by"
    )
    for row in measured:
        gain, low, high = (1000 * value for value in row.gain)
        spread = f"{gain:+.1f} [{low:+.1f}, {high:+.1f}]"
        yield (
            f"  {row.name:22s}{row.novelty:6.2f}{row.near:8.2f}{row.rho:6.2f}"
            f"{row.gap.estimate:+9.2f}{spread:>25s}{row.ratio:7.1f}{row.openings:9.2f}  "
            f"{', '.join(row.caught) or 'none'}"
        )


def main() -> int:
    """Print the table of every source, or of those named."""
    for source in sys.argv[1:] or real_text.SOURCES:
        for line in table(source, rows(source)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 0


def _measured(name: str, documents: list[str], seed: list[str], anchor: list[str]) -> Row:
    shape = form(by_content(documents, 64), NEWEST)
    return Row(
        name,
        shingle_novelty(documents, seed),
        near_duplicates(documents, seed),
        novel_share(documents, seed),
        order_gap(documents, seed),
        anchor_gain(anchor, seed, documents),
        shape["compression_ratio"],
        shape["openings"],
    )


def _judged(row: Row, usual: dict[str, float]) -> Row:
    crossed = {
        "rho": row.rho < PARAPHRASE,
        "order gap": row.gap.low < NOISE,
        "anchor gain": row.gain.low <= NEGLIGIBLE,
        "compression": row.ratio > RATIO * usual["compression_ratio"],
        "openings": row.openings > usual["openings"] + OPENINGS,
    }
    caught = tuple(name for name, crossing in crossed.items() if crossing)
    return Row(**{**vars(row), "caught": caught})


def _by_frequency(texts: Sequence[str]) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        for word in _WORD.findall(text):
            counts[word] += 1
    return sorted(counts, key=lambda word: (-counts[word], word))


def _slotted(text: str) -> list[str | None]:
    """The text in parts; None for every sixth word."""
    parts: list[str | None] = list(re.findall(r"\w+|\W+", text))
    places = [i for i, part in enumerate(parts) if part and _WORD.fullmatch(part)]
    for place in places[5::6]:
        parts[place] = None
    return parts


if __name__ == "__main__":
    raise SystemExit(main())
