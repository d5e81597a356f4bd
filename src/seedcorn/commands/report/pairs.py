"""Duplicates beside the documents they repeat, with the words that differ marked.

Invariant: pure; the pieces of a text, joined, are the text, cut at `SHOWN_CHARS` with the rest
counted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import NamedTuple

from seedcorn.commands.views.output import harmless

SHOWN_CHARS = 1500
KINDS = {"exact": "Exact", "near": "Near"}
REPEATED = {
    "same": "an earlier sample of the same generation",
    "earlier": "a sample of an earlier generation",
    "seed": "a seed document",
    "reference": "a document of another corpus",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A dropped sample and its witness."""

    kind: str
    """`<exact|near>:<of>`, as in the ledger document."""
    generation: int
    stratum: str
    name: str
    text: str
    witness: str
    witness_text: str
    similarity: float | None = None
    """Estimated Jaccard similarity."""


class Piece(NamedTuple):
    """A stretch of text, and whether the other side has it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair as the page shows it."""

    pair: Pair
    left: Sequence[Piece]
    right: Sequence[Piece]
    verdict: str


@dataclass(frozen=True, slots=True)
class Group:
    """The pairs of one kind."""

    title: str
    shown: Sequence[Shown]
    kind: str = "pairs"


def groups(pairs: Sequence[Pair]) -> list[Group]:
    """By kind, in the order given within a kind."""
    ordered = sorted(pairs, key=lambda pair: pair.kind)
    return [
        Group(title(kind), [side_by_side(pair) for pair in members])
        for kind, members in groupby(ordered, key=lambda pair: pair.kind)
    ]


def title(kind: str) -> str:
    """`near:seed` as `Near duplicates of a seed document`."""
    how, _, of = kind.partition(":")
    repeated = REPEATED.get(of, of or "another document")
    return f"{KINDS.get(how, how)} duplicates of {repeated}"


def side_by_side(pair: Pair) -> Shown:
    """Both texts in pieces; words are compared, white space is not."""
    left, right = _clipped(pair.text), _clipped(pair.witness_text)
    a, b = _words(left), _words(right)
    keys = [[word.strip() for word in words] for words in (a, b)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, i, j, k, m in matcher.get_opcodes():
        for side, words in zip(pieces, (a[i:j], b[k:m]), strict=True):
            side += _pieces("".join(words), tag != "equal")
    return Shown(pair, *pieces, _verdict(pair))


def _pieces(text: str, differs: bool) -> list[Piece]:
    """The text, with the white space after it in a piece of its own that never differs."""
    core = text.rstrip()
    return [
        piece for piece in (Piece(core, differs), Piece(text[len(core) :], False)) if piece.text
    ]


def _verdict(pair: Pair) -> str:
    if pair.text == pair.witness_text:
        return "identical"
    if pair.similarity is None:
        return "differences marked"
    return f"{100 * pair.similarity:.0f} % similar, differences marked"


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s*", text) or ([text] if text else [])


def _clipped(text: str) -> str:
    shown, rest = harmless(text[:SHOWN_CHARS]), len(text) - SHOWN_CHARS
    return f"{shown} … ({rest:,} more characters)" if rest > 0 else shown
