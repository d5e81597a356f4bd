"""Forecasts in unique tokens: nothing changes under rule 1, and what documents differ in is covered."""

import numpy as np
import pytest

from seedcorn.core.forecast.tokens_per_shingle import (
    TokensPerShingle,
    of_generation,
    tokens_per_shingle,
)
from seedcorn.core.intervals import Interval
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import FORECAST, GenerationState

COMING = Interval(1234.5, 1000.1, 1500.7)


def sums_of(tokens, held):
    return {
        "tokens": tokens.sum(),
        "held": held.sum(),
        "own": 2 * tokens.sum(),
        "positions": 2 * held.sum(),
        "tokens_squared": (tokens**2).sum(),
        "tokens_held": (tokens * held).sum(),
        "held_squared": (held**2).sum(),
    }


def generation(rules):
    values = {"samples": 10, "sampled": 400, "next": None}
    entry = Measurement(FORECAST, {}, {"rate": 1.0, "strata": {"": values}})
    found = GenerationState(1, {}, "f", 0, rules, prospects=[entry])
    found.unique = {"tell": sums_of(np.full(10, 50.0), np.full(10, 40.0))}
    return found


def test_forecast_stays_as_it_is_where_shingles_are_the_unit():
    worth = of_generation(generation({}), "tell")
    assert worth == TokensPerShingle()
    assert worth.tokens(COMING, 100) == COMING


def test_forecast_is_turned_by_what_the_shingles_so_far_were_worth():
    worth = of_generation(generation({"ledger_unit": 2}), "tell")
    assert worth.each == 500 / 400
    assert worth.tokens(COMING, 100) == Interval(*(1.25 * end for end in COMING))


def test_stratum_that_brought_nothing_is_taken_at_what_fresh_text_is_worth():
    whole = sums_of(np.full(4, 60.0), np.full(4, 40.0))
    nothing = sums_of(np.zeros(4), np.zeros(4)) | {"own": 90.0, "positions": 60.0}
    assert tokens_per_shingle(nothing, whole, 0.0, 4).each == 1.5
    assert tokens_per_shingle({}, whole, 0.0, 4).each == whole["own"] / whole["positions"]
    assert tokens_per_shingle({}, {}, 0.0, 0).tokens(COMING, 10) == COMING


@pytest.mark.parametrize("more", [50, 400])
def test_interval_covers_what_unequal_documents_bring(more):
    rng, covered, trials = np.random.default_rng(5), 0, 400
    for _ in range(trials):
        held = rng.integers(0, 200, 400 + more).astype(float)
        tokens = held * rng.gamma(4, 0.4, 400 + more)
        past, coming = slice(0, 400), slice(400, None)
        worth = tokens_per_shingle(sums_of(tokens[past], held[past]), {}, held[past].sum(), 400)
        shingles = held[coming].sum()
        found = worth.tokens(Interval(shingles, shingles, shingles), more)
        covered += found.low <= tokens[coming].sum() <= found.high
    assert 0.93 * trials <= covered <= 0.99 * trials
