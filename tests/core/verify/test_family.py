"""A parent or a witness that leads nowhere is found, however the rows of a seed are named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sample_id
from seedcorn.core.verify.family import NOTHING, Family, HeldBack
from tests.core.verify.test_proofs import OUTCOMES, SOURCE, TERMS, changed, rows_of

NAMED_APART = {"row_names": 2}


def family(rules=None, held=NOTHING):
    known = Family(rules or {}, held)
    known.add_source(SOURCE)
    return known


def rows_named_apart(outcomes):
    """The same rows under the second rule of row names."""
    rows = rows_of(outcomes)
    for place in range(len(outcomes)):
        rows = changed(rows, "parents", place, ["docs:#0"])
        if rows.duplicate_of[place]:
            rows = changed(rows, "duplicate_of", place, "docs:#2")
    return rows


@settings(max_examples=30)
@given(OUTCOMES)
def test_names_of_an_honest_batch_all_lead_somewhere(outcomes):
    resolved = 11 + outcomes.count("duplicate")
    assert family().add(rows_of(outcomes), 5, TERMS) == resolved
    assert family(NAMED_APART).add(rows_named_apart(outcomes), 5, TERMS) == resolved


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("stratum", "unheard of"),
        ("outcome", "candidate"),
        ("reason", ""),
        ("duplicate_of", ""),
        ("duplicate_of", "docs:3"),
        ("duplicate_of", "docs:-1"),
        ("duplicate_of", sample_id("recipe", 1, 0)),
        ("parents", ["docs:0", "gone:1"]),
        ("parents", [sample_id("recipe", 1, 0)]),
    ],
)
def test_lineage_that_leads_nowhere_is_found(column, value):
    rows = rows_of(["accepted", "duplicate"])
    with pytest.raises(CorruptCorpus, match="sample"):
        family().add(changed(rows, column, 1, value), 5, TERMS)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("duplicate_of", "docs:2"),
        ("duplicate_of", "docs:#3"),
        ("duplicate_of", "docs:##2"),
        ("duplicate_of", "gone:#0"),
        ("parents", ["docs:#3"]),
        ("parents", ["gone:#0"]),
    ],
)
def test_row_that_is_not_there_is_found_where_numbers_are_marked(column, value):
    rows = rows_named_apart(["accepted", "duplicate"])
    with pytest.raises(CorruptCorpus, match="sample"):
        family(NAMED_APART).add(changed(rows, column, 1, value), 5, TERMS)


@pytest.mark.parametrize(("row", "reason"), [(2, "near:heldout"), (1, "near:seed")])
def test_witness_of_the_seed_is_called_held_back_where_it_is(row, reason):
    rows = changed(rows_named_apart(["accepted", "duplicate"]), "duplicate_of", 1, f"docs:#{row}")
    held = HeldBack(frozenset({2}))
    assert family(NAMED_APART, held).add(changed(rows, "reason", 1, reason), 5, TERMS) == 3
    other = "near:seed" if reason == "near:heldout" else "near:heldout"
    with pytest.raises(CorruptCorpus, match="no document before it"):
        family(NAMED_APART, held).add(changed(rows, "reason", 1, other), 5, TERMS)


def test_parent_that_is_held_back_is_found():
    rows = rows_named_apart(["accepted", "accepted"])
    held = HeldBack(frozenset({1}), frozenset({"docs:#1"}))
    assert family(NAMED_APART, held).add(rows, 5, TERMS) == 2
    with pytest.raises(CorruptCorpus, match="'docs:#1', which is held back from the seed"):
        family(NAMED_APART, held).add(changed(rows, "parents", 1, ["docs:#1"]), 5, TERMS)


def test_id_of_digits_may_be_any_number_in_a_parents_name():
    rows = changed(rows_named_apart(["accepted"]), "parents", 0, ["docs:99", "docs:##7"])
    assert family(NAMED_APART).add(rows, 5, TERMS) == 2


def test_names_under_a_rule_of_a_newer_version_are_taken_on_trust():
    rows = changed(rows_of(["accepted", "duplicate"]), "duplicate_of", 1, "docs<2>")
    assert family({"row_names": 99}).add(rows, 5, TERMS) == 3


def test_witness_of_the_same_batch_must_come_first():
    rows = changed(rows_of(["accepted", "duplicate", "accepted"]), "reason", 1, "exact:same")
    known = family()
    known.add(changed(rows, "duplicate_of", 1, rows.sample_id[0]), 5, TERMS)
    assert rows.sample_id[2] in known
    assert rows.sample_id[1] not in known
    with pytest.raises(CorruptCorpus, match="no document before it"):
        family().add(changed(rows, "duplicate_of", 1, rows.sample_id[2]), 5, TERMS)


def test_samples_of_an_abandoned_generation_are_kin_within_it_alone():
    known, given_up = family(), replace(TERMS, stands=False)
    first = rows_of(["accepted"] * 4)
    child = replace(rows_of(["accepted"] * 4, 4), parents=[[first.sample_id[0]]] * 4)
    known.add(first, 5, given_up)
    known.add(child, 6, given_up)
    known.end_generation()
    with pytest.raises(CorruptCorpus, match="neither a seed document nor a sample accepted"):
        known.add(child, 8, TERMS)
