"""Alarms: jumps are flagged, chance is not, and no stratum hides behind another."""

import numpy as np
import pytest

from seedcorn.core.ledger.alarms import Alarm, AlarmWatch, form_of, spaced
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.text.words import NEWEST


def batch(number, **strata):
    """Per stratum (accepted, duplicate, dropped) and, where given, its form."""
    counts, forms = {}, {}
    for name, ((accepted, duplicate, dropped), form) in strata.items():
        counts[name] = {"accepted": accepted, "duplicate": duplicate, "rejected": dropped}
        if form:
            forms[name] = form
    return BatchCommitted(
        generation=1,
        batch=number,
        first_unit=0,
        last_unit=0,
        first_index=0,
        last_index=0,
        ordinal=0,
        counts={},
        reasons={},
        strata=counts,
        tokens={},
        data=[],
        dropped=[],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
        form=forms,
    )


def opened(share, texts=64, **more):
    return {"openings": share, "opened": float(texts), **more}


def raised(*batches):
    """(batch, stratum, name) of everything raised by batches of one stratum or more."""
    watch = AlarmWatch()
    for number, strata in enumerate(batches):
        watch.apply(batch(number, **strata))
    return [(alarm.batch, alarm.stratum, alarm.name) for alarm in watch.alarms]


def one(counts=(64, 0, 0), form=None):
    return {"a": (counts, form)}


def test_form_of_counts_openings_absorbed_and_compression():
    same = [f"Once upon a time there was a little fox number {n}" for n in range(12)]
    other = [f"{n} apples are what {n} people in house {n} would eat" for n in range(8)]
    form = form_of(same + other, verified=40, absorbed=7, rule=NEWEST)

    assert (form["verified"], form["absorbed"], form["opened"]) == (40, 7, 20)
    assert form["openings"] == 12 / 20
    assert form["compression_ratio"] > 1
    assert "compression_ratio" not in form_of(same, 12, 0, NEWEST)


def test_form_of_looks_at_sixteen_texts_of_six_hundred_characters_whatever_it_is_given():
    texts = [f"{chr(97 + n)}" * 600 for n in range(16)]

    assert form_of([t + "tail" * 99 for t in texts], 16, 0, NEWEST) == form_of(texts, 16, 0, NEWEST)
    many = [text for text in texts for _ in range(4)]
    assert (
        form_of(many, 64, 0, NEWEST)["compression_ratio"]
        == (form_of(texts, 16, 0, NEWEST)["compression_ratio"])
    )


def test_openings_that_become_alike_in_one_stratum_are_flagged_there_alone():
    calm = {"a": ((64, 0, 0), opened(0.05)), "b": ((640, 0, 0), opened(0.05))}
    bad = {"a": ((64, 0, 0), opened(0.9)), "b": ((640, 0, 0), opened(0.05))}

    assert raised(calm, calm, bad) == [(2, "a", "openings")]


def test_alarm_says_its_figures_in_a_sentence():
    watch = AlarmWatch()
    watch.apply(batch(0, **one((50, 14, 0))))
    [found] = watch.apply(batch(1, **one((4, 60, 0))))

    text = "94% of the verified samples are duplicates, 22% before"
    assert found == Alarm(1, "a", "duplicates", 60 / 64, 14 / 64, text)


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        # Small numbers: all against none, where half and half is as likely.
        ((4, 0, 0), (0, 4, 0), []),
        ((4, 0, 0), (0, 0, 4), []),
        ((12, 0, 0), (0, 12, 0), ["duplicates"]),
        ((80, 20, 0), (52, 48, 0), []),
        ((80, 20, 0), (30, 70, 0), ["duplicates"]),
        ((800, 0, 200), (350, 0, 650), ["drops"]),
        ((8, 0, 2), (4, 0, 6), []),
    ],
)
def test_share_must_exceed_the_usual_one_beyond_both_intervals(before, now, names):
    assert [name for _, _, name in raised(one(before), one(now))] == names


@pytest.mark.parametrize(
    ("counts", "form", "names"),
    [
        ((30, 70, 0), None, ["duplicates"]),
        ((45, 55, 0), None, []),
        ((0, 0, 100), None, []),
        ((64, 0, 0), opened(0.8), ["openings"]),
        ((64, 0, 0), opened(0.55), []),
        ((3, 0, 0), opened(1.0, 3), []),
    ],
)
def test_first_batch_is_flagged_where_surely_more_than_half_is_alike(counts, form, names):
    assert [name for _, _, name in raised(one(counts, form))] == names


