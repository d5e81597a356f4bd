"""What the line relies on, asked of every engine alike."""

import asyncio

import pytest

from seedcorn.core.engine import Engine
from seedcorn.core.recipe.engine import KINDS, EngineSpec
from seedcorn.engines.opening import OPENERS
from tests.engines.conftest import make_request

pytestmark = pytest.mark.timeout(300)

REASONS = {"stop", "length", "repetition", "abort", "error"}
VLLM = pytest.mark.vllm


STARTED = {
    "simulated": pytest.param("simulated_engine"),
    "vllm": pytest.param("vllm_engine", marks=VLLM),
    "openai": pytest.param("started_endpoint", marks=VLLM),
}
"""By kind: the fixture that starts one."""


@pytest.fixture(params=STARTED.values(), ids=STARTED)
def engine(request) -> Engine:
    return request.getfixturevalue(request.param)


def test_every_kind_of_engine_has_settings_an_opener_and_this_contract():
    assert sorted(KINDS) == sorted(OPENERS) == sorted(STARTED)
    for kind in KINDS:
        assert EngineSpec(kind=kind).settings.capacity > 0


def test_engine_many_requests_at_once_each_get_their_own_answer(engine, runner):
    requests = [make_request(index) for index in range(12)]

    async def all_at_once():
        return await asyncio.gather(*(engine.submit(request) for request in requests))

    completions = runner.run(all_at_once())
    assert len(completions) == len(requests)
    for done in completions:
        assert done.text
        assert done.finish_reason in REASONS
        assert done.prompt_tokens > 0
        assert done.completion_tokens > 0
    assert len({done.text for done in completions}) > len(requests) // 2


def test_engine_same_request_alone_and_in_a_crowd_gives_equal_text(engine, runner):
    async def crowd():
        return await asyncio.gather(*(engine.submit(make_request(i)) for i in range(8)))

    texts = [done.text for done in runner.run(crowd())]
    alone = [runner.run(engine.submit(make_request(index))).text for index in (0, 3, 7)]
    assert alone == [texts[0], texts[3], texts[7]]


def test_engine_drain_with_requests_in_flight_returns_after_the_last(engine, runner):
    async def scenario():
        tasks = [asyncio.create_task(engine.submit(make_request(i))) for i in range(4)]
        await asyncio.sleep(0)
        await engine.drain()
        await asyncio.sleep(0)
        return [task.done() for task in tasks]

    assert runner.run(scenario()) == [True] * 4


def test_engine_drain_when_idle_returns_at_once(engine, runner):
    runner.run(asyncio.wait_for(engine.drain(), 1))


def test_engine_cancelled_request_leaves_the_others_alone(engine, runner):
    async def scenario():
        tasks = [asyncio.create_task(engine.submit(make_request(i))) for i in range(3)]
        await asyncio.sleep(0.005)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = runner.run(scenario())
    assert first.text
    assert third.text
    assert isinstance(second, asyncio.CancelledError)
    runner.run(asyncio.wait_for(engine.drain(), 1))


def test_engine_stats_are_named_numbers(engine, runner):
    runner.run(engine.submit(make_request(0)))
    figures = runner.run(engine.stats())
    assert figures
    assert all(isinstance(value, float) for value in figures.values())
