"""Foreign text folded as a ledger, against plain sets of words."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.measure.foreign import DocumentSet, ForeignLedger, batch_rows, memory_bytes
from seedcorn.core.measure.foreign_batch import Batch, RowBlock
from seedcorn.core.measure.second_reading import HeldOut
from seedcorn.core.recipe import LedgerSpec
from seedcorn.core.sketch.sketch import LENGTHS
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import NEWEST, read_words
from tests.core.teaching import sources as source

UNUSABLE = None


def piece(rows):
    texts = [row or "" for row in rows]
    usable = np.array([row is not UNUSABLE for row in rows], bool)
    problems = {"empty": int((~usable).sum())} if not usable.all() else {}
    words = read_words(*pack([text.encode() for text in texts]), NEWEST)
    return RowBlock(words, usable, problems, lambda row: texts[row])


def measured(seed, generations, cuts=(3,), batch=5, **settings):
    """The whole fold; pieces end after `cuts` rows in turn."""
    held_out = HeldOut(
        *(list(enumerate(settings.pop(name, ()))) for name in ("anchor", "yardstick"))
    )
    ledger = ForeignLedger(LedgerSpec(**{"companions": 0} | settings), held_out)
    sources = [(0, "seed", seed)] if seed else []
    sources += [(n, f"tool {n}", rows) for n, rows in enumerate(generations, 1)]
    for number, name, rows in sources:
        ledger.open(DocumentSet(number, name, len(rows), batch))
        start, turn = 0, 0
        while start < len(rows):
            size = cuts[turn % len(cuts)]
            ledger.add(piece(rows[start : start + size]))
            start, turn = start + size, turn + 1
        ledger.close()
    reading = ledger.second_reading()
    if reading is not None:
        for _, _, rows in sources:
            for start in range(0, len(rows), cuts[0]):
                some = [(text or "").encode() for text in rows[start : start + cuts[0]]]
                reading.look(*pack(some), len(some))
        ledger.measured(reading)
    return ledger


def shingles(rows, length):
    found = set()
    for text in rows:
        if text is not UNUSABLE:
            words = re.findall(r"\w+", text.lower())
            found |= {tuple(words[i : i + length]) for i in range(max(1, len(words) - length + 1))}
    return found


texts = st.lists(
    st.one_of(
        st.none(),
        st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=1, max_size=20).map(
            " ".join
        ),
    ),
    min_size=1,
    max_size=14,
)


@given(texts, st.lists(texts, min_size=1, max_size=3), st.lists(st.integers(1, 13), min_size=1))
@settings(max_examples=8)
def test_ledger_of_foreign_text_is_what_plain_sets_say_however_it_arrives(seed, groups, cuts):
    ledger = measured(seed, groups, cuts).ledger
    for row in ledger.rows():
        rows = groups[row.generation - 1]
        earlier = [*seed, *(text for group in groups[: row.generation - 1] for text in group)]
        for length in LENGTHS:
            expected = len(shingles(rows, length) - shingles(earlier, length))
            assert row.unique[length] == (expected, expected, expected)
        documents = [text for text in rows if text is not UNUSABLE]
        counts = Counter(accepted=len(documents), failed=len(rows) - len(documents))
        assert Counter(row.counts) == counts
        assert row.reasons == ({"failed:empty": counts["failed"]} if counts["failed"] else {})
        words = sum(len(text.split()) for text in documents)
        assert row.tokens == {"accepted": words, "generated": words, "prompt": 0}
        assert (row.status, row.reason, row.unit) == ("finished", "exhausted", "uat")
    assert [row.stratum for row in ledger.strata()] == [f"tool {n + 1}" for n in range(len(groups))]


@given(texts, texts)
@settings(max_examples=8)
def test_ledger_document_does_not_depend_on_pieces(seed, rows):
    assert to_json(measured(seed, [rows], [1]).ledger) == to_json(
        measured(seed, [rows], [9]).ledger
    )


def sentences(rng, count, vocabulary=3000, words=40):
    return [" ".join(f"w{n}" for n in rng.integers(0, vocabulary, words)) for _ in range(count)]


def test_too_many_fingerprints_lower_the_rate_by_decisions_and_intervals_cover():
    rng = np.random.default_rng(1)
    seed, one, two = (sentences(rng, 60) for _ in range(3))
    two[:20] = one[:20]
    exact = measured(seed, [one, two]).ledger
    held = measured(seed, [one, two], fingerprints=1500)
    thin = held.ledger
    assert thin.history.rate < 1
    assert max(thin.history.sizes.values()) <= 1500
    assert held.ledger.history.bytes <= memory_bytes(1500)
    decided = [d["action"] for g in to_json(thin)["generations"] for d in g["decisions"]]
    assert set(decided) == {"sketch_rate"}
    for few, all_ in zip(thin.rows(), exact.rows(), strict=True):
        for length in LENGTHS:
            low, high = few.unique[length].low, few.unique[length].high
            assert low <= all_.unique[length].estimate <= high


def test_batch_larger_than_the_history_thins_itself():
    rng = np.random.default_rng(2)
    batch = Batch(60, 1.0, 500)
    rows = sentences(rng, 60)
    batch.add(piece(rows[:30]), 0, 30, {})
    batch.add(piece(rows[30:]), 0, 30, {})
    delta = batch.delta()
    assert (batch.room, delta.rate) == (0, batch.rate)
    assert batch.rate <= 1 / 4
    sampled = delta.rows(8)
    assert 250 < sampled.stop - sampled.start <= 500
    assert int(delta.hash.max()) < batch.rate * 2**64


@pytest.mark.parametrize(
    ("words", "fingerprints", "rows"),
    [(10, 10**7, 4096), (250, 10**7, 2000), (10**5, 10**7, 16), (250, 10**5, 50), (0, 10**7, 4096)],
)
def test_batch_rows_are_fewer_where_documents_are_long(words, fingerprints, rows):
    assert batch_rows(words, fingerprints) == rows


def test_history_stays_below_its_stated_memory_whatever_is_read():
    rng = np.random.default_rng(7)
    ledger = ForeignLedger(LedgerSpec(2000, 0))
    for number in (1, 2, 3):
        rows = sentences(rng, 100, words=300)
        ledger.open(DocumentSet(number, "tool", 100, batch_rows(300, 2000)))
        for start in range(0, 100, 10):
            ledger.add(piece(rows[start : start + 10]))
            assert ledger.ledger.history.bytes <= memory_bytes(2000)
        ledger.close()
    assert ledger.ledger.history.rate >= 2000 / (300 * 300) / 8


def test_curve_and_forecasts_of_a_generation_are_those_of_a_grown_one():
    rng = np.random.default_rng(3)
    [row] = to_json(measured([], [sentences(rng, 40)]).ledger)["generations"]
    assert [tick["samples"] for tick in row["curve"]] == list(range(5, 41, 5))
    unique = [tick["unique"]["estimate"] for tick in row["curve"]]
    assert unique == sorted(unique)
    assert unique[-1] == row["unique"]["8"]["estimate"]
    assert len(row["forecasts"]) > 3


def test_template_that_takes_over_raises_an_alarm():
    rng = np.random.default_rng(4)
    rows = sentences(rng, 128)
    opening = "once upon a time in a small village there "
    rows[64:] = [opening + text for text in rows[64:]]
    [row] = to_json(measured([], [rows], [50], 64).ledger)["generations"]
    assert [(alarm["batch"], alarm["name"]) for alarm in row["alarms"]] == [(1, "openings")]


def test_companions_tell_a_copy_from_new_text():
    rng = np.random.default_rng(5)
    seed, new = sentences(rng, 30), sentences(rng, 30)
    first, second = measured(seed, [new, list(seed)], companions=20).ledger.rows()
    assert first.companions["documents"] == 20
    assert first.companions["novel_share"]["mean"]["estimate"] > 0.7
    assert second.companions["novel_share"]["mean"]["estimate"] < 0.5
    assert first.companions["anchor_gain"] is None
    assert "ledger.anchor" in first.companions["withheld"]["anchor_gain"]
    assert second.companions["history_documents"] == 60


def test_companions_find_a_copy_of_what_was_not_drawn_and_hold_the_placebos_to_it():
    rng = np.random.default_rng(8)
    seed = sentences(rng, 300)
    copied = [*sentences(rng, 5), *seed[200:240]]
    [row] = measured(seed, [copied], [7], companions=45).ledger.rows()
    assert row.companions["placebo"]["documents"] == 45
    assert row.companions["novel_share"]["histogram"][:6] != [0] * 6
    assert row.companions["outside_share"]["estimate"] == pytest.approx(5 / 45)


def test_new_text_is_worth_as_much_as_the_yardstick_and_a_copy_nothing():
    texts = source.documents(4300, 3)
    seed, new, anchor, yardstick = texts[:2000], texts[2000:3000], texts[3000:3300], texts[3300:]
    held_out = {"anchor": anchor, "yardstick": yardstick}
    new, copy = (
        row.companions
        for row in measured(
            seed, [new, seed[:1000]], [900], companions=50, **held_out
        ).ledger.rows()
    )
    assert set(new["withheld"]) == {"order_gap"}
    assert new["worth"]["low"] < 100 < new["worth"]["high"]
    assert copy["worth"]["low"] < 10 > copy["worth"]["estimate"]
    assert copy["anchor_gain"]["high"] < 0.0005 < new["anchor_gain"]["low"]
    assert new["teaching"]["generation"][-1] == new["anchor_gain"]["estimate"]
    assert new["teaching"]["words"] == sorted(new["teaching"]["words"])
    assert abs(new["placebo"]["anchor_gain"]["estimate"]) < 0.0005


def opened_with_six_rows():
    ledger = ForeignLedger(LedgerSpec(companions=0))
    ledger.open(DocumentSet(1, "tool", 6))
    ledger.add(piece(["some words"] * 4))
    return ledger


def test_source_with_fewer_rows_than_told_is_refused():
    with pytest.raises(ValueError, match="lacks 2 of 6 rows"):
        opened_with_six_rows().close()


def test_source_with_more_rows_than_told_is_refused():
    with pytest.raises(ValueError, match="more than 6 rows"):
        opened_with_six_rows().add(piece(["some words"] * 3))


def test_verdict_on_a_template_names_its_alarm():
    seed = source.documents(200, 1)
    form, slots = seed[0].split(), " ".join(seed[1:90]).split()
    filled = [
        [slots[80 * n + i] if i % 6 == 0 else w for i, w in enumerate(form)] for n in range(80)
    ]
    ledger = measured(seed, [[" ".join(words) for words in filled]], batch=50, companions=80)

    (generation,) = to_json(ledger.ledger)["generations"]

    assert generation["verdict"]["colour"] == "stop"
    assert generation["verdict"]["reason"].startswith("texts compress")
