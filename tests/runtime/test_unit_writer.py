"""The unit writer refuses what it was not started for; its work is tested through whole runs."""

import asyncio
from typing import Any

import pytest

from seedcorn.core.engine import EngineInfo
from seedcorn.core.leasing import Lease
from seedcorn.runtime.ports import Lost
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
            with pytest.raises(Lost, match="generation 1 .* unit 7 of generation 2"):
                await writer.write(Lease(2, 7, (14, 15)))
            assert list(store.list("")) == []
        finally:
            await writer.stop()

    asyncio.run(refused())
