"""Unique tokens held against texts: of every sample in its shard, and of all in the log's entry."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, limit
from seedcorn.core.sketch.unique_tokens import GRAIN, AcceptedTexts, first_held, sums_by_stratum
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, Words, read_words
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.core.verify.unique_tokens import tokens_brought
from seedcorn.storage.samples.batches import own_tokens_of, texts_view


class UniqueTokensProof:
    """Everything so far as a hash sample, made from texts. Feed it in log order."""

    def __init__(self, rate: float, rule: TextRule) -> None:
        """`rate`: the highest that a batch of the corpus was sampled at; texts are read by `rule`."""
        self._history, self._rule = History(rate=rate), rule

    def add_source(self, words: Words, usable: NDArray[np.bool_], generation: int) -> None:
        """Seed or reference rows that entered while `generation` was the last one started."""
        rate = self._history.rate
        shingles = {length: shingles_of(words, length, limit(rate)) for length in LENGTHS}
        delta = batch_delta(shingles, usable, usable, np.zeros(len(usable), np.uint8), rate)
        self._history.add(delta, generation, seed=True)

    def add_batch(
        self, entry: tuple[int, BatchCommitted, Delta], table: pa.Table, rows: BatchRows, group: int
    ) -> None:
        """A batch: its entry's number, the entry, and the sketch of its texts, which `table` and
        `rows` hold; `group` samples are one draw. Raises CorruptCorpus where a sample's unique
        tokens, or what the entry says of all, are others."""
        sequence, batch, delta = entry
        self._history.thin(delta.rate)
        accepted = np.array([outcome == "accepted" for outcome in rows.outcome], bool)
        words = read_words(*texts_view(table["text"].fill_null("")), self._rule).counts
        draw = np.array(rows.index, np.int64) // group if group > 1 else None
        texts = AcceptedTexts(accepted, words, own_tokens_of(table), draw)
        self._prove_samples(sequence, batch, rows, texts, delta)
        found = first_held(delta, self._history, batch.generation, texts)
        sums = sums_by_stratum(found, rows.stratum)
        if sums != batch.unique:
            raise CorruptCorpus(
                f"log entry {sequence}: its unique tokens are {batch.unique}, its samples give {sums}"
            )
        self._history.add(delta, batch.generation)

    def _prove_samples(
        self,
        sequence: int,
        batch: BatchCommitted,
        rows: BatchRows,
        texts: AcceptedTexts,
        delta: Delta,
    ) -> None:
        pairs = zip(texts.accepted, texts.words.tolist(), texts.tokens.tolist(), strict=True)
        found = tokens_brought(
            delta,
            lambda hashes, length: self._history.unheld(hashes, length, batch.generation),
            [(words, tokens) if kept else None for kept, words, tokens in pairs],
        )
        columns = zip(rows.sample_id, rows.unique_tokens, found, strict=True)
        for name, recorded, brought in columns:
            if abs((recorded or 0.0) - brought) > GRAIN:
                raise CorruptCorpus(
                    f"log entry {sequence}: sample {name} has {recorded} unique tokens in its "
                    f"shard, but brought {brought}"
                )
