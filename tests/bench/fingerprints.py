"""Fingerprints per second on one core, beside rensa and datasketch on the same texts.

All rivals are measured in every round, one after the other, in CPU time of this process; the table
shows medians, and medians of the ratios within a round. The libraries get their documents as Python
strings and pay for word 5-gram shingling in Python, which is the only way they are used; they are
not charged for NFKC.
"""
# ruff: noqa: T201, RUF001 - a benchmark prints; curly quotes are its subject

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from datasketch import MinHash
from rensa import RMinHash

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import fingerprint, fingerprint_words, read_words, shingles_of
from seedcorn.core.text.words import NEWEST, TextRule

LEDGER_LENGTHS = (3, 8, 13)
WORDS_PER_TEXT = 285
_CYRILLIC = str.maketrans("abcdefgilmnoprstuw", "абкдефгилмнопрстув")
RENSA, DATASKETCH = "rensa RMinHash, full set", "datasketch MinHash.update_batch"


@dataclass(frozen=True)
class Row:
    """One contender: documents/s of CPU time, and how many times faster it is than each rival."""

    name: str
    documents_per_s: float
    over_rensa: float
    over_datasketch: float
    target_rensa: float | None
    target_datasketch: float | None

    @property
    def met(self) -> bool:
        """Whether both ratios reach their targets; true where there is none."""
        return self.over_rensa >= (self.target_rensa or 0) and self.over_datasketch >= (
            self.target_datasketch or 0
        )


@dataclass(frozen=True)
class Contender:
    """A name, what it does to its documents, how many those are, and its targets."""

    name: str
    work: Callable[[], object]
    documents: int
    targets: tuple[float | None, float | None] = (None, None)


def make_texts(documents: int, seed: int = 7) -> list[str]:
    """ASCII pseudo-English of about 1,700 bytes each: Zipf words, sentences, paragraphs."""
    draw = random.Random(seed)
    syllables = [c + v + t for c in "bcdfglmnprstw" for v in "aeiou" for t in ("", "n", "r", "st")]
    vocabulary = ["".join(draw.choices(syllables, k=1 if i < 150 else 2)) for i in range(20_000)]
    cumulative = list(accumulate(1 / (rank + 2.7) for rank in range(len(vocabulary))))
    return [_sentences(draw, vocabulary, cumulative) for _ in range(documents)]


def _sentences(draw: random.Random, vocabulary: Sequence[str], cumulative: Sequence[float]) -> str:
    words = draw.choices(vocabulary, cum_weights=cumulative, k=WORDS_PER_TEXT)
    pieces, at = [], 0
    while at < len(words):
        size = draw.randint(6, 22)
        pieces.append(" ".join(words[at : at + size]).capitalize() + draw.choice(". . . ? ,\n"))
        at += size
    return " ".join(pieces)


def with_typography(texts: Sequence[str]) -> list[str]:
    """Every tenth text gets curly quotes, a dash, an ellipsis and some accents."""
    return [
        text.replace(". ", "… “It’s é", 2).replace(" b", " — naïve b", 3) if i % 10 == 0 else text
        for i, text in enumerate(texts)
    ]


def run(documents: int = 4000, rounds: int = 5) -> list[Row]:
    """Measure; the slow rivals get a part of the documents. Prints nothing."""
    contenders = _contenders(make_texts(documents))
    for contender in contenders:
        contender.work()
    rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            start = time.process_time()
            contender.work()
            elapsed = time.process_time() - start
            rates[contender.name].append(contender.documents / elapsed)
    return [_row(contender, rates) for contender in contenders]


def _contenders(texts: list[str]) -> list[Contender]:
    mixed = with_typography(texts)
    plain_buffer = pack([text.encode() for text in texts])
    mixed_buffer = pack([text.encode() for text in mixed])
    other_buffer = pack([text.translate(_CYRILLIC).encode() for text in texts])
    few, fewer = mixed[: max(1, len(texts) // 4)], mixed[: max(1, len(texts) // 10)]

    def whole(buffer: tuple, rule: TextRule = NEWEST) -> None:
        words = read_words(*buffer, rule)
        fingerprint_words(words)
        for length in LEDGER_LENGTHS:
            shingles_of(words, length)

    n = len(texts)
    signatures, passes = (10.0, 30.0), (4.5, 12.0)
    return [
        Contender("fingerprint, ASCII", lambda: fingerprint(*plain_buffer, NEWEST), n, signatures),
        Contender("+ ledger 3/8/13, ASCII", lambda: whole(plain_buffer), n, passes),
        Contender("+ ledger 3/8/13, 10 % non-ASCII", lambda: whole(mixed_buffer), n, passes),
        Contender("+ ledger 3/8/13, all non-ASCII", lambda: whole(other_buffer), n),
        Contender("text rule 1, ASCII", lambda: fingerprint(*plain_buffer, TextRule.ONE), n),
        Contender("text rule 1, ASCII, ledger", lambda: whole(plain_buffer, TextRule.ONE), n),
        Contender("text rule 1, 10 %, ledger", lambda: whole(mixed_buffer, TextRule.ONE), n),
        Contender("text rule 1, all, ledger", lambda: whole(other_buffer, TextRule.ONE), n),
        Contender(RENSA, lambda: [_rensa(text) for text in few], len(few)),
        Contender(DATASKETCH, lambda: [_datasketch(text) for text in fewer], len(fewer)),
    ]


def _five_grams(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))]


def _rensa(text: str) -> list[int]:
    sketch = RMinHash(num_perm=128, seed=1)
    sketch.update(_five_grams(text))
    return sketch.digest()


def _datasketch(text: str) -> object:
    sketch = MinHash(num_perm=128)
    sketch.update_batch([shingle.encode() for shingle in _five_grams(text)])
    return sketch.digest()


def _row(contender: Contender, rates: dict[str, list[float]]) -> Row:
    own = rates[contender.name]
    ratios = [
        median(mine / theirs for mine, theirs in zip(own, rates[rival], strict=True))
        for rival in (RENSA, DATASKETCH)
    ]
    return Row(contender.name, median(own), *ratios, *contender.targets)


def main() -> None:
    """Print the table."""
    print(f"{'documents/s per core':34s} {'docs/s':>9s} {'x rensa':>8s} {'x datasketch':>13s}")
    for row in run():
        targets = ""
        if row.target_rensa is not None:
            verdict = "met" if row.met else "MISSED"
            targets = f"  targets {row.target_rensa:g} and {row.target_datasketch:g}: {verdict}"
        print(
            f"{row.name:34s} {row.documents_per_s:9,.0f} {row.over_rensa:8.1f} "
            f"{row.over_datasketch:13.1f}{targets}"
        )


if __name__ == "__main__":
    main()
