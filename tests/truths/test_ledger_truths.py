"""Every number of the ledger against an answer known in advance: T1 to T17 of the ledger's design.

Where a row is about counting, texts go through fingerprints, sketches and the history, as in a run;
elsewhere a small simulation meets a closed form. Tolerances are those of the design.
"""

import itertools

import datasketches
import numpy as np
import pytest

from seedcorn.core.companions.order_gap import order_gap
from seedcorn.core.forecast.forecast import GOOD_TOULMIN, forecast
from seedcorn.core.forecast.occupancy import Occupancy
from seedcorn.core.intervals import unique_interval
from seedcorn.core.ledger import verifiers
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, LENGTHS
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import shingles
from seedcorn.core.text.words import NEWEST
from tests.truths import closed_loops
from tests.truths.ledger_sources import (
    delta_of,
    loop,
    new,
    pitman_yor,
    sentences,
    snapshots_agree,
    template_batches,
    within,
    words,
    zipf,
)


def test_t1_fixed_source_new_types_per_generation():
    expected = [4787.4, 3068.0, 2502.1, 2154.6, 1907.0]
    p, n = zipf(50_000), 20_000
    closed = [closed_loops.new_types(p, n * g, n * (g + 1)) for g in range(5)]
    assert closed == pytest.approx(expected, abs=0.05)
    random, history = np.random.default_rng(11), History()
    for generation, mean in enumerate(expected, 1):
        history.add(delta_of(words(random.choice(50_000, n, p=p))), generation)
        for length in LENGTHS:
            assert abs(new(history, generation, length) - mean) < 4 * 50


@pytest.mark.parametrize("accumulate", [False, True])
def test_t2_t3_unigram_loop_never_has_a_new_type_and_never_gains_one(accumulate):
    random, history = np.random.default_rng(22), History()
    before = np.zeros(3000, np.int64)
    types = []
    for generation, pool in enumerate(loop(random, accumulate, 4000, 3000, 6)):
        sample = pool - before if accumulate else pool
        before = pool
        history.add(delta_of(words(np.repeat(np.arange(3000), sample))), generation)
        types.append(int((pool > 0).sum()))
    assert [new(history, generation) for generation in range(1, 7)] == [0] * 6
    assert all(later <= earlier for earlier, later in itertools.pairwise(types))
    assert types[-1] == types[0] if accumulate else types[-1] < types[0]


@pytest.mark.parametrize(
    ("accumulate", "closed"),
    [
        (False, closed_loops.heterozygosity_replaced),
        (True, closed_loops.heterozygosity_accumulated),
    ],
)
def test_t2_t3_unigram_loop_heterozygosity(accumulate, closed):
    random, draws = np.random.default_rng(23), 10
    ratios = [
        [closed_loops.heterozygosity(pool) for pool in loop(random, accumulate, draws, 12, 3)]
        for _ in range(8000)
    ]
    start = float(np.mean([row[0] for row in ratios]))
    for g in (1, 2, 3):
        # Paired differences from generation 0: its own scatter cancels.
        assert within([row[g] - row[0] * closed(1.0, draws, g) for row in ratios], 0.0)
        assert np.mean([row[g] for row in ratios]) == pytest.approx(
            closed(start, draws, g), rel=0.01
        )


def test_t4_gaussian_replaced_variance():
    random, repeats, n = np.random.default_rng(4), 40_000, 20
    mean, deviation = np.zeros(repeats), np.ones(repeats)
    for g in range(1, 21):
        sample = mean[:, None] + deviation[:, None] * random.standard_normal((repeats, n))
        mean, deviation = sample.mean(1), sample.std(1)
        if g in (1, 10, 20):
            assert within(deviation**2, closed_loops.variance_replaced(n, g))


def test_t5_gaussian_accumulated_variance():
    random, repeats, n = np.random.default_rng(5), 40_000, 20
    mean, deviation, total, squares = np.zeros(repeats), np.ones(repeats), 0.0, 0.0
    for g in range(1, 21):
        sample = mean[:, None] + deviation[:, None] * random.standard_normal((repeats, n))
        total, squares = total + sample.sum(1), squares + (sample**2).sum(1)
        mean = total / (n * g)
        deviation = np.sqrt(squares / (n * g) - mean**2)
        if g in (1, 5, 20):
            assert within(deviation**2, closed_loops.variance_accumulated(n, g))
    assert np.mean(deviation**2) > 0.919759 > 0.5 > closed_loops.variance_replaced(n, 20)


