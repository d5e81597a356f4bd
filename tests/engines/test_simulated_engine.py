"""The simulated engine: planted failures, deaths and latency, and a cheap fast path."""

import asyncio
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from seedcorn.core.errors import EngineDead, EngineUnavailable, RequestRefused
from seedcorn.core.recipe import EngineSpec, SimulatedSpec
from seedcorn.core.simulation.simulation import simulate
from seedcorn.engines.simulated_engine import SimulatedEngine
from tests.engines.conftest import make_request


def started(**settings) -> SimulatedEngine:
    engine = SimulatedEngine(EngineSpec(kind="simulated", simulated=SimulatedSpec(**settings)))
    asyncio.run(engine.start())
    return engine


def test_simulated_completion_equals_the_simulation_and_counts_words():
    engine = started(duplicate_rate=0.3)
    for index in range(20):
        request = make_request(index)
        done = asyncio.run(engine.submit(request))
        expected = simulate(request.recipe, 1, index, SimulatedSpec(duplicate_rate=0.3), "")
        assert done.text == expected.text
        assert done.completion_tokens == len(done.text.split())


def test_simulated_collapse_looks_at_the_stratum_of_the_request():
    engine = started(collapse_from=0, collapse_stratum="retell")
    texts = [
        asyncio.run(engine.submit(replace(make_request(index), stratum=stratum))).text
        for stratum in ("retell", "invent")
        for index in (1, 2)
    ]
    openings = [text.split()[:5] for text in texts]
    assert openings[0] == openings[1] != openings[2] != openings[3]


def test_simulated_planted_failure_is_refused_and_names_the_sample():
    request = make_request(5)
    with pytest.raises(RequestRefused, match=request.sample_id):
        asyncio.run(started(failure_rate=1.0).submit(request))


def test_simulated_fail_start_is_unavailable():
    with pytest.raises(EngineUnavailable, match="fail_start"):
        started(fail_start=True)


def test_simulated_poison_index_ends_the_process():
    program = """
        import asyncio
        from seedcorn.core.recipe import EngineSpec, SimulatedSpec
        from seedcorn.engines.simulated_engine import SimulatedEngine
        from tests.engines.conftest import make_request

        async def main():
            spec = EngineSpec(kind="simulated", simulated=SimulatedSpec(poison=[3]))
            engine = SimulatedEngine(spec)
            await engine.start()
            await engine.submit(make_request(2))
            print("alive", flush=True)
            await engine.submit(make_request(3))
            print("still alive", flush=True)

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "alive\n"


def test_simulated_concurrency_bounds_the_latency_slots():
    engine = started(latency_s=0.05, concurrency=2)

    async def six():
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.gather(*(engine.submit(make_request(i)) for i in range(6)))
        return loop.time() - begun

    assert asyncio.run(six()) >= 0.14


def test_simulated_zero_latency_never_suspends():
    engine = started()
    call = engine.submit(make_request(0))
    with pytest.raises(StopIteration) as finished:
        call.send(None)
    assert finished.value.value.text


def test_simulated_submit_after_close_is_dead():
    engine = started()
    asyncio.run(engine.close())
    asyncio.run(engine.close())
    with pytest.raises(EngineDead):
        asyncio.run(engine.submit(make_request(0)))
