"""The independent look: it finds what is there, and the line's miss rate is the one stated."""

import itertools

import numpy as np
import pytest

from seedcorn.core.dedup.dedup import resolve
from seedcorn.core.text.fingerprint import fingerprint_texts, similarity
from seedcorn.core.text.words import NEWEST, TextRule
from seedcorn.core.verify.reading import read
from seedcorn.core.verify.recheck import EDGES, FLOOR, miss_rate, recheck

MISS_RATE = (0.9983, 0.8623, 0.4046, 0.1279, 0.0242, 0.0018, 2.0e-5, 1.8e-9)
"""Share of the pairs of each bucket, spread evenly over it, that the line misses at threshold .7."""

VOCABULARY = np.array([f"w{number}" for number in range(3000)])


def edited_pairs(seed: int, pairs: int, most: int, words: int = 200) -> list[str]:
    """Texts 2i and 2i + 1 differ by up to `most` replaced words; others share nothing."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(pairs):
        text = rng.choice(VOCABULARY, words)
        copy = text.copy()
        edits = rng.integers(1, most + 1)
        copy[rng.integers(0, words, edits)] = rng.choice(VOCABULARY, edits)
        texts += [" ".join(text), " ".join(copy)]
    return texts


def shingle_set(text: str) -> set[tuple[str, ...]]:
    words, length, _ = read(text, NEWEST)
    last = max(1, len(words) - length + 1)
    return {tuple(words[start : start + length]) for start in range(last)}


def true_jaccard(one: set, other: set) -> float:
    return len(one & other) / len(one | other)


def test_recheck_small_collection_finds_every_near_pair_with_its_exact_jaccard():
    texts = edited_pairs(1, 60, 16)
    texts.append(texts[0] + " and three more words")
    sets = [shingle_set(text) for text in texts]
    truth = {
        (i, j): jaccard
        for i, j in itertools.combinations(range(len(texts)), 2)
        if FLOOR <= (jaccard := true_jaccard(sets[i], sets[j])) < 1
    }

    found = recheck(iter(texts), NEWEST)

    got = dict(zip(map(tuple, found.pairs.tolist()), found.jaccard.tolist(), strict=True))
    missing = truth.keys() - got.keys()
    assert all(truth[pair] < 0.6 for pair in missing)
    assert got == {pair: truth[pair] for pair in truth.keys() - missing}
    assert found.counts().sum() == len(got) > 30
    assert found.documents == 121


def test_recheck_same_words_in_other_clothes_are_exact_pairs():
    texts = ["One two, three!", "unlike", "ONE TWO THREE", "", "one  two\nthree", "?!", "three two"]

    found = recheck(texts, TextRule.ONE)

    assert found.exact.tolist() == [[0, 2], [0, 4], [3, 5]]
    assert found.pairs.tolist() == []


def test_recheck_of_another_case_or_sign_is_near_and_of_other_spaces_exact():
    texts = [
        "One two, three!",
        "unlike",
        "ONE TWO THREE",
        "",
        " One\u00a0two,\nthree! ",
        "?!",
        "...",
    ]

    found = recheck(texts, NEWEST)

    assert found.exact.tolist() == [[0, 4]]
    assert found.pairs.tolist() == [[0, 2]]
    assert found.jaccard.tolist() == [1.0]


def test_recheck_script_without_spaces_is_compared_by_code_points():
    sentence = "水车磨坊的主人每年都把最好的谷粒留在干燥的阁楼里等待来年春天再次播种"
    texts = [sentence, sentence[:-1] + "植", "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏"]

    found = recheck(texts, NEWEST)

    assert found.pairs.tolist() == [[0, 1]]
    assert found.jaccard[0] == pytest.approx(true_jaccard(*map(shingle_set, texts[:2])))
    assert 0.9 < found.jaccard[0] < 1


@pytest.mark.parametrize("texts", [[], ["alone"], ["", ""]])
def test_recheck_tiny_collections_are_no_special_case(texts):
    found = recheck(texts, NEWEST)

    assert found.documents == len(texts)
    assert found.counts().tolist() == [0] * len(MISS_RATE)


def test_recheck_collapsed_corpus_is_bounded_and_says_so_but_finds_the_copy():
    rng = np.random.default_rng(5)
    opener = " ".join(rng.choice(VOCABULARY, 150))
    texts = [f"{opener} {' '.join(rng.choice(VOCABULARY, 100))}" for _ in range(400)]
    texts[390] = texts[7] + " again"

    found = recheck(texts, NEWEST)

    assert found.passed_over > 0
    assert found.candidates <= 400 * 48 * 64
    assert [7, 390] in found.pairs[found.jaccard > 0.9].tolist()


def test_miss_rate_table_is_the_formula_averaged_over_each_bucket():
    for low, high, rate in zip(EDGES[:-1], EDGES[1:], MISS_RATE, strict=True):
        points = low + (high - low) * (np.arange(20) + 0.5) / 20
        assert rate == pytest.approx(np.mean([miss_rate(point) for point in points]), rel=0.03)


def test_miss_rate_of_real_fingerprints_is_the_stated_one():
    texts = edited_pairs(2, 800, 15, words=160)
    prints, found = fingerprint_texts(texts, NEWEST), recheck(texts, NEWEST)
    jaccard, pairs = found.jaccard[found.jaccard >= 0.55], found.pairs[found.jaccard >= 0.55]
    left, right = pairs[:, 0], pairs[:, 1]
    meet = np.any(prints.keys[left, :16] == prints.keys[right, :16], axis=1)
    alike = similarity(prints.signature[left], prints.signature[right]) >= np.float32(0.7)
    missed = ~(meet & alike)
    grid = np.linspace(0.55, 1, 80)
    stated = np.interp(jaccard, grid, [miss_rate(point) for point in grid])

    for low, high in itertools.pairwise((0.55, 0.7, 0.75, 0.8, 0.9, 1.0)):
        bucket = (jaccard >= low) & (jaccard < high)
        expected = stated[bucket].sum()
        spread = np.sqrt((stated[bucket] * (1 - stated[bucket])).sum())
        assert bucket.sum() > 40
        assert abs(missed[bucket].sum() - expected) <= 4 * spread + 1


def test_recheck_of_what_the_line_kept_finds_no_exact_pair_and_the_stated_misses():
    texts = edited_pairs(3, 500, 8)
    texts += [f" {text}\n" for text in texts[:300]]
    prints = fingerprint_texts(texts, NEWEST)
    nothing = (np.empty(0, np.int64), np.empty((0, 64), np.uint8))
    unanswered = np.full(prints.keys.shape, -1)
    kept = resolve(prints.keys, prints.signature, unanswered, nothing, 0, 0.7).kept

    everything = recheck(texts, NEWEST)
    pairs, missed = everything.missed(kept)

    assert len(everything.exact) == 300
    assert recheck(itertools.compress(texts, kept), NEWEST).exact.size == 0
    expected = pairs * np.array(MISS_RATE)
    assert pairs.sum() > 400
    assert np.all(missed[2:] <= (expected + 4 * np.sqrt(expected) + 2)[2:])
    assert missed[:2].sum() > 0
