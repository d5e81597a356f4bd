"""Which staged row counts, what witnesses are called, and what is counted."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.sealing import Ancestry, tags, tally, winners
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sample_id
from seedcorn.core.log.state import Source

HASHES = st.integers(0, 2**64 - 1)


@given(
    hashes=st.lists(st.sets(HASHES, min_size=1, max_size=3), min_size=1, max_size=12),
    first=st.integers(0, 50),
    strangers=st.lists(st.tuples(st.sampled_from([-100, 100]), HASHES), max_size=3),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_winners_any_order_and_duplication_takes_lowest_hash_of_every_index(
    hashes, first, strangers, data
):
    rows = [(first + at, value) for at, values in enumerate(hashes) for value in values]
    again = data.draw(st.lists(st.sampled_from(rows), max_size=5))
    shuffled = data.draw(st.permutations(rows + again + [(first + d, v) for d, v in strangers]))
    index = np.array([i for i, _ in shuffled], np.int64)
    content = np.array([v for _, v in shuffled], np.uint64)

    chosen = winners(index, content, first, first + len(hashes) - 1)

    assert index[chosen].tolist() == list(range(first, first + len(hashes)))
    assert content[chosen].tolist() == [min(values) for values in hashes]


@given(last=st.integers(0, 20), data=st.data())
@settings(max_examples=60, deadline=None)
def test_winners_with_a_missing_index_names_it_and_refuses(last, data):
    present = data.draw(st.sets(st.integers(0, last), max_size=last))
    index = np.array(sorted(present), np.int64)
    missing = sorted(set(range(last + 1)) - present)

    with pytest.raises(CorruptCorpus) as refusal:
        winners(index, np.zeros(len(index), np.uint64), 0, last)

    assert str(missing[:3]) in str(refusal.value)


def source(name: str, role: str, ordinal: int, rows: int) -> Source:
    return Source(role, name, ordinal, rows, {}, 0)


ANCESTRY = Ancestry(
    [source("web", "reference", 0, 4), source("none", "seed", 4, 0), source("books", "seed", 4, 3)],
    {1: "f1", 2: "f2"},
    {},
)


@pytest.mark.parametrize(
    ("ordinal", "expected"),
    [
        (0, ("reference", "web:0")),
        (3, ("reference", "web:3")),
        (4, ("seed", "books:0")),
        (6, ("seed", "books:2")),
    ],
)
def test_source_witness_is_named_by_source_and_row(ordinal, expected):
    label = int(tags(0, np.array([ordinal]))[0])

    assert ANCESTRY.name(ordinal, label, 1) == expected


def test_witness_that_is_held_back_is_told_from_the_rest_of_the_seed():
    ancestry = replace(ANCESTRY, held=frozenset({5}))
    assert ancestry.name(5, 5, 1) == ("heldout", "books:1")
    assert ancestry.name(6, 6, 1) == ("seed", "books:2")


def test_ordinal_of_no_source_is_refused():
    with pytest.raises(CorruptCorpus, match="ordinal 7 belongs to no source"):
        ANCESTRY.name(7, 7, 1)


@given(generation=st.integers(1, 2), now=st.integers(1, 2), index=st.integers(0, 2**48 - 1))
def test_sample_witness_is_named_by_its_id_and_relation(generation, now, index):
    label = int(tags(generation, np.array([index]))[0])

    relation, name = ANCESTRY.name(123, label, now)

    assert relation == ("same" if generation == now else "earlier")
    assert name == sample_id(f"f{generation}", generation, index)


OUTCOMES = st.sampled_from(["accepted", "duplicate", "rejected", "failed"])
ROWS = st.lists(
    st.tuples(
        OUTCOMES, st.sampled_from(["", "exact:seed", "short"]), st.sampled_from("ab"), HASHES
    ),
    max_size=20,
)


@given(rows=ROWS)
def test_tally_counts_every_row_once_by_outcome_reason_and_stratum(rows):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]

    counts, reasons, strata = tally(*columns)

    assert set(counts) == {"accepted", "duplicate", "rejected", "failed"}
    assert sum(counts.values()) == len(rows)
    assert sum(reasons.values()) == sum(1 for row in rows if row[1])
    by_outcome = Counter()
    for row in strata.values():
        by_outcome.update({k: v for k, v in row.items() if k not in ("tokens", "generated")})
    assert {k: v for k, v in counts.items() if v} == dict(by_outcome)
    accepted = sum(tokens for outcome, _, _, tokens in rows if outcome == "accepted")
    assert sum(row["tokens"] for row in strata.values()) == accepted
    assert sum(row["generated"] for row in strata.values()) == sum(row[3] for row in rows)
