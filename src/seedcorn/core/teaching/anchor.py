"""An anchor as the model reads it: where each of its words stands in the table, and what spelling it
costs.

The spelling model is learned from the anchor's own distinct words. It is the same for every history
and generation, so it cancels from ΔA but for words that one of them knows and the other does not.
"""

import re
import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import uint64
from seedcorn.core.teaching.spelling import byte_pairs, laid_out, word_bits
from seedcorn.core.teaching.table import AnchorTable
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, read_words

_PIECES = re.compile(r"\w+|[^\w\s]")
_INNER = re.compile(r"\w.*\w")


@dataclass(frozen=True, eq=False)
class Anchor:
    """d documents of n words that nothing was trained on."""

    table: AnchorTable
    places: NDArray[np.int64]
    """[ORDER, n]: see `AnchorTable.places`; never -1 but near the beginning of a document."""
    offsets: NDArray[np.int64]
    """[d + 1]: document i has the words `offsets[i]` to `offsets[i + 1]`."""
    sizes: NDArray[np.int64]
    """[d]: UTF-8 bytes."""
    spelled: NDArray[np.float64]
    """[n]: probability of the word under the spelling model."""
    clusters: NDArray[np.int64]
    """[d]: number of the cluster, such as a book or a site."""
    half: NDArray[np.int64]
    """[d]: 0 or 1; clusters stay whole."""

    @classmethod
    def of(
        cls, texts: Sequence[str], rule: TextRule, clusters: Sequence[Hashable] = ()
    ) -> "Anchor":
        """Read the documents; `clusters` names each one's cluster, empty: each is its own.

        Raises ValueError where there are fewer than two clusters, or another number of names.
        """
        names = clusters or range(len(texts))
        if len(names) != len(texts):
            raise ValueError(f"{len(names)} clusters for {len(texts)} documents of the anchor")
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        if len(numbers) < 2:
            raise ValueError("an anchor of one cluster: one half tunes, the other scores")
        table = AnchorTable.of(texts, rule)
        data = [text.encode("utf-8", "replace") for text in texts]
        words = read_words(*pack(data), rule)
        places = table.places(words)
        sizes = np.array([len(one) for one in data], np.int64)
        cluster = np.array([numbers[name] for name in names], np.int64)
        return cls(
            table,
            places,
            np.concatenate([[0], np.cumsum(words.counts)]).astype(np.int64),
            sizes,
            _spelled(texts, table)[places[0]],
            cluster,
            _halves(texts, sizes, cluster),
        )

    def cluster_sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., d] per document -> [..., clusters]."""
        order = np.argsort(self.clusters, kind="stable")
        starts = np.flatnonzero(np.diff(self.clusters[order], prepend=-1))
        return np.add.reduceat(values[..., order], starts, axis=-1)


def _halves(
    texts: Sequence[str], sizes: NDArray[np.int64], clusters: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Clusters in the order of a content hash, each to the half that has less text so far."""
    keys: dict[int, int] = {}
    for text, cluster in zip(texts, clusters.tolist(), strict=True):
        key = uint64("anchor", text)
        keys[cluster] = min(key, keys.get(cluster, key))
    weights = np.bincount(clusters, weights=sizes)
    held, side = [0.0, 0.0], np.zeros(len(keys), np.int64)
    for cluster in sorted(keys, key=lambda one: keys[one]):
        side[cluster] = int(held[1] < held[0])
        held[side[cluster]] += weights[cluster]
    return side[clusters]


def _spelled(texts: Sequence[str], table: AnchorTable) -> NDArray[np.float64]:
    """[keys]: probability of every word of the table; 0 at keys of longer n-grams.

    A key tells nothing of its word's letters: they are found among the pieces of the texts that are
    one word to the text rule. A word that is no such piece costs what they cost on average.
    """
    pieces = _candidates(texts)
    words = read_words(*pack(pieces), table.rule)
    alone = np.flatnonzero(words.counts == 1)
    places = table.places(words)[0][(np.cumsum(words.counts) - words.counts)[alone]]
    letters: dict[int, bytes] = {}
    for place, piece in zip(places.tolist(), alone.tolist(), strict=True):
        letters.setdefault(place, pieces[piece])
    letters.pop(-1, None)
    spelt = laid_out(list(letters.values()))
    bits = word_bits(spelt, byte_pairs(spelt, np.ones(len(letters), bool)))
    found = np.exp2(-np.full(len(table.keys), bits.mean() if len(bits) else 0.0))
    found[list(letters)] = np.exp2(-bits)
    return found


def _candidates(texts: Sequence[str]) -> list[bytes]:
    """Distinct pieces that may be a word, shortest first."""
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    chunks = {chunk for text in folded for chunk in text.split()}
    pieces = {piece for chunk in chunks for piece in _PIECES.findall(chunk)}
    pieces |= {piece for chunk in chunks for piece in _INNER.findall(chunk)}
    pieces |= {character for chunk in chunks for character in chunk}
    found = {piece.encode("utf-8", "replace") for piece in pieces}
    return sorted(found, key=lambda piece: (len(piece), piece))
