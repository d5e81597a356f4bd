"""A batch decided and accounted for: outcomes, witnesses, contamination, sketch and entry."""

import numpy as np
import pytest

from seedcorn.core.dedup.batch import Lost, SealRule, StagedBatch, decide
from seedcorn.core.dedup.decontamination import EvaluationSet
from seedcorn.core.dedup.entry import Written, entry_of, sketch_of
from seedcorn.core.dedup.index import Index
from seedcorn.core.dedup.sealing import Ancestry, SealRequest, tags
from seedcorn.core.dedup.witnesses import Witnesses
from seedcorn.core.identity import sample_id
from seedcorn.core.log.state import Source
from seedcorn.core.scheduling.leasing import Cut
from seedcorn.core.sketch.sketch import LENGTHS
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import fingerprint_texts
from seedcorn.core.text.shingles import Shingles, shingles
from seedcorn.core.text.words import NEWEST, read_words

RECIPE = "f" * 32
CUT = Cut(16, unit=4, batch=2)


def prose(number: int) -> str:
    """A text that shares no shingle with that of another number."""
    return " ".join(f"word{number}x{place}" for place in range(40))


SEED_ROW, ITEM = prose(900), prose(901)


def shingled(texts: list[str], length: int) -> Shingles:
    return shingles(*pack([text.encode() for text in texts]), NEWEST, length)


class OneIndex:
    """The whole index in one part."""

    def __init__(self) -> None:
        self._index, self._witnesses = Index(), Witnesses()
        self.lookup, self.insert = self._index.lookup, self._index.insert
        self.put_witnesses, self.get_witnesses = self._witnesses.put, self._witnesses.get


def seeded() -> OneIndex:
    """An index that holds one seed row."""
    index, prints = OneIndex(), fingerprint_texts([SEED_ROW], NEWEST)
    index.put_witnesses(0, prints.signature, tags(0, np.array([0])))
    index.insert(prints.keys.ravel(), np.zeros(prints.keys.size, np.int64))
    return index


def staged(texts: list[str], rejected: dict[int, str] | None = None, first: int = 0) -> StagedBatch:
    """Rows of two strata in turn; `rejected` names the check that some of them failed."""
    why, count = rejected or {}, len(texts)
    outcomes = ["rejected" if n in why else "candidate" for n in range(count)]
    return StagedBatch(
        index=np.arange(first, first + count),
        outcomes=outcomes,
        reasons=[why.get(n) for n in range(count)],
        details=[None] * count,
        strata=["even" if n % 2 == 0 else "odd" for n in range(count)],
        texts=texts,
        shingles={length: shingled(texts, length) for length in LENGTHS},
        prints=fingerprint_texts([t for n, t in enumerate(texts) if n not in why], NEWEST),
        prompt_tokens=np.full(count, 3, np.int32),
        tokens=np.full(count, 40, np.int32),
        own_tokens=np.full(count, 40, np.int64),
        seconds=[0.5] * count,
        in_flight=[2.0 + n % 2 for n in range(count)],
        lost=Lost(0.25, {"odd": 4.0}, 80, 6),
        words=read_words(*pack([text.encode() for text in texts]), NEWEST),
    )


def request(batch: int = 0, ordinal: int = 1) -> SealRequest:
    return SealRequest.of(1, CUT, batch, ordinal, ["segment"])


ANCESTRY = Ancestry([Source("seed", "lakes", 0, 1, {}, 0)], {1: RECIPE}, {})
RULE = SealRule(0.7, 1.0, ["even", "odd"])


def test_each_drop_names_its_witness_and_what_is_kept_is_the_first_in_plan_order():
    texts = [prose(1), SEED_ROW, prose(2), prose(1)]
    outcomes = decide(staged(texts, first=4), seeded(), ANCESTRY, request(), RULE)

    assert outcomes.columns["outcome"] == ["accepted", "duplicate", "accepted", "duplicate"]
    assert outcomes.columns["reason"] == [None, "exact:seed", None, "exact:same"]
    first = sample_id(RECIPE, 1, 4)
    assert outcomes.columns["duplicate_of"] == [None, "lakes:0", None, first]
    assert outcomes.columns["similarity"] == [None, 1.0, None, 1.0]
    assert outcomes.accepted.tolist() == [True, False, True, False]
    assert outcomes.passed.all()


