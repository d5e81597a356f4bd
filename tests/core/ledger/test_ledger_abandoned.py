"""A generation that was given up: in the books, and in no figure."""

from seedcorn.core.ledger.ledger import Ledger, to_json
from seedcorn.core.log.entries import GenerationAbandoned, ObjectRef, Withdrawn
from tests.core.ledger.test_ledger import FIRST, LOG, batch, delta_of, fold, started


def abandoning():
    """LOG with its first generation given up after both batches, grown again as generation 2."""
    return (
        *LOG[:6],
        (GenerationAbandoned(1, "wrong"), None),
        (started(2), None),
        (batch(FIRST, generation=2), delta_of(FIRST)),
    )


def test_ledger_that_knows_of_an_abandonment_counts_nothing_of_it():
    told = fold(abandoning(), Ledger(abandoned={1}))
    (row,) = told.rows()
    alone = fold((*LOG[:4], (batch(FIRST), delta_of(FIRST)))).rows()[0]
    assert row.generation == 2
    assert row.unique == alone.unique
    assert row.unique
    assert {one.generation for one in told.strata()} == {2}
    document = to_json(told)
    assert [one["generation"] for one in document["generations"]] == [2]
    assert document["abandoned"] == [
        {
            "generation": 1,
            "recipe": "tiny",
            "reason": "wrong",
            "planned": 5,
            "committed": 5,
            "accepted": 3,
        }
    ]


def test_ledger_that_meets_an_abandonment_unprepared_withholds_what_it_cannot_tell():
    (row,) = fold(abandoning()).rows()
    assert row.unique == {}
    assert "generation 1 was abandoned while its samples were being counted" in row.unknown


def test_abandonment_before_any_batch_needs_no_warning():
    steps = (*LOG[:4], (GenerationAbandoned(1), None), (started(2), None))
    (row,) = fold((*steps, (batch(FIRST, generation=2), delta_of(FIRST)))).rows()
    assert row.unique == fold((*LOG[:4], (batch(FIRST), delta_of(FIRST)))).rows()[0].unique


def test_withdrawal_of_abandoned_samples_alone_leaves_net_figures_alone():
    steps = abandoning()
    gone = Withdrawn("r", {}, {"1": {"samples": 1, "tokens": 1}}, ObjectRef("k", 1, "s", 1))
    steps = (*steps[:6], (gone, delta_of(FIRST)), *steps[6:])
    (row,) = fold(steps, Ledger(abandoned={1})).rows()
    assert row.net_unique == row.unique


def test_withdrawal_across_an_abandoned_generation_withholds_net_figures():
    steps = abandoning()
    counts = {"1": {"samples": 1, "tokens": 1}, "2": {"samples": 1, "tokens": 1}}
    gone = Withdrawn("r", {}, counts, ObjectRef("k", 1, "s", 1))
    (row,) = fold((*steps, (gone, delta_of(FIRST))), Ledger(abandoned={1})).rows()
    assert row.net_unique == {}
    assert row.unique
