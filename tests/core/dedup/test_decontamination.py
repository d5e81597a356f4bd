"""Evaluation items inside longer texts, against counting shared shingles with sets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.decontamination import (
    LENGTHS,
    EvaluationSet,
    contamination,
    evaluation_set,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import Shingles, shingles_many
from seedcorn.core.text.words import NEWEST, read_words

ENOUGH = {8: 3, 13: 1}
HASHES = st.sets(st.sampled_from([0, 1, 2, 3, 4, 5, 2**64 - 1]), max_size=5)


def column(documents) -> Shingles:
    flat = [value for document in documents for value in sorted(document)]
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.int64)
    return Shingles(np.array(flat, np.uint64), offsets)


@given(
    documents=st.lists(st.tuples(HASHES, HASHES), max_size=6),
    known=st.lists(st.tuples(HASHES, HASHES), max_size=2),
)
@settings(max_examples=25, deadline=None)
def test_contamination_of_any_batch_equals_counting_with_sets(documents, known):
    sets = [
        EvaluationSet(
            f"set{n}",
            {k: np.array(sorted(h), np.uint64) for k, h in zip(LENGTHS, pair, strict=True)},
        )
        for n, pair in enumerate(known)
    ]
    parts = {
        length: column([pair[place] for pair in documents]) for place, length in enumerate(LENGTHS)
    }

    found = contamination(sets, parts)

    for position, document in enumerate(documents):
        hits = [
            [len(document[place] & pair[place]) for place in range(len(LENGTHS))] for pair in known
        ]
        guilty = [
            n
            for n, counts in enumerate(hits)
            if any(count >= ENOUGH[k] for k, count in zip(LENGTHS, counts, strict=True))
        ]
        assert (position in found) == bool(guilty)
        if guilty:
            assert found[position].startswith(f"set{guilty[0]}: ")


def read(*texts: str) -> dict[int, Shingles]:
    return shingles_many(*pack([text.encode() for text in texts]), NEWEST, LENGTHS)


ITEM = "which of these four planets takes the longest time to travel once around our own sun"
NOISE = " ".join(f"filler{n}" for n in range(200))


def test_item_inside_a_long_text_is_found_and_its_set_is_named():
    item = read(ITEM)
    quiz = EvaluationSet("quiz", {n: np.unique(item[n].hashes) for n in LENGTHS})
    eight_words = " ".join(ITEM.split()[:8])

    found = contamination(
        [quiz], read(NOISE, f"{NOISE} {ITEM.upper()}! {NOISE}", f"{NOISE} {eight_words}", ITEM)
    )

    assert set(found) == {1, 3}
    assert found[1] == "quiz: 9 shared 8-word shingles"


def test_evaluation_set_holds_each_shingle_of_usable_documents_once():
    texts = [b"one two three four five six seven eight nine", b"not to be read", b"short item"]
    chunks = [
        (read_words(*pack(texts), NEWEST), np.array([True, False, True])),
        (read_words(*pack(texts[:1]), NEWEST), np.array([True])),
    ]

    found = evaluation_set("quiz", chunks)

    alone = [shingles_many(*pack([texts[n]]), NEWEST, LENGTHS, 2**64) for n in (0, 2)]
    for length in LENGTHS:
        wanted = {int(value) for parts in alone for value in parts[length].hashes}
        assert found.hashes[length].tolist() == sorted(wanted)
    assert [len(evaluation_set("none", []).hashes[length]) for length in LENGTHS] == [0, 0]
