"""The companions as one object: its shape, its nulls and their reasons, and that it repeats."""

from dataclasses import replace

import numpy as np
import pytest

from seedcorn.core.companions.companions import (
    Subset,
    by_content,
    histogram,
)
from seedcorn.core.companions.diversity import form
from seedcorn.core.companions.order_gap import order_gap
from seedcorn.core.identity import canonical_json
from seedcorn.core.text.words import NEWEST
from tests.bench.ledger_fakes import template
from tests.bench.real_text import parts
from tests.corpora.histories import companions_of

INTERVAL = {"estimate", "low", "high"}
KNOWN_BY_THE_PASS = {
    "novel_share",
    "outside_share",
    "outside_short_share",
    "unexplained",
    "novel_bits",
}


def measured(documents, history, placebos=None, population=None, missing=()):
    """A generation of these documents on this history; `missing`: what the pass did not reach."""
    n = len(documents)
    placebos = history[:20] if placebos is None else placebos
    sample = Subset(documents, range(n), 0, population or n, placebos)
    return companions_of(sample, history, missing=missing)


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str]]:
    history, new = parts("topics", 80, 60)
    return history, new


def test_companions_have_the_shape_of_the_ledger_document(texts):
    history, new = texts

    found = measured(new, history, population=800)

    assert set(found) == {
        *("edition", "documents", "history_documents", "history_words"),
        *KNOWN_BY_THE_PASS,
        *("placebo", "order_gap", "alarms", "withheld"),
        *("compression_ratio", "openings", "repetition", "diversity"),
    }
    assert (found["edition"], found["history_documents"]) == (2, 80)
    assert found["documents"] == sum(found["novel_share"]["histogram"]) == 60
    intervals = [found[name] for name in KNOWN_BY_THE_PASS - {"novel_share"}]
    for interval in [*intervals, found["novel_share"]["mean"]]:
        assert set(interval) == INTERVAL
        assert interval["low"] < interval["estimate"] < interval["high"]
    assert found["placebo"] == {
        "documents": 20,
        "novel_share": pytest.approx(0.02, abs=0.02),
        "anchor_gain": None,
    }
    assert {name: found[name] for name in form(new, NEWEST)} == pytest.approx(
        form(by_content(new, 64), NEWEST)
    )
    assert canonical_json(found) == canonical_json(measured(new, history, population=800))


def test_companions_tell_a_generation_of_copies_from_new_text(texts):
    history, new = texts

    copied, fresh = measured(history[:60], history), measured(new, history)

    assert copied["novel_share"]["mean"]["high"] < 0.06
    assert fresh["novel_share"]["mean"]["low"] > 0.7
    assert copied["novel_bits"]["estimate"] < 0.1 * fresh["novel_bits"]["estimate"]
    assert copied["outside_share"]["estimate"] == 0 < 0.8 < fresh["outside_share"]["low"]
    assert fresh["unexplained"]["low"] > 0.7
    assert copied["unexplained"]["estimate"] == 0


def test_figures_are_withheld_where_the_placebos_do_not_find_themselves(texts):
    history, new = texts

    found = measured(new, history, missing=history[:10])

    assert {key for key in KNOWN_BY_THE_PASS if found[key] is None} == KNOWN_BY_THE_PASS
    assert set(found["withheld"]) >= KNOWN_BY_THE_PASS
    assert "20 documents of history" in found["withheld"]["novel_share"]
    assert found["placebo"]["novel_share"] > 0.3
    assert found["diversity"] > 0.5


def test_placebos_of_short_texts_are_held_to_what_zstd_can_say_of_them(texts):
    short = [" ".join(text.split()[:12]) for text in [*texts[0], *texts[1]]]

    found = measured(short[80:], short[:80])

    assert found["placebo"]["novel_share"] > 0.06
    assert found["novel_share"] is not None
    lost = measured(short[80:], short[:80], missing=short[:10])
    assert lost["novel_share"] is None


def test_order_gap_is_unknown_for_less_than_200_kilobytes_and_measured_from_there_on(texts):
    history, new = texts
    long = ["\n".join(new[(i + k) % 60] for k in range(4)) for i in range(60)]

    few, many = measured(new, history), measured(long, history)

    assert few["order_gap"] is None
    assert "200 kB" in few["withheld"]["order_gap"]
    assert many["order_gap"] == pytest.approx(order_gap(long, history)._asdict())
    assert "order_gap" not in many["withheld"]


def test_companions_carry_the_alarms_of_form(texts):
    history, new = texts

    assert measured(new, history)["alarms"] == []
    alarms = measured(template(history)[:60], history)["alarms"]
    assert "diversity" in {alarm["name"] for alarm in alarms}


def test_companions_of_a_single_document_and_no_history_are_finite(texts):
    found = measured(texts[1][:1], [], population=7)

    assert found["documents"] == 1
    assert found["placebo"] is None
    assert found["novel_share"]["mean"]["estimate"] == 1
    canonical_json(found)


@pytest.mark.parametrize("documents", [[], ["", " \n"]])
def test_companions_of_no_text_are_refused(documents):
    with pytest.raises(ValueError, match="companions of no text"):
        measured(documents, [])


def test_placebos_see_all_of_history_and_nothing_of_the_generation(texts):
    history, new = texts
    sample = Subset(new[:1], [4], 3, 1, history[:1])
    index = sample.index()

    assert index.position.tolist() == [4, 3]
    assert index.since.tolist() == [3, 3]
    assert replace(sample, placebos=()).index().position.tolist() == [4]


def test_histogram_has_twenty_bins_and_the_last_is_open():
    shares = np.array([0.0, 0.049, 0.05, 0.72, 0.95, 1.0, 1.7])

    counts = histogram(shares)

    assert len(counts) == 20
    assert {i: c for i, c in enumerate(counts) if c} == {0: 2, 1: 1, 14: 1, 19: 3}
