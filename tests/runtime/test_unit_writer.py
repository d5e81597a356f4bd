"""The unit writer refuses what it cannot write, and says so; its work is tested through whole runs."""

import asyncio
from typing import Any

from seedcorn.core.engine import Completion, EngineInfo, Request
from seedcorn.core.entries import GenerationStarted, WriterOpened
from seedcorn.core.errors import EngineDead
from seedcorn.core.leasing import Lease
from seedcorn.core.recipe import EngineSpec, PromptSpec, Recipe, SourceSpec, resolved
from seedcorn.core.state import CorpusState
from seedcorn.runtime.job import UnitReport
from seedcorn.runtime.sources import Sources
from seedcorn.runtime.unit_writer import UnitWriter
from seedcorn.runtime.worker_setup import make_writer
from seedcorn.storage.log import START, open_writer
from seedcorn.storage.memory_store import MemoryStore
from seedcorn.storage.opening import open_store
from seedcorn.storage.samples import Lineage
from tests.growing import generation_job


class DyingEngine:
    """Starts, and dies of its first request."""

    async def start(self) -> EngineInfo:
        return EngineInfo("dying", "none", {}, capacity=4)

    async def submit(self, request: Request) -> Completion:
        raise EngineDead("killed")

    async def stats(self) -> dict[str, float]:
        return {}

    async def drain(self) -> None:
        return None

    async def close(self) -> None:
        return None


def report_of(lease: Lease, name: str, drained: bool = False) -> UnitReport:
    """What a writer without an engine, started for generation 1, says of a lease; it stages nothing."""

    async def refused() -> UnitReport:
        nothing: Any = None
        store = MemoryStore(name)
        writer = UnitWriter(nothing, store, nothing, nothing, 60.0)
        info = EngineInfo("none", "none")
        await writer.start(nothing, Lineage(1, "f" * 32, info, {}), info)
        if drained:
            await writer.drain()
        try:
            return await writer.write(lease)
        finally:
            await writer.stop()
            assert list(store.list("")) == []

    return asyncio.run(refused())


def test_lease_of_another_generation_is_refused_and_stages_nothing() -> None:
    report = report_of(Lease(2, 7, (14, 15)), "another generation")
    assert (report.died, report.covered, report.segments) == (True, (), ())
    assert report.cause == "started for generation 1, not 2"


def test_lease_to_a_writer_that_takes_none_is_reported_as_its_death_not_as_done() -> None:
    report = report_of(Lease(1, 7, (14, 15)), "drained", drained=True)
    assert (report.died, report.covered, report.in_flight) == (True, (), ())
    assert report.cause == "takes no leases any more: drained"


def test_death_of_an_engine_is_in_every_later_report_though_the_first_was_lost(tmp_path) -> None:
    (tmp_path / "seed.txt").write_text("One short line of seed text about a lake and its shore.\n")
    recipe = Recipe(
        "dies",
        samples=4,
        seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
        prompts=[PromptSpec(name="tell", template="{{ parent }}")],
        engine=EngineSpec(kind="simulated"),
    )

    async def reports() -> list[UnitReport]:
        store = open_store(f"memory:{tmp_path}", recipe.store)
        state = CorpusState()
        log = open_writer(store, START, "w", WriterOpened("h", 1, "0"), lambda: 0.0, state.apply)
        sources = Sources(recipe, str(tmp_path), store, state)
        sources.log_new(state, log)
        body = GenerationStarted(1, resolved(recipe), recipe.fingerprint, "s", {})
        state.apply(log.append(body))
        job = generation_job(store, state, 1, recipe, sources)
        engine = DyingEngine()
        writer = await make_writer(job, engine, await engine.start())
        try:
            return [await writer.write(Lease(1, unit, (unit,))) for unit in range(3)]
        finally:
            await writer.stop()

    first, *later = asyncio.run(reports())
    assert (first.died, first.in_flight) == (True, (0,))
    assert [(one.died, one.in_flight, one.cause) for one in later] == [(True, (), first.cause)] * 2
