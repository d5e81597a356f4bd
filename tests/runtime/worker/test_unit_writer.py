"""The unit writer refuses what it cannot write, and says so; its work is tested through whole runs."""

import asyncio
from pathlib import Path
from typing import Any

from seedcorn.core.engine import Completion, EngineInfo, Request
from seedcorn.core.errors import EngineDead
from seedcorn.core.log.entries import GenerationStarted, WriterOpened
from seedcorn.core.log.layout import STAGING
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import EngineSpec, PromptSpec, Recipe, SourceSpec, in_flight, resolved
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.runtime.driver.grow import generation_job
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.job import UnitReport
from seedcorn.runtime.worker.setup import make_writer
from seedcorn.runtime.worker.unit_writer import UnitWriter
from seedcorn.storage.log.log import START, open_writer
from seedcorn.storage.samples.samples import Lineage, segment_indices
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.opening import open_store

Reports = tuple[list[UnitReport], list[int]]
"""Reports in the order of the leases, and the indices staged."""


CAPACITY = 4


class DyingEngine:
    """Answers so many requests, and dies once no more of the others can be under way."""

    def __init__(self, answers: int = 0) -> None:
        self._left, self._under_way, self._dead = answers, 0, asyncio.Event()

    async def start(self) -> EngineInfo:
        return EngineInfo("dying", "none", capacity=CAPACITY)

    async def submit(self, request: Request) -> Completion:
        self._left -= 1
        if self._left >= 0:
            return Completion(f"A text of its own, number {request.seed}.", 9, 9, "stop")
        self._under_way += 1
        if self._under_way == in_flight(CAPACITY):
            self._dead.set()
        await self._dead.wait()
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


async def reports_of(engine: DyingEngine, folder: Path, leases: list[list[Lease]]) -> Reports:
    """What a writer with this engine says of leases, those of a list at once; and what it staged."""
    (folder / "seed.txt").write_text("One short line of seed text about a lake and its shore.\n")
    recipe = Recipe(
        "dies",
        samples=64,
        seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
        prompts=[PromptSpec(name="tell", template="{{ parent }}")],
        engine=EngineSpec(kind="simulated"),
    )
    store = open_store(f"memory:{folder}", recipe.store)
    state = CorpusState()
    log = open_writer(store, START, "w", WriterOpened("h", 1, "0"), lambda: 0.0, state.apply)
    sources = Catalogues(recipe, str(folder), store, state)
    sources.log_new(state, log)
    body = GenerationStarted(1, resolved(recipe), recipe.fingerprint, "s", {})
    state.apply(log.append(body))
    job = generation_job(store, state, 1, recipe, sources)
    writer = await make_writer(job, engine, await engine.start())
    reports: list[UnitReport] = []
    try:
        for together in leases:
            reports += await asyncio.gather(*(writer.write(lease) for lease in together))
    finally:
        await writer.stop()
    segments = [item.key for item in store.list(STAGING)]
    return reports, [index for key in segments for index in segment_indices(store, key)]


def test_death_of_an_engine_is_in_every_later_report_though_the_first_was_lost(tmp_path) -> None:
    leases = [[Lease(1, unit, tuple(range(5 * unit, 5 * unit + 5)))] for unit in range(3)]
    (first, *later), staged = asyncio.run(reports_of(DyingEngine(), tmp_path, leases))
    assert (first.died, sorted(first.in_flight)) == (True, [0, 1, 2, 3, 4])
    assert [(one.died, one.in_flight, one.cause) for one in later] == [(True, (), first.cause)] * 2
    assert staged == []


def test_engine_that_dies_with_several_open_units_costs_what_was_under_way_and_nothing_else(
    tmp_path,
) -> None:
    leases = [Lease(1, unit, tuple(range(8 * unit, 8 * unit + 8))) for unit in range(3)]
    reports, staged = asyncio.run(reports_of(DyingEngine(answers=7), tmp_path, [leases]))
    covered = [index for report in reports for index in report.covered]
    suspects = [index for report in reports for index in report.in_flight]
    assert [report.died for report in reports] == [True] * 3
    assert sorted(staged) == sorted(covered)
    assert (len(covered), len(suspects)) == (7, in_flight(CAPACITY))
    assert len({*covered, *suspects}) == len(covered) + len(suspects)
    for report, lease in zip(reports, leases, strict=True):
        assert {*report.covered, *report.in_flight} <= {*lease.indices}
