"""A forecast in the log is recomputed; the first figure that differs is named."""

import json
from dataclasses import replace

import pytest

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.entries import Entry, Measurement, decode, encode
from seedcorn.core.verify.forecast_proof import check_forecast
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe


@pytest.fixture
def folded():
    """Three batches, the forecast after the third not yet logged."""
    folded = Folded(recipe(samples=4 * SIZE)).start()
    for number in range(3):
        folded.settle()
        folded.batch(fresh(number))
    return folded


def check(folded, said):
    check_forecast(7, said, folded.state, folded.ledger, folded.recipe)


def changed(said, *path_and_value):
    *path, last, value = path_and_value
    copy = json.loads(json.dumps({"subject": said.subject, "values": said.values}))
    place = copy
    for key in path:
        place = place[key]
    place[last] = value
    return replace(said, **copy)


def test_forecast_holds_as_it_was_made_and_as_the_log_gives_it_back(folded):
    said = folded.due()
    check(folded, said)
    read = decode(encode(Entry(0, "w", "", 0.0, said)), 0).body
    assert isinstance(read, Measurement)
    check(folded, read)


@pytest.mark.parametrize("ahead", [0, 1, 2, 9])
def test_forecast_of_a_run_with_another_window_holds(folded, ahead):
    folded.recipe = recipe(samples=4 * SIZE, ahead=ahead)
    said = folded.due()
    folded.recipe = recipe(samples=4 * SIZE)

    check(folded, said)


def test_forecast_that_another_machine_rounded_holds(folded):
    said = folded.due()
    estimate = said.values["strata"][""]["next"]["estimate"]

    check(folded, changed(said, "values", "strata", "", "next", "estimate", estimate * (1 + 1e-9)))
    check(folded, changed(said, "values", "strata", "a", "next", "low", 1e-9 + _low(said)))


def _low(said):
    return said.values["strata"]["a"]["next"]["low"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("values", "strata", "", "sampled", 1), r"strata\.\.sampled is 1, not 72"),
        (("values", "strata", "a", "next", "estimate", 0.5), r"strata\.a\.next\.estimate is 0.5"),
        (("values", "strata", "a", "next", None), r"strata\.a\.next is None"),
        (("values", "rate", 0.5), "rate is 0.5, not 1"),
        (("values", "more", 1), " is {"),
        (("subject", "batches", 2), "forecast after 2 batches; 3 are committed"),
        (("subject", "batch", 2), "forecast of batch 2; 3 are committed already"),
        (("subject", "batch", None), "forecast of batch None"),
        (("subject", "batch", 5), "batch is 5, not 4"),
        (("subject", "generation", 2), "a generation that is not open"),
    ],
)
def test_forecast_that_differs_is_refused_and_says_where(folded, change, words):
    with pytest.raises(CorruptCorpus, match=f"log entry 7.*{words}"):
        check(folded, changed(folded.due(), *change))


def test_forecast_between_generations_is_refused(folded):
    said = folded.due()
    folded.settle()
    folded.batch(fresh(3)).settle()

    with pytest.raises(CorruptCorpus, match="not open"):
        check(folded.finish(), said)
