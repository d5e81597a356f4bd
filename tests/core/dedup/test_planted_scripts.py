"""Copies and near copies planted in twenty scripts and five programming languages, and what the
line finds of them under the newest text rule."""

import itertools

import numpy as np
import pytest

from seedcorn.core.dedup.dedup import resolve
from seedcorn.core.text.fingerprint import fingerprint_texts, similarity
from seedcorn.core.text.words import NEWEST
from seedcorn.core.verify.recheck import miss_rate, recheck
from tests.texts.planted import CODE, DOCUMENTS, SUBJECTS, planted, spaced_out
from tests.texts.scripts import SCRIPTS

THRESHOLD = 0.7


def decided(texts):
    """The line's verdicts on one batch."""
    prints = fingerprint_texts(texts, NEWEST)
    nothing = (np.empty(0, np.int64), np.empty((0, 64), np.uint8))
    return resolve(
        prints.keys, prints.signature, np.full(prints.keys.shape, -1), nothing, 0, THRESHOLD
    )


@pytest.mark.parametrize("subject", SUBJECTS)
def test_planted_copies_and_copies_in_other_spaces_are_all_exact(subject):
    documents, _ = planted(subject, 1)
    verdicts = decided([*documents, *documents, *map(spaced_out, documents)])
    kept = np.flatnonzero(verdicts.kept)
    assert kept.tolist() == [*range(DOCUMENTS)]
    assert verdicts.exact[DOCUMENTS:].all()
    assert (verdicts.witness[DOCUMENTS:] == [*kept, *kept]).all()


@pytest.mark.statistics
def test_planted_near_copies_are_missed_at_the_stated_rate_in_every_subject():
    texts = []
    for subject, seed in itertools.product(SUBJECTS, range(4)):
        for pair in zip(*planted(subject, seed), strict=True):
            texts += pair
    prints, found = fingerprint_texts(texts, NEWEST), recheck(texts, NEWEST)
    pairs = found.pairs[(found.pairs[:, 0] % 2 == 0) & (found.pairs[:, 1] == found.pairs[:, 0] + 1)]
    alike = dict(zip(map(tuple, found.pairs.tolist()), found.jaccard.tolist(), strict=True))
    jaccard = np.array([alike[tuple(pair)] for pair in pairs.tolist()])
    left, right = pairs[:, 0], pairs[:, 1]
    meet = np.any(prints.keys[left, :16] == prints.keys[right, :16], axis=1)
    missed = ~(
        meet & (similarity(prints.signature[left], prints.signature[right]) >= np.float32(0.7))
    )
    grid = np.linspace(0.5, 1, 100)
    stated = np.interp(jaccard, grid, [miss_rate(point, THRESHOLD) for point in grid])
    for low, high in itertools.pairwise((0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.01)):
        bucket = (jaccard >= low) & (jaccard < high)
        expected = stated[bucket].sum()
        spread = np.sqrt((stated[bucket] * (1 - stated[bucket])).sum())
        assert bucket.sum() > 40
        assert abs(missed[bucket].sum() - expected) <= 4 * spread + 1
    of_subject = left // (2 * 4 * DOCUMENTS)
    assert len(set(of_subject.tolist())) == len(SUBJECTS)
    close = jaccard >= 0.88
    assert set(of_subject[close].tolist()) == set(range(len(SUBJECTS)))
    assert not missed[close].any()


@pytest.mark.parametrize("script", SCRIPTS)
def test_minimal_pairs_are_kept_apart_as_answers_and_never_exact_in_documents(script):
    one, other = SCRIPTS[script].pair
    assert decided([one, other]).kept.all()
    assert decided([f"1: {one}", f"1: {other}", f"2: {one}", f"2: {other}"]).kept.all()
    long = [f"{SCRIPTS[script].text} {word} {SCRIPTS[script].text}" for word in (one, other)]
    assert not decided(long).exact.any()


@pytest.mark.parametrize("language", CODE)
def test_lines_of_code_that_differ_in_an_operator_are_kept_apart_and_never_exact(language):
    line = CODE[language][0].format(a="total", b="rows", c="rest", n=7)
    changed = [line.replace(sign, "%", 1) for sign in "+*<-&" if sign in line]
    assert changed
    assert decided([line, *changed]).kept.all()
    document = "\n".join(CODE[language] * 9)
    assert not decided(
        [document + "\n" + line, *(document + "\n" + one for one in changed)]
    ).exact.any()