def test_openings_of_more_texts_meet_more_of_their_like():
    # 50 openings, equally likely: of 10 texts 17 % meet another, of 64 texts 72 %.
    few = one((10, 0, 0), opened(0.2, 10))

    assert raised(few, few, few, few, one((640, 0, 0), opened(0.72))) == []
    assert raised(few, few, few, few, one((10, 0, 0), opened(1.0, 10))) == [(4, "a", "openings")]
    many = one((640, 0, 0), opened(0.1))
    assert raised(many, many, one((640, 0, 0), opened(0.72))) == [(2, "a", "openings")]


def test_openings_after_single_texts_are_not_compared_with_them():
    lone = one((1, 0, 0), opened(0.0, 1))

    assert raised(lone, lone, lone, one((64, 0, 0), opened(0.4))) == []


def test_duplicates_that_grow_as_a_source_is_used_up_are_no_jump():
    # Instances drawn uniformly, a tenth of them per batch: the forecast's business.
    shares = [1 - np.exp(-n / 10) for n in range(40)]
    batches = [one((round(4096 * (1 - s)), round(4096 * s), 0)) for s in shares]

    assert raised(*batches) == []


def test_drops_that_creep_up_are_flagged_in_the_end():
    shares = [0.02 * n for n in range(40)]
    batches = [one((round(1000 * (1 - s)), 0, round(1000 * s))) for s in shares]

    assert raised(*batches)[0][2] == "drops"


def test_jump_is_not_flagged_for_ever():
    batches = [one((64, 0, 0))] * 4 + [one((0, 64, 0))] * 20

    assert [number for number, _, _ in raised(*batches)] == [4, 5, 6]


def test_compression_ratio_half_as_high_again_is_flagged():
    calm, bad = one(form={"compression_ratio": 2.0}), one(form={"compression_ratio": 3.1})

    assert raised(bad) == []
    assert raised(calm, one(form={"compression_ratio": 3.0})) == []
    assert raised(calm, calm, bad) == [(2, "a", "compression_ratio")]


def test_document_that_absorbs_most_of_a_batch_is_flagged():
    def form(absorbed, verified):
        return {"absorbed": float(absorbed), "verified": float(verified)}

    assert raised(one(form=form(70, 100))) == [(0, "a", "one_document")]
    assert raised(one(form=form(55, 100))) == []
    assert raised(one(form=form(3, 3))) == []
    assert raised(one(form=form(0, 0))) == []


def test_batch_without_a_stratum_changes_nothing_for_it():
    calm, bad = one((90, 10, 0)), one((10, 90, 0))
    other = {"b": ((90, 10, 0), None)}

    assert raised(calm, other, other, bad) == [(3, "a", "duplicates")]
    assert raised(calm, one((0, 0, 0)), bad) == [(2, "a", "duplicates")]


@pytest.mark.parametrize("size", [32, 256, 4096])
def test_honest_runs_raise_no_alarm(size):
    # Of 200 such runs with 20 batches each, on real text, up to one batch in 2000 raised one.
    for seed in range(12):
        random = np.random.default_rng([size, seed])
        duplicate, dropped, alike = random.uniform(0, [0.5, 0.7, 0.4])
        shares = random.dirichlet(np.full(seed % 8 + 1, 2.0))
        watch = AlarmWatch()
        for number in range(12):
            strata = {}
            for name, samples in enumerate(random.multinomial(size, shares)):
                drops = random.binomial(samples, dropped)
                copies = random.binomial(samples - drops, duplicate)
                texts = min(64, samples - drops)
                form = opened(random.binomial(texts, alike) / max(1, texts), texts)
                strata[f"s{name}"] = ((samples - drops - copies, copies, drops), form)
            watch.apply(batch(number, **strata))
        assert watch.alarms == []


def test_spaced_items_are_spread_over_the_whole():
    assert spaced(range(10), 5) == [0, 2, 4, 6, 8]
    assert spaced(range(3), 5) == [0, 1, 2]
    assert len(spaced(range(1000))) == 64
