"""The companions as one object: its shape, its nulls, and that it repeats."""

import numpy as np
import pytest

from seedcorn.core.companions.companions import Subset, by_content, companions, histogram
from seedcorn.core.companions.diversity import form, vendi
from seedcorn.core.companions.order_gap import order_gap
from seedcorn.core.identity import canonical_json
from seedcorn.core.text.words import NEWEST
from tests.bench.real_text import parts

INTERVAL = {"estimate", "low", "high"}


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str], list[str]]:
    history, new, anchor = parts("topics", 50, 50, 30)
    return history, new, anchor


@pytest.mark.statistics
def test_companions_have_the_shape_of_the_ledger_document(texts):
    history, new, anchor = texts

    found = companions(Subset(new, (), history, 800), anchor)

    assert set(found) == {
        "documents",
        "novel_share",
        "novel_bits",
        "order_gap",
        "anchor_gain",
        "compression_ratio",
        "openings",
        "vendi",
    }
    assert found["documents"] == sum(found["novel_share"]["histogram"]) == 50
    intervals = [found[name] for name in ("novel_bits", "order_gap", "anchor_gain")]
    for interval in [*intervals, found["novel_share"]["mean"]]:
        assert set(interval) == INTERVAL
        assert interval["low"] < interval["estimate"] < interval["high"]
    assert found["order_gap"] == pytest.approx(order_gap(new, history)._asdict())
    assert found["vendi"] == pytest.approx(vendi(by_content(new, 2000), NEWEST))
    assert {name: found[name] for name in ("compression_ratio", "openings")} == pytest.approx(
        form(by_content(new, 64), NEWEST)
    )
    assert canonical_json(found) == canonical_json(
        companions(Subset(new, (), history, 800), anchor)
    )


@pytest.mark.statistics
def test_companions_tell_a_generation_of_copies_from_new_text(texts):
    history, new, anchor = texts

    copied = companions(Subset(history, (), history, 50), anchor)
    fresh = companions(Subset(new, (), history, 50), anchor)

    assert copied["novel_share"]["mean"]["high"] < 0.1
    assert fresh["novel_share"]["mean"]["low"] > 0.7
    assert copied["novel_bits"]["estimate"] < 0.1 * fresh["novel_bits"]["estimate"]
    assert copied["anchor_gain"]["high"] < 1e-9 < 0.01 < fresh["anchor_gain"]["low"]


@pytest.mark.statistics
def test_companions_use_the_parents_that_come_with_a_sample(texts):
    history, new, _ = texts
    rewritten = ["It is said that " + text for text in new[:20]]
    parents = [[text] for text in new[:20]]

    without = companions(Subset(rewritten, (), history, 20))
    knowing = companions(Subset(rewritten, parents, history, 20))

    assert knowing["novel_share"]["mean"]["estimate"] < 0.1
    assert without["novel_share"]["mean"]["estimate"] > 0.6


@pytest.mark.parametrize("anchor", [[], ["one document"], ["twice", "twice"], ["one", " "]])
def test_anchor_gain_is_null_without_an_anchor_to_halve(texts, anchor):
    history, new, _ = texts

    found = companions(Subset(new[:5], (), history[:5], 5), anchor)

    assert found["anchor_gain"] is None
    assert found["novel_bits"]["low"] == found["novel_bits"]["high"]


def test_companions_of_a_single_document_and_no_history_are_finite(texts):
    found = companions(Subset(texts[1][:1], (), (), 7))

    assert found["documents"] == 1
    assert found["novel_share"]["mean"]["estimate"] == 1
    canonical_json(found)


@pytest.mark.parametrize("documents", [[], ["", " \n"]])
def test_companions_of_no_text_are_refused(documents):
    with pytest.raises(ValueError, match="companions of no text"):
        companions(Subset(documents, (), (), 5))


def test_histogram_has_twenty_bins_and_the_last_is_open():
    shares = np.array([0.0, 0.049, 0.05, 0.72, 0.95, 1.0, 1.7])

    counts = histogram(shares)

    assert len(counts) == 20
    assert {i: c for i, c in enumerate(counts) if c} == {0: 2, 1: 1, 14: 1, 19: 3}
