"""Fingerprints against a plain-Python reference, datasketch, and committed golden vectors."""
# ruff: noqa: RUF001 - odd characters are the subject

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from seedcorn.core.text import shingles
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import (
    KEYS,
    PERMUTATIONS,
    estimate,
    fingerprint,
    fingerprint_texts,
    read_words,
    shingles_many,
    shingles_of,
    similarity,
)
from seedcorn.core.text.fingerprint import minhash as raw_minhash
from seedcorn.core.text.normaliser import normalise
from seedcorn.core.text.words import TextRule
from tests.core.text.reference import MASK, golden_row, mix, plain

GOLDEN = Path(__file__).parent / "golden" / "fingerprints.json"
WORDS = [f"word{i}" for i in range(400)]
ascii_texts = st.text(st.characters(max_codepoint=127), max_size=80) | st.lists(
    st.sampled_from(["a", "b", "Cat", "dog_1", "\n", "\0", "..."]), max_size=40
).map(" ".join)


def buffer(texts):
    return pack([text.encode("utf-8", "replace") for text in texts])


def reference_words(text, rule):
    if rule == TextRule.TWO:
        return plain(text)[1][0]
    hashes = []
    for word in re.findall(rb"[a-z0-9_]+", text.lower().encode()):
        state = 0x2545F4914F6CDD1D
        for byte in word:
            state = (state ^ byte) * 0x9FB21C651E98DF25 & MASK
        hashes.append(mix(state))
    return hashes


def reference_shingles(text, length, rule):
    found = reference_words(text, rule)
    runs = [found[i : i + length] for i in range(max(1, len(found) - length + 1))]
    hashes = set()
    for run in runs:
        polynomial = sum(
            word * pow(0x9E6C63D0876A9A4F, len(run) - 1 - i, 2**64) for i, word in enumerate(run)
        )
        hashes.add(mix((polynomial & MASK) ^ mix(length)))
    return sorted(hashes)


@pytest.mark.parametrize("rule", TextRule)
@settings(max_examples=50, deadline=None)
@given(st.lists(ascii_texts, max_size=5))
def test_shingles_ascii_texts_equal_the_plain_python_reference(rule, texts):
    for length, got in shingles_many(*buffer(texts), rule, (1, 3, 5, 8)).items():
        assert len(got.offsets) == len(texts) + 1
        for i, text in enumerate(texts):
            row = got.hashes[got.offsets[i] : got.offsets[i + 1]].tolist()
            assert row == reference_shingles(text, length, rule)
    counts = fingerprint_texts(texts, rule).words.tolist()
    assert counts == [len(reference_words(text, rule)) for text in texts]


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(["", "ข้อความ", "日本語の文章", "“Curly” naïve ", "Σ\u0301"]),
)
def test_fingerprint_any_text_equals_that_of_its_normalised_text(text, more):
    got = fingerprint_texts([text + more, normalise(text + more)], TextRule.ONE)
    assert got.text_hash[0] == got.text_hash[1]
    assert got.words[0] == got.words[1]
    assert (got.keys[0] == got.keys[1]).all()
    assert (got.signature[0] == got.signature[1]).all()


@pytest.mark.parametrize("rule", TextRule)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=6))
def test_fingerprint_document_does_not_depend_on_its_batch(rule, texts):
    together = fingerprint_texts(texts, rule)
    for i, text in enumerate(texts):
        alone = fingerprint_texts([text], rule)
        assert (alone.keys[0] == together.keys[i]).all()
        assert (alone.signature[0] == together.signature[i]).all()


@pytest.mark.parametrize("rule", TextRule)
def test_minhash_same_shingles_equal_datasketch(rule):
    texts = [
        "one two three",
        "one",
        " ".join(WORDS),
        "Ünï “code” text of more words than five or six",
    ]
    data, offsets = buffer(texts)
    rows = raw_minhash(data, offsets, rule)
    assert rows.shape == (len(texts), PERMUTATIONS)
    five = shingles_many(data, offsets, rule, (5,))[5]
    for i in range(len(texts)):
        peer = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32", hashfunc=int)
        peer.update_batch(five.hashes[five.offsets[i] : five.offsets[i + 1]] & np.uint64(2**32 - 1))
        assert (peer.digest() == rows[i]).all()


