"""rho and B_g on text whose novelty is known because it was put together here."""

import math

import numpy as np
import pytest

from seedcorn.core.companions.novel_bits import (
    mean_interval,
    novel_bits,
    ratio_interval,
    shares,
    size,
)
from seedcorn.core.companions.pieces import PIECE
from seedcorn.core.companions.queries import Queries, query_index
from seedcorn.core.text.words import NEWEST
from tests.bench.real_text import parts
from tests.corpora.histories import found_in


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str]]:
    history, new = parts("topics", 60, 30)
    return history, new


def rho_of(documents, history, grown=()):
    """rho of a generation's documents; `grown`: samples of the generations before."""
    index = query_index(Queries(documents, range(len(documents)), [0] * len(documents)), NEWEST)
    return shares(index, found_in(index, history, grown, documents))


def test_shares_of_copies_are_small_of_new_text_near_one_and_of_half_copies_between(texts):
    history, new = texts
    half = [a[: len(a) // 2] + b[len(b) // 2 :] for a, b in zip(history[:30], new, strict=True)]

    copied, fresh = rho_of(history, history), rho_of(new, history)
    mixed = rho_of(half, history)

    assert copied.max() < 0.1
    assert copied.mean() < 0.03
    assert 0.8 < fresh.mean() < 1.0
    assert fresh.mean() / 2 - 0.1 < mixed.mean() < fresh.mean() / 2 + 0.1


def test_shares_of_a_copy_are_small_however_much_history_there_is_beside_its_original(texts):
    history, new = texts
    crowd = [" ".join(text.split()[k:] + text.split()[:k]) for text in history for k in range(40)]

    assert len(crowd) == 2400
    assert rho_of(["In short: " + new[0]], [*crowd[:1200], new[0], *crowd[1200:]])[0] < 0.06


def test_shares_of_a_repeat_within_the_generation_fall_from_the_second_on(texts):
    history, new = texts

    rho = rho_of([new[0], new[1], new[0]], history)

    assert rho[2] < 0.1
    assert rho[0] > 0.5
    assert np.array_equal(rho[:2], rho_of(new[:2], history))


def template(text, fillings):
    words = text.split()
    return [
        " ".join(words[k * i % len(words)] if i % 9 == 0 else w for i, w in enumerate(words))
        for k in fillings
    ]


def test_shares_of_a_generation_from_one_template_are_small_even_where_history_is_far(texts):
    history, new = texts

    assert rho_of(template(new[1], range(2, 30)), history)[1:].mean() < 0.4


def test_shares_of_a_template_stay_small_where_most_of_history_is_that_template(texts):
    history, new = texts
    filled = template(new[1], range(2, 90))

    assert rho_of(filled[:20], history, filled[20:])[1:].mean() < 0.4


def test_shares_of_a_copied_book_chapter_are_small(texts):
    history, new = texts
    book = "\n\n".join(history)
    assert len(book) > 4 * PIECE

    rho = rho_of(["\n\n".join(history[20:40]), "\n\n".join(new[:20])], [book, *new[25:]])

    assert rho[0] < 0.1
    assert rho[1] > 0.7


def test_shares_with_little_or_no_history_are_defined(texts):
    _, new = texts

    assert rho_of([new[0]], []).tolist() == [1.0]
    assert rho_of([new[0]], [new[0]])[0] < 0.05
    assert rho_of(["", new[0]], new[1:3])[0] == 0
    assert rho_of([], new).shape == (0,)


def test_novel_bits_of_all_documents_are_the_plain_sum_and_scale_with_the_population(texts):
    _, new = texts
    rho = np.linspace(0.2, 1.0, len(new))
    expected = sum(r * 8 * size(text, ()) for r, text in zip(rho, new, strict=True))

    whole, tenfold = novel_bits(new, rho, len(new)), novel_bits(new, rho, 10 * len(new))

    assert whole.exact
    assert whole.estimate == pytest.approx(expected)
    assert tenfold.estimate == pytest.approx(10 * expected)
    assert tenfold.low < tenfold.estimate < tenfold.high


def test_size_counts_nothing_for_nothing_and_less_the_more_is_known(texts):
    _, new = texts

    assert size("", ()) == size("", new[:2]) == 0
    assert size(new[0], new[:1]) < 0.1 * size(new[0], ())
    assert size(new[0], ()) < len(new[0].encode())


def test_mean_interval_is_students_with_the_finite_population_correction():
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    sd = math.sqrt(sum((v - 5.5) ** 2 for v in values) / 9)

    half = 2.2621572 * sd / math.sqrt(10)

    endless = mean_interval(values, 10**9)
    assert endless == pytest.approx((5.5, 5.5 - half, 5.5 + half), rel=1e-5)
    twenty = mean_interval(values, 20)
    assert twenty.high - 5.5 == pytest.approx(half * math.sqrt(0.5), rel=1e-5)
    assert mean_interval(values, 10) == (5.5, 5.5, 5.5)


@pytest.mark.parametrize(
    ("n", "quantile"), [(2, 12.706), (3, 4.303), (4, 3.182), (6, 2.571), (31, 2.042)]
)
def test_mean_interval_of_few_values_uses_the_tabulated_quantile(n, quantile):
    values = np.full(n, 100.0)
    values[0] = 101.0

    interval = mean_interval(values, 10**9)

    error = math.sqrt(values.var(ddof=1) / n)
    assert interval.high - interval.estimate == pytest.approx(quantile * error, rel=1e-3)


def test_mean_interval_of_one_value_is_finite_and_of_impossible_samples_refused():
    assert 0 == mean_interval(np.array([3.0]), 9).low < 3.0 < mean_interval(np.array([3.0]), 9).high
    for values, population in (([], 5), ([1.0, 2.0], 1)):
        with pytest.raises(ValueError, match="sample of"):
            mean_interval(np.array(values), population)


def test_ratio_interval_covers_the_ratio_of_the_population_and_is_exact_for_all_of_it():
    draw = np.random.default_rng(4)
    whole = draw.lognormal(0, 0.6, 4000)
    part = whole * draw.beta(2, 3, 4000)
    truth = part.sum() / whole.sum()

    hits = 0
    for _ in range(200):
        some = draw.choice(4000, 300, replace=False)
        found = ratio_interval(part[some], whole[some], 4000)
        hits += found.low <= truth <= found.high

    assert hits >= 180
    assert ratio_interval(part, whole, 4000) == pytest.approx((truth, truth, truth))


def test_ratio_interval_of_nothing_is_unknown_and_of_an_impossible_sample_refused():
    assert ratio_interval(np.zeros(3), np.zeros(3), 9) == (0, 0, 1)
    with pytest.raises(ValueError, match="sample of 3 out of 2"):
        ratio_interval(np.ones(3), np.ones(3), 2)
