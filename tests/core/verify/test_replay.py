"""The second writing of dedup, containment and words against the line's own, on anything."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.containment import Containment
from seedcorn.core.text.fingerprint import read_words
from seedcorn.core.text.words import pack
from seedcorn.core.verify.recheck import words_of
from seedcorn.core.verify.replay import KEPT, ContainmentReplay, DedupOutcome, Replay
from tests.core.dedup.test_dedup import CUTS, SETTINGS, THRESHOLD, Line, sealed, stream

HASHES = st.lists(st.integers(0, 40).map(lambda number: number * 8), max_size=12)
"""Half of them are in the sample, and most come twice."""
LETTERS = st.text(st.sampled_from("abAB19_ .,-'\u2019\u201c\n\t\u00e9\u00df漢字かカ"), max_size=30)


@given(seed=st.integers(0, 2**32), n=st.integers(1, 200), cuts=CUTS, parts=st.integers(1, 3))
@SETTINGS
def test_replay_of_any_stream_comes_to_the_verdicts_of_the_line(seed, n, cuts, parts):
    keys, signatures = stream(seed, n)
    verdicts = sealed(Line(parts), keys, signatures, cuts)
    replay, kept = Replay({}), 0
    for row in range(n):
        own, signature = keys[row].tolist(), signatures[row].tobytes()
        expected = KEPT
        if not verdicts.kept[row]:
            kind = "exact" if verdicts.exact[row] else "near"
            witness, alike = str(verdicts.witness[row]), float(verdicts.similarity[row])
            expected = DedupOutcome(witness, f"{kind}:same", alike)
        assert replay.judge(own, signature, 1, (THRESHOLD, False)) == expected
        if verdicts.kept[row]:
            replay.keep(kept, str(kept), 1, own, signature)
            kept += 1


@given(st.lists(st.lists(HASHES, max_size=5), max_size=4))
def test_containment_of_any_batches_is_that_of_a_plain_set(batches):
    line, replay = Containment(), ContainmentReplay()
    for documents in batches:
        hashes = np.array([one for document in documents for one in document], np.uint64)
        offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
        assert replay.measure(hashes, offsets) == line.measure(hashes, offsets)


@given(st.lists(LETTERS, min_size=2, max_size=6))
@settings(max_examples=200)
def test_words_of_the_recheck_are_equal_where_those_of_the_line_are(texts):
    line = read_words(*pack([text.encode() for text in texts]))
    pairs = set()
    for text, start, count in zip(texts, line.starts, line.counts, strict=True):
        words, size = words_of(text)
        hashes = line.hashes[start : start + count].tolist()
        pairs |= {((size, word), found) for word, found in zip(words, hashes, strict=True)}
    words, hashes = zip(*pairs, strict=True) if pairs else ((), ())
    assert len(pairs) == len(set(words)) == len(set(hashes))