@pytest.mark.parametrize("rule", TextRule)
def test_minhash_unspaced_script_uses_eight_code_points(rule):
    data, offsets = buffer(["这是一个没有空格的句子，用来测试。"])
    eight = shingles_many(data, offsets, rule, (8,))[8].hashes & np.uint64(2**32 - 1)
    peer = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32", hashfunc=int)
    peer.update_batch(eight)
    assert (peer.digest() == raw_minhash(data, offsets, rule)[0]).all()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("今天天气很好", 6),
        ("pandas 是一个数据分析库", 14),
        ("ภาษาไทย", 7),
        ("한국어는 띄어쓰기를 한다", 3),
        ("The word 日本 once in an English sentence of some length", 11),
        ("", 0),
    ],
)
def test_fingerprint_words_count_by_script(text, count):
    assert fingerprint_texts([text], TextRule.ONE).words[0] == count


@pytest.mark.parametrize("rule", TextRule)
def test_similarity_known_jaccard_is_estimated_within_its_error(rule):
    base = WORDS[:300]
    edited = base.copy()
    edited[10::50] = ["changed"] * len(edited[10::50])
    texts = [" ".join(w) for w in (base, base, edited, WORDS[300:])]
    signature = fingerprint_texts(texts, rule).signature
    one = signature[[0, 0, 0]]
    sets = [set(reference_shingles(text, 5, rule)) for text in texts]
    exact = len(sets[0] & sets[2]) / len(sets[0] | sets[2])
    got = similarity(one, signature[1:])
    assert got.dtype == np.float32
    assert got[0] == 1
    assert abs(got[1] - exact) < 0.15
    assert got[2] < 0.15


@pytest.mark.parametrize("rule", TextRule)
def test_similarity_one_word_documents_do_not_agree_by_structure(rule):
    signature = fingerprint_texts(WORDS, rule).signature
    assert similarity(signature[:-1], signature[1:]).max() < 0.3


def test_similarity_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="signatures of shape"):
        similarity(np.zeros((2, 64), np.uint8), np.zeros((3, 64), np.uint8))


@pytest.mark.parametrize("rule", TextRule)
def test_estimate_inside_another_kernel_equals_similarity(rule):
    @njit
    def closest(rows):
        best = 0.0
        for i in range(1, rows.shape[0]):
            best = max(best, estimate(rows[0], rows[i]))
        return best

    signature = fingerprint_texts(["a b c d e f g", "a b c d e f h", "x y z"], rule).signature
    assert closest(signature) == pytest.approx(
        similarity(signature[[0, 0]], signature[1:]).max(), abs=1e-6
    )


@pytest.mark.parametrize("rule", TextRule)
def test_keys_many_texts_are_distinct_and_uniform_in_their_top_bits(rule):
    keys = fingerprint_texts([f"{word} stands alone" for word in WORDS], rule).keys
    assert keys.shape == (400, KEYS)
    assert len(np.unique(keys)) == keys.size
    counts = np.bincount((keys >> np.uint64(60)).astype(int).ravel(), minlength=16)
    assert abs(counts - keys.size / 16).max() < 6 * (keys.size / 16) ** 0.5


@pytest.mark.parametrize("rule", TextRule)
def test_shingles_limit_keeps_exactly_the_hashes_below_it(rule):
    data, offsets = buffer([" ".join(WORDS), "", "a b a b a b a b a b"])
    full, some = (
        shingles_of(read_words(data, offsets, rule), 3, limit) for limit in (2**64, 2**62)
    )
    for i in range(3):
        row = full.hashes[full.offsets[i] : full.offsets[i + 1]]
        kept = some.hashes[some.offsets[i] : some.offsets[i + 1]]
        assert (kept == row[row < 2**62]).all()
    assert 60 < some.offsets[1] < 140
    assert full.offsets[3] - full.offsets[2] == 2


