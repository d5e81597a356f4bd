"""What a corpus holds, read and counted in the plainest way."""

from collections.abc import Iterable, Sequence
from typing import Any

from seedcorn.core.text.words import NEWEST
from seedcorn.core.verify.reading import read
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store


def accepted_rows(store: Store, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Every accepted sample as a dict, in commit order."""
    return [
        row
        for generation in read_state(store).generations.values()
        for ref in generation.shards
        for row in read_shard(store, ref, columns).to_pylist()
    ]


def plain_words(text: str) -> list[str]:
    """Words under the newest text rule, as the proofs read them."""
    return list(read(text, NEWEST).words)


def plain_shingles(texts: Iterable[str], length: int) -> set[tuple[str, ...]]:
    """Runs of `length` words of any of the texts."""
    found = set()
    for text in texts:
        words = plain_words(text)
        found |= {tuple(words[i : i + length]) for i in range(max(1, len(words) - length + 1))}
    return found
