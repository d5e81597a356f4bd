"""The plan is a pure function with random access; these are the promises the rest builds on."""

import pickle
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import RecipeError, RunStopped
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.recipe import ParentsSpec, PromptSpec, Recipe, UnitsSpec

STYLES = {"style": ["plain", "formal", "lively"], "form": ["letter", "list"]}


def prompt(name="rewrite", **changes):
    return PromptSpec(name=name, template="{{ parent }}", **changes)


def recipe(*prompts, samples=10_000, **changes):
    return Recipe(name="test", samples=samples, prompts=list(prompts or [prompt()]), **changes)


def seed_pool(*sizes):
    return Pool(0, sizes)


def rows(plan, indices):
    return [plan.draw(index).parents for index in indices]


@given(
    order=st.sampled_from(["shuffled", "blocks", "sequential"]),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    indices=st.lists(st.integers(0, 999), min_size=1, max_size=30),
)
@settings(max_examples=25, deadline=None)
def test_draw_in_any_order_and_process_is_the_same(order, sizes, indices):
    spec = recipe(prompt(axes=STYLES), prompt("ask", parents=2), samples=1000)
    spec = replace(spec, parents=ParentsSpec(order=order))
    plan = Plan(spec, 1, seed_pool(*sizes))
    elsewhere = pickle.loads(pickle.dumps(plan))  # noqa: S301 - our own bytes
    forward = {index: plan.draw(index) for index in sorted(indices)}
    assert {index: elsewhere.draw(index) for index in indices} == forward


@given(
    order=st.sampled_from(["shuffled", "blocks", "sequential"]),
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any),
    epoch=st.integers(0, 3),
)
@settings(max_examples=25, deadline=None)
def test_epoch_of_a_pool_draws_every_row_exactly_once(order, sizes, epoch):
    total = sum(sizes)
    plan = Plan(recipe(parents=ParentsSpec(order=order)), 1, seed_pool(*sizes))
    drawn = rows(plan, range(epoch * total, (epoch + 1) * total))
    assert sorted(drawn) == [((0, row),) for row in range(total)]


@given(
    order=st.sampled_from(["shuffled", "blocks", "sequential"]),
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any),
    epoch=st.integers(0, 2),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_held_row_is_never_drawn_and_every_other_once_an_epoch(order, sizes, epoch, data):
    held = data.draw(st.sets(st.integers(0, sum(sizes) - 1), max_size=sum(sizes) - 1))
    free = sorted(set(range(sum(sizes))) - held)
    pool = Pool(0, sizes, np.array(sorted(held), np.int64))
    plan = Plan(recipe(parents=ParentsSpec(order=order)), 1, pool)
    drawn = rows(plan, range(epoch * len(free), (epoch + 1) * len(free)))
    assert sorted(drawn) == [((0, row),) for row in free]


@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any), data=st.data())
@settings(max_examples=40, deadline=None)
def test_blocks_with_held_rows_are_still_drawn_one_after_the_other(sizes, data):
    held = data.draw(st.sets(st.integers(0, sum(sizes) - 1), max_size=sum(sizes) - 1))
    pool = Pool(0, sizes, np.array(sorted(held), np.int64))
    plan = Plan(recipe(parents=ParentsSpec(order="blocks")), 1, pool)
    block = np.repeat(np.arange(len(sizes)), sizes)
    visited = [block[row] for ((_, row),) in rows(plan, range(sum(sizes) - len(held)))]
    assert 1 + sum(a != b for a, b in pairwise(visited)) == len(set(visited))


def test_pool_of_held_rows_alone_is_no_source():
    pool = Pool(0, [2, 1], np.arange(3))
    with pytest.raises(RecipeError, match="no parents"):
        Plan(recipe(), 1, pool)


def test_pools_of_earlier_generations_are_addressed_beside_a_seed_with_held_rows():
    spec = recipe(parents=ParentsSpec(seed=1, previous=1, order="sequential"))
    plan = Plan(spec, 2, Pool(0, [4], np.array([0, 2])), [Pool(1, [3])])
    drawn = {parent for parents in rows(plan, range(100)) for parent in parents}
    assert drawn == {(0, 1), (0, 3), (1, 0), (1, 1), (1, 2)}