def test_near_duplicate_says_how_similar_it_is_and_a_threshold_of_one_keeps_it():
    near = [prose(1), prose(1) + " and two"]
    outcomes = decide(staged(near), seeded(), ANCESTRY, request(), RULE)
    assert outcomes.columns["reason"] == [None, "near:same"]
    assert 0.7 <= outcomes.columns["similarity"][1] < 1

    strict = SealRule(1.0, 1.0, ["even", "odd"])
    assert decide(staged(near), seeded(), ANCESTRY, request(), strict).accepted.all()


def test_contaminated_text_is_rejected_and_leaves_no_trace_in_the_index():
    hashes = {length: np.unique(shingled([ITEM], length).hashes) for length in (8, 13)}
    rule = SealRule(0.7, 1.0, ["even", "odd"], evaluations=[EvaluationSet("exam", hashes)])
    index = seeded()
    outcomes = decide(staged([ITEM, prose(1)]), index, ANCESTRY, request(), rule)

    assert outcomes.columns["outcome"] == ["rejected", "accepted"]
    assert outcomes.columns["reason"] == ["contaminated", None]
    assert str(outcomes.columns["detail"][0]).startswith("exam: ")
    assert outcomes.passed.tolist() == [False, True]
    later = decide(staged([ITEM]), index, ANCESTRY, request(1, ordinal=2), RULE)
    assert later.columns["outcome"] == ["accepted"]


def test_rows_that_failed_a_check_keep_their_reason_and_are_no_witness():
    texts = [prose(1), prose(1), prose(2)]
    outcomes = decide(staged(texts, {0: "refusal"}), seeded(), ANCESTRY, request(), RULE)
    assert outcomes.columns["outcome"] == ["rejected", "accepted", "accepted"]
    assert outcomes.columns["reason"] == ["refusal", None, None]


def test_batch_decided_again_after_it_was_inserted_has_the_same_outcomes():
    index, batch = seeded(), staged([prose(1), prose(2), prose(1), SEED_ROW])
    once = decide(batch, index, ANCESTRY, request(), RULE)
    again = decide(batch, index, ANCESTRY, request(), RULE)
    assert again.columns == once.columns


def test_sketch_counts_duplicates_as_verified_and_rejected_texts_as_nothing():
    batch = staged([prose(1), prose(2), prose(1)], {1: "refusal"})
    outcomes = decide(batch, seeded(), ANCESTRY, request(), RULE)
    delta = sketch_of(batch, outcomes, RULE)

    rows = delta.rows(8)
    assert rows.stop - rows.start == 40 - 8 + 1
    assert set(delta.accepted[rows]) == {1}
    assert set(delta.verified[rows]) == {2}
    assert set(delta.stratum) == {0}
    half = sketch_of(batch, outcomes, SealRule(0.7, 0.5, ["even", "odd"]))
    assert (half.hash < 2**63).all()
    assert half.rate == 0.5


def test_entry_accounts_for_every_row_token_and_engine_second():
    batch = staged([prose(1), SEED_ROW, prose(2), prose(1), prose(3)], {4: "refusal"})
    outcomes = decide(batch, seeded(), ANCESTRY, request(), RULE)
    entry = entry_of(batch, outcomes, request(), Written([], [], None, 1.0, {"documents": 2.0}))

    assert entry.counts == {"accepted": 2, "duplicate": 2, "rejected": 1, "failed": 0}
    assert entry.reasons == {
        "duplicate:exact:same": 1,
        "duplicate:exact:seed": 1,
        "rejected:refusal": 1,
    }
    assert entry.tokens == {"accepted": 80, "generated": 200, "prompt": 15}
    assert entry.strata["odd"] == {"duplicate": 2, "tokens": 0, "generated": 80}
    assert entry.engine_seconds == pytest.approx(5 * 0.5 + 0.25)
    assert entry.goodput["regenerated"] == 0.25
    # Three rows of even held 2 s each, two of odd 3 s; and odd 4 s more for rows that lost.
    assert entry.slot_seconds == {"even": 6.0, "odd": 10.0}
    assert entry.regenerated == {"generated": 80, "prompt": 6}
    assert (entry.first_unit, entry.last_unit, entry.first_index, entry.last_index) == (0, 1, 0, 7)
    assert entry.form["even"]["verified"] == 2
    assert entry.form["odd"]["absorbed"] == 1
    assert entry.containment == {"documents": 2.0}
