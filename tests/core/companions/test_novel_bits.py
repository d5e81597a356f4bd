"""rho and B_g on text whose novelty is known because it was put together here."""

import math

import numpy as np
import pytest

from seedcorn.core.companions.novel_bits import mean_interval, novel_bits, shares, size
from tests.bench.real_text import parts


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str]]:
    history, new = parts("topics", 60, 30)
    return history, new


def test_shares_of_copies_are_small_of_new_text_near_one_and_of_half_copies_between(texts):
    history, new = texts
    half = [a[: len(a) // 2] + b[len(b) // 2 :] for a, b in zip(history[:30], new, strict=True)]

    copied, fresh = shares(history, history), shares(new, history)
    mixed = shares(half, history)

    assert copied.max() < 0.1
    assert copied.mean() < 0.03
    assert 0.8 < fresh.mean() < 1.0
    assert fresh.mean() / 2 - 0.1 < mixed.mean() < fresh.mean() / 2 + 0.1


def test_shares_see_a_parent_that_the_history_sample_has_not(texts):
    history, new = texts
    child = "In short: " + new[0]

    assert shares([child], history)[0] > 0.7
    assert shares([child], history, [[new[0]]])[0] < 0.1


def test_shares_of_a_repeat_within_the_generation_fall_from_the_second_on(texts):
    history, new = texts

    rho = shares([new[0], new[1], new[0]], history)

    assert rho[2] < 0.1
    assert rho[0] > 0.5
    assert np.array_equal(rho[:2], shares(new[:2], history))


def test_shares_of_a_generation_from_one_template_are_small_even_where_history_is_far(texts):
    history, new = texts
    words = new[1].split()
    filled = [
        " ".join(words[k * i % len(words)] if i % 9 == 0 else w for i, w in enumerate(words))
        for k in range(2, 30)
    ]

    assert shares(filled, history)[1:].mean() < 0.4


def test_shares_of_a_copied_book_chapter_are_small(texts):
    history, new = texts
    book = "\n\n".join(history)
    assert len(book) > 4 * 16_384

    rho = shares(["\n\n".join(history[20:40]), "\n\n".join(new[:20])], [book, *new[25:]])

    assert rho[0] < 0.1
    assert rho[1] > 0.7


def test_shares_with_little_or_no_history_are_defined(texts):
    _, new = texts

    assert shares([new[0]], []).tolist() == [1.0]
    assert shares([new[0]], [new[0]])[0] < 0.05
    assert shares(["", new[0]], new[1:3])[0] == 0
    assert shares([], new).shape == (0,)


def test_shares_refuse_candidates_for_another_number_of_documents(texts):
    with pytest.raises(ValueError, match="2 lists of own candidates for 1 documents"):
        shares(["a"], [], [[], []])


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