@pytest.mark.parametrize("rule", TextRule)
def test_shingles_below_and_subset_equal_computing_them_anew(rule):
    texts = [" ".join(WORDS), "", "a b c d"]
    made = shingles_of(read_words(*buffer(texts), rule), 3)
    fewer = shingles_of(read_words(*buffer(texts), rule), 3, 2**61)
    thinned = shingles.below(made, 2**61)
    assert (thinned.hashes == fewer.hashes).all()
    assert (thinned.offsets == fewer.offsets).all()
    part = shingles.subset(made, np.array([True, False, True]))
    alone = shingles_of(read_words(*buffer(texts[::2]), rule), 3)
    assert (part.hashes == alone.hashes).all()
    assert (part.offsets == alone.offsets).all()


@pytest.mark.parametrize(("length", "limit"), [(0, 2**64), (3, 0), (3, 2**64 + 1)])
def test_shingles_senseless_request_is_refused(length, limit):
    with pytest.raises(ValueError, match="give a length"):
        shingles_of(read_words(*buffer(["a"]), TextRule.ONE), length, limit)


@pytest.mark.parametrize("rule", TextRule)
def test_fingerprint_sliced_arrow_array_equals_its_texts(rule):
    texts = [f"Dokument über “{i}” und mehr {'x ' * i}" for i in range(20)]
    stored, ends = buffer(texts)
    for kind, dtype in ((pa.StringArray, np.int32), (pa.LargeStringArray, np.int64)):
        buffers = (pa.py_buffer(ends.astype(dtype)), pa.py_buffer(stored))
        part = kind.from_buffers(len(texts), *buffers).slice(7, 9)
        _, offsets, data = part.buffers()
        view = np.frombuffer(offsets, dtype)[part.offset : part.offset + len(part) + 1]
        got = fingerprint(np.frombuffer(data, np.uint8), view, rule)
        assert (got.keys == fingerprint_texts(texts[7:16], rule).keys).all()


@pytest.mark.parametrize("rule", TextRule)
def test_fingerprint_no_documents_gives_empty_arrays(rule):
    for offsets in (np.zeros(1, np.int32), np.zeros(0, np.int64)):
        got = fingerprint(np.zeros(0, np.uint8), offsets, rule)
        assert got.keys.shape == (0, KEYS)
        assert got.signature.shape == (0, 64)
        assert got.text_hash.size == got.words.size == 0
        assert shingles_many(np.zeros(0, np.uint8), offsets, rule, (8,))[8].offsets.tolist() == [0]


def test_fingerprint_wordless_documents_are_equal_to_the_empty_text():
    got = fingerprint_texts(["", " \n", "...", "\0", "\u0301\u0301", "“…”"], TextRule.ONE)
    assert len(np.unique(got.text_hash)) == 1
    assert len(np.unique(got.keys[:, 16])) == 1
    assert got.words.tolist() == [0] * 6


@pytest.mark.parametrize("rule", TextRule)
@pytest.mark.parametrize(("size", "offsets"), [(3, [0, 4]), (3, [-1, 2]), (9, [0, 5, 2, 9])])
def test_fingerprint_offsets_outside_the_buffer_are_refused(rule, size, offsets):
    with pytest.raises(ValueError, match="offsets from"):
        fingerprint(np.zeros(size, np.uint8), np.array(offsets), rule)


@pytest.mark.parametrize("rule", TextRule)
@settings(deadline=None)
@given(st.binary(max_size=40))
def test_fingerprint_arbitrary_bytes_equal_their_replaced_text(rule, data):
    view = np.frombuffer(data, np.uint8)
    got = fingerprint(view, np.array([0, len(data)]), rule)
    expected = fingerprint_texts([data.decode("utf-8", "replace")], rule)
    assert (got.keys == expected.keys).all()


@pytest.mark.parametrize("rule", TextRule)
def test_fingerprint_very_long_document_among_short_ones(rule):
    long = "The “long” document goes on. " * 20_000
    got = fingerprint_texts(["a", long, "b", long], rule)
    assert got.words.tolist() == [1, 100_000, 1, 100_000]
    assert (got.keys[1] == got.keys[3]).all()
    data, offsets = buffer([long])
    assert shingles_many(data, offsets, rule, (8,))[8].hashes.size == 5


@pytest.mark.parametrize("row", json.loads(GOLDEN.read_text()), ids=lambda row: row["text"][:12])
def test_fingerprint_golden_text_gives_the_committed_values(row):
    assert golden_row(row["text"], TextRule.ONE) == row
