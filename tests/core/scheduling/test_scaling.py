"""How many engines fit where, when `auto` follows a change, and what a person is told meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.recipe import EngineSpec, SimulatedSpec, UnitsSpec, VllmSpec
from seedcorn.core.scheduling.leasing import most_workers
from seedcorn.core.scheduling.scaling import (
    Look,
    Need,
    Node,
    Scaler,
    matches,
    missing,
    need_of,
    room,
)


def node(name: str, gpus: float = 0, cpus: float = 0, total: dict | None = None, **how) -> Node:
    free = {"CPU": cpus, "GPU": gpus}
    return Node(name, free, total or free, how.get("labels", {}), how.get("leaves_in"))


def one(**resources: float) -> Need:
    return Need((resources,))


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        (one(CPU=1.0), 12),
        (one(GPU=1.0), 5),
        (one(GPU=1.0, CPU=4.0), 3),
        (one(GPU=4.0), 1),
        (one(GPU=5.0), 0),
        (one(GPU=0.25), 20),
        (one(CPU=0.1), 120),
        (one(TPU=1.0), 0),
    ],
)
def test_room_counts_what_fits_within_each_node(need, expected):
    nodes = [node("a", gpus=4, cpus=8), node("b", gpus=1, cpus=4)]

    assert room(nodes, need) == expected


def test_room_never_counts_nodes_that_leave_or_lack_the_labels():
    nodes = [
        node("stays", gpus=1, labels={"market": "spot"}),
        node("leaves", gpus=1, labels={"market": "spot"}, leaves_in=30.0),
        node("other", gpus=1),
    ]

    assert room(nodes, one(GPU=1.0)) == 2
    assert room(nodes, Need(({"GPU": 1.0},), {"market": "spot"})) == 1
    assert room(nodes, Need(({"GPU": 1.0},), {"market": "!spot"})) == 1


def test_room_of_an_engine_across_nodes_takes_bundles_where_they_fit():
    pipeline = Need(({"GPU": 1.0, "CPU": 2.0}, {"GPU": 1.0}, {"GPU": 1.0}))

    assert room([node("a", gpus=2, cpus=8), node("b", gpus=1)], pipeline) == 1
    assert room([node("a", gpus=2, cpus=8), node("b", gpus=4, cpus=2)], pipeline) == 2
    assert room([node("a", gpus=2, cpus=1), node("b", gpus=4)], pipeline) == 0


@given(free=st.lists(st.integers(0, 5), max_size=4), parts=st.integers(1, 4))
def test_room_of_equal_bundles_is_all_of_them_divided_by_the_parts(free, parts):
    nodes = [node(str(number), gpus=gpus) for number, gpus in enumerate(free)]

    assert room(nodes, Need(({"GPU": 1.0},) * parts)) == sum(free) // parts


@pytest.mark.parametrize(
    ("labels", "selector", "accepted"),
    [
        ({"zone": "a"}, {"zone": "a"}, True),
        ({"zone": "a"}, {"zone": "b"}, False),
        ({}, {"zone": "a"}, False),
        ({}, {"zone": "!a"}, True),
        ({"zone": "a"}, {"zone": "!a"}, False),
        ({"zone": "b"}, {"zone": "in(a, b)"}, True),
        ({"zone": "c"}, {"zone": "in(a,b)"}, False),
        ({"zone": "c"}, {"zone": "!in(a,b)"}, True),
        ({"zone": "a", "market": "spot"}, {"zone": "a", "market": "on-demand"}, False),
    ],
)
def test_labels_are_matched_as_ray_does(labels, selector, accepted):
    assert matches(labels, selector) is accepted


def test_need_of_engines_with_and_without_parallel_parts():
    small = EngineSpec(cpus_per_worker=2, gpus_per_worker=0.5, node_labels={"a": "b"})
    tensor = EngineSpec(gpus_per_worker=1, vllm=VllmSpec(tensor_parallel=4))
    pipeline = EngineSpec(
        gpus_per_worker=1, vllm=VllmSpec(tensor_parallel=2, pipeline_parallel=2), cpus_per_worker=3
    )
    packed = EngineSpec(gpus_per_worker=1, vllm=VllmSpec(pipeline_parallel=2, executor="mp"))

    assert need_of(small) == Need(({"CPU": 2, "GPU": 0.5},), {"a": "b"})
    assert need_of(tensor).bundles == ({"CPU": 1.0, "GPU": 4},)
    assert need_of(pipeline).bundles == ({"CPU": 3, "GPU": 1}, *({"GPU": 1},) * 3)
    assert need_of(packed).bundles == ({"CPU": 1.0, "GPU": 2},)


def test_auto_starts_with_what_there_is_and_grows_when_two_looks_agree():
    scaler = Scaler(most=10)

    assert scaler.change(Look(room=3, placed=0, waiting=0)) == 3
    assert scaler.change(Look(room=0, placed=2, waiting=1)) == 0
    assert scaler.change(Look(room=2, placed=3, waiting=0)) == 0
    assert scaler.change(Look(room=2, placed=3, waiting=0)) == 2


def test_auto_waits_for_what_it_asked_for_already_and_stops_at_what_is_kept_busy():
    scaler = Scaler(most=4)
    scaler.change(Look(room=9, placed=0, waiting=4))

    assert scaler.change(Look(room=9, placed=0, waiting=4)) == 0
    assert scaler.change(Look(room=9, placed=2, waiting=0)) == 2


def test_auto_asks_for_one_worker_where_there_is_no_room():
    scaler = Scaler(most=4)

    assert scaler.change(Look(room=0, placed=0, waiting=0)) == 1
    assert scaler.change(Look(room=0, placed=0, waiting=1, stuck=1)) == 0


def test_auto_takes_back_workers_that_wait_for_what_is_gone():
    scaler = Scaler(most=9)

    assert scaler.change(Look(room=0, placed=2, waiting=3, stuck=3)) == -3
    assert scaler.change(Look(room=2, placed=2, waiting=3, stuck=3)) == -1
    assert scaler.change(Look(room=0, placed=0, waiting=3, stuck=3)) == -2


def test_auto_starts_nothing_where_an_engine_failed_for_good():
    scaler = Scaler(most=9)
    scaler.change(Look(room=2, placed=1, waiting=0, given_up=2))

    assert scaler.change(Look(room=2, placed=1, waiting=0, given_up=2)) == 0
    assert scaler.change(Look(room=3, placed=1, waiting=0, given_up=2)) == 0
    assert scaler.change(Look(room=3, placed=1, waiting=0, given_up=2)) == 1


def test_missing_says_what_is_asked_for_and_what_there_is():
    nodes = [
        node("a", cpus=1, total={"CPU": 8.0, "GPU": 1.0}),
        node("b", cpus=2, total={"CPU": 4.0}),
    ]

    assert missing(nodes, one(GPU=1.0, CPU=4.0), 2) == (
        "2 workers wait for 1 GPU and 4 CPUs each: the cluster has 0 of 1 GPU free and 3 of 12 CPUs "
        "free on 2 nodes; the rest is taken, or a process still starts there"
    )
    assert missing([], one(CPU=1.0), 1) == (
        "1 worker waits for 1 CPU: the cluster has 0 of 0 CPUs free on 0 nodes; it would not fit "
        "even if nothing else ran"
    )


def test_missing_names_labels_and_nodes_that_drain():
    spot = {"market": "spot"}
    nodes = [node("a", cpus=8), node("b", cpus=8, labels=spot, leaves_in=9.0)]

    said = missing(nodes, Need(({"CPU": 1.0},), spot), 1)

    assert "on nodes labelled market=spot: the cluster has 0 of 0 CPUs free" in said
    assert "0 nodes with such labels, of 2 (1 node draining)" in said


@pytest.mark.parametrize(
    ("samples", "ahead", "most"), [(100_000, 2, 4), (100_000, 4, 9), (500, 2, 5), (10, 2, 1)]
)
def test_most_workers_are_those_that_the_window_keeps_busy(samples, ahead, most):
    simulated = EngineSpec(kind="simulated", simulated=SimulatedSpec(concurrency=100))
    units = UnitsSpec(unit=50, batch=10, ahead=ahead)

    assert most_workers(simulated, units, samples) == most
