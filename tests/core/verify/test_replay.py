"""The second writing of dedup, containment and words against the line's own, on anything."""

import unicodedata

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.containment import Containment
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import read_words
from seedcorn.core.text.words import TextRule
from seedcorn.core.verify.reading import UNSPACED_SHINGLE, composed_form, read
from seedcorn.core.verify.replay import KEPT, ContainmentReplay, DedupOutcome, Replay
from tests.core.dedup.test_dedup import CUTS, SETTINGS, THRESHOLD, Line, sealed, stream

HASHES = st.lists(st.integers(0, 40).map(lambda number: number * 8), max_size=12)
"""Half of them are in the sample, and most come twice."""
LETTERS = st.text(st.sampled_from("abAB19_ .,-'\u2019\u201c\n\t\u00e9\u00df漢字かカ"), max_size=30)
CHARACTERS = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from(
        "aB1٣-_'.,+#\u2019\u200c\u200d\u00ad\u0301\u0323\u3099\uff9eカかกก็ाक각ᄀ\u1161\u11a8"
    ),
    max_size=30,
)
"""All of Unicode, and often what stands in the way of reading it."""


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
def test_words_of_the_recheck_are_equal_where_those_of_the_line_are_under_rule_1(texts):
    line = read_words(*pack([text.encode() for text in texts]), TextRule.ONE)
    pairs = set()
    for text, start, count in zip(texts, line.starts, line.counts, strict=True):
        words, size, _ = read(text, TextRule.ONE)
        hashes = line.hashes[start : start + count].tolist()
        pairs |= {((size, word), found) for word, found in zip(words, hashes, strict=True)}
    words, hashes = zip(*pairs, strict=True) if pairs else ((), ())
    assert len(pairs) == len(set(words)) == len(set(hashes))


@given(st.lists(CHARACTERS, min_size=2, max_size=6))
@settings(max_examples=300)
def test_words_and_exact_texts_of_the_recheck_are_those_of_the_line_under_rule_2(texts):
    line = read_words(*pack([text.encode() for text in texts]), TextRule.TWO)
    words, exact = set(), set()
    for number, text in enumerate(texts):
        start = line.starts[number]
        again = read(text, TextRule.TWO)
        hashes = line.hashes[start : start + line.counts[number]].tolist()
        words |= set(zip(again.words, hashes, strict=True))
        exact.add((again.text, int(line.exact[number])))
        assert (again.length == UNSPACED_SHINGLE) == line.unspaced[number]
    assert len(words) == len({word for word, _ in words}) == len({found for _, found in words})
    assert len(exact) == len({text for text, _ in exact}) == len({found for _, found in exact})


@given(CHARACTERS)
@settings(max_examples=300)
def test_composed_form_of_characters_that_python_knows_is_that_of_python(text):
    known = "".join(c for c in text if unicodedata.category(c) != "Cn")
    assert composed_form(known) == unicodedata.normalize("NFC", known)
