"""How a generation is cut where its recipe leaves it open: by its samples, never by the workers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.recipe import EngineSpec, Recipe, SimulatedSpec, UnitsSpec, in_flight
from seedcorn.core.scheduling.leasing import require_window

TODAY = UnitsSpec(256, 16, 2)
"""What was the default for any number of samples."""


@pytest.mark.parametrize("samples", [4096, 4097, 100_000, 10**9])
@pytest.mark.parametrize("capacity", [1, 64, 256, 1024])
def test_large_generations_are_cut_as_they_always_were(samples, capacity):
    assert UnitsSpec().resolved(samples, 1, capacity) == TODAY


@pytest.mark.parametrize(
    ("samples", "unit"), [(1, 4), (10, 4), (60, 4), (100, 7), (1000, 63), (4000, 250)]
)
def test_small_generations_have_units_of_a_sixteenth(samples, unit):
    cut = UnitsSpec().resolved(samples, 1, 256)
    assert (cut.unit, cut.batch) == (unit, 16)


@given(samples=st.integers(1, 10**7), group=st.integers(1, 5000), capacity=st.integers(1, 20_000))
def test_defaults_hold_whole_groups_and_keep_one_engine_busy(samples, group, capacity):
    cut = UnitsSpec().resolved(samples, group, capacity)
    assert cut.unit % group == 0
    assert cut.unit <= max(256, group)
    window = cut.unit * cut.batch * cut.ahead
    assert window >= min(samples, 2 * in_flight(capacity))
    assert cut.resolved(samples + 1, 1, 1) == cut


@pytest.mark.parametrize(
    ("given_units", "cut"),
    [
        (UnitsSpec(512, 16), (512, 16)),
        (UnitsSpec(512), (512, 16)),
        (UnitsSpec(batch=3), (4, 3)),
        (UnitsSpec(8, 3), (8, 3)),
        (UnitsSpec(256, 16), (256, 16)),
    ],
)
def test_what_the_recipe_says_stands(given_units, cut):
    found = given_units.resolved(60, 1, 64)
    assert (found.unit, found.batch) == cut


def test_recipe_has_units_without_zeros_that_no_number_of_workers_moves():
    simulated = SimulatedSpec(concurrency=8)
    alone = Recipe(name="r", samples=60, engine=EngineSpec(simulated=simulated))
    many = Recipe(name="r", samples=60, engine=EngineSpec(workers=50, simulated=simulated))
    assert alone.units == many.units == UnitsSpec(4, 16, 2)
    assert alone.fingerprint == replace(alone, units=TODAY).fingerprint


@pytest.mark.parametrize("capacity", [1, 256, 5000, 20_000])
def test_one_engine_of_any_size_is_never_refused_for_its_window(capacity):
    simulated = SimulatedSpec(concurrency=capacity)
    for samples in (1, 60, 5000, 10**6):
        engine = EngineSpec(kind="simulated", simulated=simulated)
        recipe = Recipe(name="r", samples=samples, engine=engine)
        require_window(recipe.engine, recipe.units, recipe.samples)
