"""The unit writer refuses what it was not started for; its work is tested through whole runs."""

import asyncio
from typing import Any

from seedcorn.core.engine import EngineInfo
from seedcorn.core.leasing import Lease
from seedcorn.runtime.unit_writer import UnitWriter
from seedcorn.storage.memory_store import MemoryStore
from seedcorn.storage.samples import Lineage


def test_lease_of_another_generation_is_refused_and_stages_nothing() -> None:
    async def refused() -> None:
        nothing: Any = None
        store = MemoryStore("another generation")
        writer = UnitWriter(nothing, store, nothing, nothing, 60.0)
        info = EngineInfo("none", "none")
        await writer.start(nothing, Lineage(1, "f" * 32, info, {}), info)
        try:
            report = await writer.write(Lease(2, 7, (14, 15)))
            assert (report.died, report.covered, report.segments) == (True, (), ())
            assert report.cause == "started for generation 1, not 2"
            assert list(store.list("")) == []
        finally:
            await writer.stop()

    asyncio.run(refused())