def test_two_parents_are_distinct_and_not_repeated_within_an_epoch():
    plan = Plan(recipe(prompt(parents=2)), 1, seed_pool(31))
    drawn = [parent for pair in rows(plan, range(15)) for parent in pair]
    assert len(set(drawn)) == 30


def test_more_parents_than_rows_takes_every_row_before_one_twice():
    plan = Plan(recipe(prompt(parents=5)), 1, seed_pool(3))
    for parents in rows(plan, range(50)):
        assert set(Counter(parents).values()) == {1, 2}


def test_styles_times_documents_meets_every_pair_once_before_any_twice():
    plan = Plan(recipe(prompt(axes=STYLES)), 1, seed_pool(7, 0, 13))
    pairs = 20 * 6
    for start in (0, pairs):
        draws = [plan.draw(index) for index in range(start, start + pairs)]
        met = {(draw.parents, tuple(draw.axes.values())) for draw in draws}
        assert len(met) == pairs


def test_grid_without_parents_walks_every_cell_once_before_any_twice():
    plan = Plan(recipe(prompt(parents=0, axes=STYLES)), 1, seed_pool())
    for start in (0, 6, 12):
        cells = {tuple(plan.draw(i).axes.values()) for i in range(start, start + 6)}
        assert len(cells) == 6
    assert plan.draw(0).parents == ()


def test_several_branches_meet_no_pair_of_document_and_axes_twice():
    spec = recipe(prompt("a", weight=2, axes=STYLES), prompt("b", axes={"n": ["1", "2", "3"]}))
    draws = [Plan(spec, 1, seed_pool(40)).draw(index) for index in range(3 * 40)]
    met = {(draw.prompt, draw.parents, tuple(draw.axes.values())) for draw in draws}
    assert len(met) == len(draws)


def test_axes_are_drawn_evenly():
    plan = Plan(recipe(prompt(axes=STYLES)), 1, seed_pool(6000))
    seen = Counter(tuple(plan.draw(index).axes.values()) for index in range(6000))
    assert len(seen) == 6
    assert all(abs(count - 1000) < 5 * 29 for count in seen.values())


def test_strata_follow_their_weights():
    spec = recipe(prompt("a", weight=3), prompt("b"), prompt("off", weight=0), samples=8000)
    plan = Plan(spec, 1, seed_pool(10))
    seen = Counter(plan.draw(index).prompt for index in range(8000))
    assert set(seen) == {"a", "b"}
    assert abs(seen["a"] - 6000) < 5 * (8000 * 0.75 * 0.25) ** 0.5


def test_pools_follow_their_weights_and_empty_ones_are_left_out():
    spec = recipe(parents=ParentsSpec(seed=1, previous=2, earlier=1))
    pools = [Pool(1, (50, 60)), Pool(2, (70,)), Pool(3, (80,))]
    plan = Plan(spec, 4, seed_pool(100), pools)
    seen = Counter(parents[0][0] for parents in rows(plan, range(4000)))
    assert abs(seen[0] - 1000) < 150
    assert abs(seen[3] - 2000) < 160
    assert abs(seen[1] / seen[2] - 110 / 70) < 0.35
    emptied = Plan(spec, 4, seed_pool(100), [pools[0], pools[1], Pool(3, ())])
    assert {parents[0][0] for parents in rows(emptied, range(300))} == {0, 1, 2}


def test_earlier_generations_are_one_pool_without_repeats():
    spec = recipe(parents=ParentsSpec(seed=0, previous=0, earlier=1, order="blocks"))
    plan = Plan(spec, 4, seed_pool(9), [Pool(1, (5, 6)), Pool(2, (7,)), Pool(3, (8,))])
    drawn = sorted(parents[0] for parents in rows(plan, range(18)))
    assert drawn == [(1, n) for n in range(11)] + [(2, n) for n in range(7)]


def test_previous_is_the_last_generation_that_stands():
    spec = recipe(parents=ParentsSpec(seed=0, previous=1, earlier=0))
    plan = Plan(spec, 5, seed_pool(9), [Pool(1, (5,)), Pool(3, (7,))])
    assert {parents[0][0] for parents in rows(plan, range(20))} == {3}
    older = recipe(parents=ParentsSpec(seed=0, previous=0, earlier=1))
    plan = Plan(older, 5, seed_pool(9), [Pool(1, (5,)), Pool(3, (7,))])
    assert {parents[0][0] for parents in rows(plan, range(20))} == {1}