@pytest.mark.parametrize("accumulate", [False, True])
def test_t6_regression_on_its_own_labels(accumulate):
    random, repeats, d, rows, noise = np.random.default_rng(6), 1500, 10, 60, 0.5
    fitted = np.zeros((repeats, d))
    gram, moment = np.zeros((repeats, d, d)), np.zeros((repeats, d))
    errors = []
    for _ in range(8):
        x = random.standard_normal((repeats, rows, d))
        y = np.einsum("rtd,rd->rt", x, fitted) + np.sqrt(noise) * random.standard_normal(
            (repeats, rows)
        )
        kept = 1.0 if accumulate else 0.0
        gram = kept * gram + x.swapaxes(1, 2) @ x
        moment = kept * moment + np.einsum("rtd,rt->rd", x, y)
        fitted = np.linalg.solve(gram, moment[..., None])[..., 0]
        errors.append((fitted**2).sum(1))
    for g, error in enumerate(errors, 1):
        if accumulate:
            assert error.mean() < closed_loops.regression_error_bound(noise, d, rows)
        else:
            assert within(error, closed_loops.regression_error_replaced(noise, d, rows, g))


def test_t7_bigram_loop_adds_only_bounded_recombination():
    random, size, n = np.random.default_rng(7), 60, 4000
    seed = random.choice(size, 3000, p=zipf(size))
    # A ring: every word has a successor, so three words can always be drawn.
    ring = np.append(seed, seed[:2])
    start = np.bincount(seed, minlength=size) / len(seed)
    follows = np.zeros((size, size))
    np.add.at(follows, (ring[:-2], ring[1:-1]), 1)
    follows /= np.maximum(follows.sum(1, keepdims=True), 1)
    chances = start[:, None, None] * follows[:, :, None] * follows[None, :, :]
    known = np.zeros((size,) * 3, bool)
    known[ring[:-2], ring[1:-1], ring[2:]] = True

    history, bigrams = History(), set()
    text = " ".join(words(ring))
    history.add(delta_of([text]), 0)
    seen = set(shingles(*pack([text.encode()]), NEWEST, 2).hashes.tolist())
    for g in range(1, 5):
        draws = random.choice(size**3, n, p=chances.ravel())
        texts = [" ".join(words(x)) for x in np.stack(np.unravel_index(draws, chances.shape), 1)]
        history.add(delta_of(texts), g)
        found = shingles(*pack([text.encode() for text in texts]), NEWEST, 2)
        bigrams |= set(found.hashes.tolist())
        mean = closed_loops.new_types(chances.ravel(), n * (g - 1), n * g, known.ravel())
        assert abs(new(history, g, 3) - mean) < 4 * np.sqrt(mean)
    assert bigrams <= seen
    unbounded = closed_loops.new_types(chances.ravel(), 0, 10**9, known.ravel())
    assert sum(new(history, g, 3) for g in range(1, 5)) < unbounded < size**3
    found = [new(history, g, 3) for g in range(1, 5)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("seed", [8, 80, 800])
def test_t8_template_saturates_and_the_stop_rule_sees_it(seed):
    instances, size, least = 20_000, 2000, 600
    run = list(template_batches(np.random.default_rng(seed), instances, size, 16))
    totals = [total for total, _ in run]
    for batch, total in enumerate(totals, 1):
        mean = closed_loops.template_instances(instances, batch * size)
        assert abs(total - mean) < 4 * np.sqrt(mean * (1 - mean / instances))
    assert closed_loops.template_saturation(instances, size, least) == 12
    for ahead in range(3):
        below = [uppers[ahead] < least for _, uppers in run]
        seen = below.index(True) + 1
        # The forecast is of the batch that the decision governs: it looks `ahead` batches further,
        # so it stops that much earlier, and the last batch is the 14th whatever `ahead` is.
        assert seen == 13 - ahead
        assert all(below[seen - 1 :])
        last = seen + 1 + ahead
        assert last == 14


def test_t9_unseen_types_of_a_zipf_source_in_as_many_draws_again():
    p, n, repeats = zipf(50_000), 20_000, 200
    random = np.random.default_rng(9)
    known = delta_of(words(np.arange(50_000)))
    hashes = known.hash[known.rows(HEADLINE)]
    ratios, covered = [], 0
    for _ in range(repeats):
        draws = random.choice(50_000, n, p=p)
        types, first, counts = np.unique(draws, return_index=True, return_counts=True)
        occupancy = Occupancy()
        every = np.ones(len(types), bool)
        occupancy.add(hashes[types], counts.astype(np.uint32), every, first, 1.0)
        found = forecast(occupancy.evidence(n), n)
        truth = len(np.setdiff1d(random.choice(50_000, n, p=p), types))
        assert found.method == GOOD_TOULMIN
        ratios.append(found.estimate / truth)
        covered += found.low <= truth <= found.high
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
    assert np.abs(np.array(ratios) - 1).max() < 0.12
    assert covered >= 0.93 * repeats


def test_t10_pitman_yor_stream_grows_as_heaps_law_says():
    random, at_1000, at_5000 = np.random.default_rng(10), [], []
    for _ in range(60):
        stream, history = pitman_yor(random, 5000, 0.5, 10.0), History()
        history.add(delta_of(words(stream[:1000])), 1)
        at_1000.append(new(history, 1))
        history.add(delta_of(words(stream[1000:])), 1)
        at_5000.append(new(history, 1))
    assert closed_loops.pitman_yor_types(1000, 0.5, 10) == pytest.approx(183.5, abs=0.05)
    assert closed_loops.pitman_yor_types(5000, 0.5, 10) == pytest.approx(433.3, abs=0.05)
    assert within(at_1000, 183.5)
    assert within(at_5000, 433.3)


def test_t12_word_salad_is_all_new_has_no_order_and_nothing_verified():
    random = np.random.default_rng(12)
    vocabulary = np.array(words(np.arange(2000)))
    salad = [" ".join(random.choice(vocabulary, 120)) for _ in range(600)]
    history = History()
    history.add(delta_of(salad[:300]), 0)
    delta = delta_of(salad[300:])
    history.add(delta, 1)
    rows = delta.rows(HEADLINE)
    assert new(history, 1) == rows.stop - rows.start == 300 * 113
    assert abs(order_gap(salad[300:], salad[:300]).estimate) < 0.02
    # A check that verifies rejects noise, and what is rejected counts nowhere.
    rejected = np.zeros(300, bool)
    history.add(delta_of(salad[:300], rejected, rejected), 2)
    assert new(history, 2) == 0


def test_t13_noisy_verifier_unique_true_and_false():
    random, samples, wrong = np.random.default_rng(13), 20_000, 15
    p, correct, right, accepts_wrong = zipf(3000, 1.0), 0.85, 0.95, 0.2
    trues, falses = [], []
    for _ in range(25):
        facts = random.choice(3000, samples, p=p)
        is_right = random.random(samples) < correct
        accepted = random.random(samples) < np.where(is_right, right, accepts_wrong)
        mistakes = random.integers(0, wrong, samples)
        trues.append(len(np.unique(facts[accepted & is_right])))
        kept = accepted & ~is_right
        falses.append(len(np.unique(facts[kept] * wrong + mistakes[kept])))
    assert within(trues, verifiers.unique_true(p, samples, correct, right))
    assert within(falses, verifiers.unique_false(p, samples, correct, accepts_wrong, wrong))
    # Uniqueness amplifies error: the unique part is less true than the accepted samples.
    sample_precision = correct * right / (correct * right + (1 - correct) * accepts_wrong)
    assert np.mean(trues) / (np.mean(trues) + np.mean(falses)) < sample_precision - 0.03


@pytest.mark.parametrize(("noise", "learns"), [(0.7, True), (0.72, True), (0.78, False)])
def test_t14_learner_on_accepted_labels_breaks_at_the_verifier_s_ratio(noise, learns):
    random, questions, labels = np.random.default_rng(14), 300, 4000
    right, wrong = 0.9, 0.3
    assert closed_loops.breaking_noise(right, wrong) == pytest.approx(0.75)
    truth = random.integers(0, 2, questions)
    is_wrong = random.random((questions, labels)) < noise
    accepted = random.random((questions, labels)) < np.where(is_wrong, wrong, right)
    shown = truth[:, None] ^ is_wrong
    majority = (shown * accepted).sum(1) * 2 > accepted.sum(1)
    accuracy = (majority == truth).mean()
    assert accuracy > 0.99 if learns else accuracy < 0.01


def test_t17_union_is_the_first_part_and_what_the_second_adds():
    random = np.random.default_rng(17)
    one, other = sentences(random, 80), sentences(random, 80) + sentences(random, 5, 12)
    other += one[:10]
    both, first, rest = History(), History(), History()
    both.add(delta_of(one + other), 1)
    first.add(delta_of(one), 1)
    rest.add(delta_of(one), 0)
    rest.add(delta_of(other), 1)
    for length in LENGTHS:
        assert new(both, 1, length) == new(first, 1, length) + new(rest, 1, length)
        assert new(rest, 1, length) > 0


def test_t17_permuted_resharded_or_retried_documents_change_nothing():
    random = np.random.default_rng(18)
    seed, texts = sentences(random, 50), sentences(random, 120)
    straight, shuffled, retried = History(), History(), History()
    order = random.permutation(len(texts))
    for history in (straight, shuffled, retried):
        history.add(delta_of(seed), 0)
    straight.add(delta_of(texts), 1)
    for shard in range(7):
        shuffled.add(delta_of([texts[place] for place in order[shard::7]]), 1)
    retried.add(delta_of(texts), 1)
    retried.add(delta_of(texts), 1)
    assert snapshots_agree(straight, shuffled)
    for length in LENGTHS:
        assert new(straight, 1, length) == new(retried, 1, length) > 0


def test_t17_copy_of_the_seed_is_not_unique():
    texts = sentences(np.random.default_rng(19), 60)
    history = History()
    history.add(delta_of(texts), 0)
    history.add(delta_of([f"  {text.upper()}!" for text in reversed(texts)]), 1)
    assert [new(history, 1, length) for length in LENGTHS] == [0, 0, 0]


def test_t17_sampled_agrees_with_exact_in_1000_trials():
    random, covered, inexact = np.random.default_rng(20), 0, 0
    for trial in range(1000):
        rate = float(2.0 ** -random.integers(1, 6))
        size = int(np.exp(random.uniform(np.log(20), np.log(1500))))
        base = trial * 4000
        seed = delta_of(words(np.arange(base, base + 40)))
        grown = delta_of(words(np.arange(base + 20, base + size)))
        exact, sampled = History(), History(rate=rate)
        for history in (exact, sampled):
            history.add(seed, 0)
            history.add(grown, 1)
        truth = new(exact, 1)
        assert truth == max(0, size - 40)
        found = unique_interval(new(sampled, 1), rate)
        covered += found.low <= truth <= found.high
        inexact += not found.exact
    assert covered >= 930
    assert inexact > 900


@pytest.mark.parametrize(("old", "fresh"), [(60_000, 6_000), (20_000, 40_000)])
def test_distinct_counts_agree_with_theta_sketches(old, fresh):
    numbers = np.arange(old + fresh)
    seed = delta_of(words(numbers[:old]))
    grown = delta_of(words(numbers[old // 2 :]))
    history = History(rate=1 / 8)
    history.add(seed, 0)
    history.add(grown, 1)
    ours = unique_interval(new(history, 1), history.rate)
    sketches = []
    for delta in (grown, seed):
        sketch = datasketches.update_theta_sketch(14)
        for value in delta.hash[delta.rows(HEADLINE)].astype(np.int64).tolist():
            sketch.update(value)
        sketches.append(sketch)
    theirs = datasketches.theta_a_not_b().compute(*sketches)
    assert theirs.get_lower_bound(3) <= fresh <= theirs.get_upper_bound(3)
    assert ours.low <= fresh <= ours.high
    assert ours.low <= theirs.get_upper_bound(3)
    assert theirs.get_lower_bound(3) <= ours.high
