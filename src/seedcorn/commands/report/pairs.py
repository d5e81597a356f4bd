"""Duplicates beside the documents they repeat: a few of each kind, with the words that differ marked.

The same pairs every time: of at most `LOOKED_AT` dropped shards, those with the lowest hashes, the
samples with the lowest ids. Invariants: a page travels further than a corpus, so neither a withdrawn
text nor its duplicates are among them; the pieces of a text, joined, are the text, cut at
`SHOWN_CHARS` with the rest counted. Memory: one shard and the pairs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nsmallest
from itertools import groupby
from typing import NamedTuple

from seedcorn.commands.show.choice import DROPPED_COLUMNS, LOOKED_AT, Row
from seedcorn.commands.show.witness import witnesses
from seedcorn.commands.views.output import harmless
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.sample import Outcome
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store

SHOWN_CHARS = 1500
COLUMNS = [*DROPPED_COLUMNS, "similarity"]
KINDS = {"exact": "Exact", "near": "Near"}
REPEATED = {
    "same": "an earlier sample of the same generation",
    "earlier": "a sample of an earlier generation",
    "withdrawn": "a sample that was withdrawn",
    "seed": "a seed document",
    "heldout": "a seed document that is held back",
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


class TextSpan(NamedTuple):
    """A stretch of text, and whether the other side has it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair as the page shows it."""

    pair: Pair
    left: Sequence[TextSpan]
    right: Sequence[TextSpan]
    verdict: str


@dataclass(frozen=True, slots=True)
class Group:
    """The pairs of one kind."""

    title: str
    shown: Sequence[Shown]
    kind: str = "pairs"


def find_pairs(store: Store, spec: StoreSpec, state: CorpusState, per_kind: int) -> list[Pair]:
    """At most `per_kind` duplicates of each kind beside their witnesses.

    A witness that cannot be read has the reason in place of its text; see `show_witness`.
    """
    shards = [ref for generation in state.standing.values() for ref in generation.dropped]
    withdrawn = withdrawn_ids(store, state)
    chosen = _choose(store, shards, withdrawn, per_kind)
    found = witnesses(store, spec, state, chosen)
    return [
        Pair(
            kind=row["reason"],
            generation=row["generation"],
            stratum=row["stratum"],
            name=row["sample_id"],
            text=row["text"],
            witness=row["duplicate_of"],
            witness_text=found.get(row["duplicate_of"], "(not found)"),
            similarity=row["similarity"],
        )
        for row in chosen
    ]


def _choose(
    store: Store, shards: Sequence[ObjectRef], withdrawn: frozenset[str], per_kind: int
) -> list[Row]:
    """Duplicates with the lowest ids, by kind."""
    kinds: dict[str, list[Row]] = {}
    for ref in sorted(shards, key=lambda ref: ref.sha256)[:LOOKED_AT]:
        for row in read_shard(store, ref, COLUMNS).to_pylist():
            if row["outcome"] == Outcome.DUPLICATE.value and row["duplicate_of"] not in withdrawn:
                kinds.setdefault(row["reason"], []).append(row)
        kinds = {
            kind: nsmallest(per_kind, rows, key=lambda row: row["sample_id"])
            for kind, rows in kinds.items()
        }
    return [row for kind in sorted(kinds) for row in kinds[kind]]


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
    pieces: tuple[list[TextSpan], list[TextSpan]] = ([], [])
    for tag, i, j, k, m in matcher.get_opcodes():
        for side, words in zip(pieces, (a[i:j], b[k:m]), strict=True):
            side += _pieces("".join(words), tag != "equal")
    return Shown(pair, *pieces, _verdict(pair))


def _pieces(text: str, differs: bool) -> list[TextSpan]:
    """The text, with the white space after it in a piece of its own that never differs."""
    core = text.rstrip()
    return [
        piece
        for piece in (TextSpan(core, differs), TextSpan(text[len(core) :], False))
        if piece.text
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