def test_first_generation_that_stands_takes_the_seed_whatever_its_number():
    plan = Plan(recipe(parents=ParentsSpec(seed=0, previous=1)), 3, seed_pool(5))
    assert plan.draw(3).parents[0][0] == 0


def test_first_generation_takes_the_seed_whatever_its_weight():
    plan = Plan(recipe(parents=ParentsSpec(seed=0, previous=1)), 1, seed_pool(5))
    assert plan.draw(3).parents[0][0] == 0


def test_replace_with_nothing_accepted_names_the_weights():
    with pytest.raises(RecipeError, match=r"generation 2 has no parents.*parents\.seed"):
        Plan(recipe(parents=ParentsSpec(seed=0)), 2, seed_pool(5), [Pool(1, ())])


def test_samples_of_one_prompt_share_it_and_differ_in_id_and_seed():
    plan = Plan(recipe(prompt(axes=STYLES), samples_per_prompt=4), 1, seed_pool(50))
    draws = [plan.draw(index) for index in range(8, 12)]
    assert len({(d.prompt, d.parents, tuple(d.axes.values())) for d in draws}) == 1
    assert len({d.sample_id for d in draws}) == len({d.seed for d in draws}) == 4
    assert plan.draw(12).parents != draws[0].parents


def test_dropped_stratum_is_not_drawn_from_its_batch_on_and_others_stay_before():
    units = UnitsSpec(unit=4, batch=5)
    spec = recipe(prompt("a"), prompt("b"), prompt("c"), samples=400, units=units)
    free = Plan(spec, 1, seed_pool(30))
    plan = Plan(spec, 1, seed_pool(30))
    plan.decide({3: {"a": 1.0, "b": 0.0, "c": 2.0}, 10: {"c": 1.0}})
    assert [plan.draw(i) for i in range(60)] == [free.draw(i) for i in range(60)]
    assert {plan.draw(i).prompt for i in range(60, 200)} == {"a", "c"}
    assert {plan.draw(i).prompt for i in range(200, 400)} == {"c"}


def test_all_strata_dropped_stops_the_run():
    plan = Plan(recipe(), 1, seed_pool(5))
    plan.decide({0: {"rewrite": 0.0}})
    with pytest.raises(RunStopped, match="every stratum"):
        plan.draw(0)


def test_draw_outside_the_plan_is_an_index_error():
    plan = Plan(recipe(samples=10), 1, seed_pool(5))
    assert len(plan) == 10
    for index in (-1, 10):
        with pytest.raises(IndexError):
            plan.draw(index)


def test_generations_and_recipes_draw_differently():
    plain = [d.parents for d in map(Plan(recipe(), 1, seed_pool(500)).draw, range(50))]
    other = recipe(prompt(weight=2))
    for changed in (Plan(other, 1, seed_pool(500)), Plan(recipe(), 2, seed_pool(500))):
        assert [changed.draw(i).parents for i in range(50)] != plain


def test_operational_fields_do_not_move_a_draw():
    cut = recipe(units=UnitsSpec(unit=7, batch=3), generations=9)
    draws = [Plan(r, 1, seed_pool(99)).draw(i) for i in range(40) for r in (recipe(), cut)]
    assert draws[::2] == draws[1::2]


def test_blocks_are_visited_one_after_the_other():
    plan = Plan(recipe(parents=ParentsSpec(order="blocks")), 1, seed_pool(10, 10, 10, 10))
    blocks = [parents[0][1] // 10 for parents in rows(plan, range(40))]
    assert sum(left != right for left, right in pairwise(blocks)) == 3


def test_fifty_million_rows_are_drawn_without_being_listed():
    sizes = [10_000] * 5000
    for order in ("shuffled", "blocks"):
        plan = Plan(recipe(parents=ParentsSpec(order=order)), 1, seed_pool(*sizes))
        drawn = rows(plan, range(2000))
        assert len(set(drawn)) == 2000
        assert max(parents[0][1] for parents in drawn) < 50_000_000
        assert len(pickle.dumps(plan)) < 1_000_000
