"""Which slots a crew has: as many as the recipe says, or as the cluster holds while it changes.

Looks at the cluster every few seconds. Workers on nodes that drain are retired whatever the recipe
says, and whoever waits for resources is told what is missing: no run waits in silence.
"""

import asyncio
import logging
from collections.abc import Sequence

from seedcorn.core.scheduling.leasing import most_workers
from seedcorn.core.scheduling.scaling import GRACE_S, Look, Node, Scaler, missing, need_of, room
from seedcorn.runtime.driver import clock
from seedcorn.runtime.driver.crew import STEADY, Crew, Pace
from seedcorn.runtime.driver.ports import Cluster
from seedcorn.runtime.job import GenerationJob

logger = logging.getLogger(__name__)
PATIENT_S = 10.0
"""How long a worker may wait for its place before that is said."""
REPEAT_S = 60.0


class Staff:
    """The slots of one generation's crew."""

    def __init__(
        self, cluster: Cluster, crew: Crew, job: GenerationJob, pace: Pace = STEADY
    ) -> None:
        """Nothing is started before `run`."""
        self._cluster, self._crew, self._pace = cluster, crew, pace
        recipe = job.recipe
        self._spec = recipe.engine
        self._need = need_of(self._spec)
        self._scaler = Scaler(most_workers(recipe.engine, recipe.units, recipe.samples))
        self._tended: set[int] = set()
        self._given_up: dict[int, str] = {}
        """Hopeless slots, and the node on which each was last seen."""
        self._warned_at = -REPEAT_S
        self._capped = False

    async def run(self) -> None:
        """Tend slots until the generation is done or drained; what a slot raises comes out."""
        async with asyncio.TaskGroup() as group:
            first = self._first()
            for slot in self._cluster.slots():
                if slot not in first:
                    await self._cluster.discard_worker(slot)
            for slot in first:
                self._open(group, slot)
            while not self._crew.over:
                await self._look(group)
                await self._until(clock.now() + self._pace.look_s)

    def _first(self) -> list[int]:
        """The slots to begin with: all of them, or those an earlier generation left workers in."""
        if not self._spec.scales:
            return list(range(self._spec.least_workers))
        return self._cluster.slots()[: self._scaler.most]

    async def _until(self, end: float) -> None:
        while not self._crew.over and (left := end - clock.now()) > 0:
            await self._crew.changes.wait(left)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        nodes = await self._cluster.nodes()
        leaving = {n.id: n.leaves_in for n in nodes if n.leaves_in is not None}
        for slot, node in list(self._crew.placed.items()):
            if node in leaving:
                await self._crew.retire(slot, leaving[node], "its node is draining")
        if self._spec.scales and not self._crew.over:
            await self._follow(group, nodes)
        self._explain(nodes)

    async def _follow(self, group: asyncio.TaskGroup, nodes: Sequence[Node]) -> None:
        """Start workers where there is room, take back those that wait for what is gone."""
        here = {node.id for node in nodes}
        for slot in [s for s, node in self._given_up.items() if node not in here]:
            del self._given_up[slot]
            self._crew.supervisor.closed(slot)
        stuck = self._waiting(GRACE_S)
        look = Look(
            room=room(nodes, self._need),
            placed=len(self._crew.placed),
            waiting=len(self._tended) - len(self._crew.placed),
            stuck=len(stuck),
            given_up=len(self._given_up),
        )
        change = self._scaler.change(look)
        for _ in range(change):
            self._open(group, self._unused())
        for slot in stuck[:-change] if change < 0 else ():
            await self._crew.retire(slot, 0.0, "the node it waits for is gone")
        if change and self._tended:
            logger.info(
                "workers: auto is now %d; nodes in the cluster: %d", len(self._tended), len(here)
            )
        self._say_cap(look)

    def _open(self, group: asyncio.TaskGroup, slot: int) -> None:
        self._tended.add(slot)
        self._crew.supervisor.opened(slot)
        group.create_task(self._tend(slot))

    async def _tend(self, slot: int) -> None:
        await self._crew.tend(slot)
        self._tended.discard(slot)
        if self._crew.supervisor.given_up(slot):
            self._given_up[slot] = self._crew.last_place.get(slot, "")
        elif self._spec.scales:
            self._crew.supervisor.closed(slot)

    def _unused(self) -> int:
        taken = self._tended | self._given_up.keys()
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _waiting(self, seconds: float) -> list[int]:
        """Slots whose worker has waited so long for a place, those that began last first."""
        now = clock.now()
        asking = sorted(self._crew.asking.items(), key=lambda item: -item[1])
        return [slot for slot, since in asking if now - since > seconds]

    def _explain(self, nodes: Sequence[Node]) -> None:
        """Say what is missing, soon and then once a minute."""
        waiting = self._waiting(PATIENT_S)
        if waiting and clock.now() - self._warned_at >= REPEAT_S:
            self._warned_at = clock.now()
            logger.warning("%s", missing(nodes, self._need, len(waiting)))

    def _say_cap(self, look: Look) -> None:
        """Once: the cluster would hold more than the recipe keeps busy."""
        engaged = look.placed + look.waiting
        if not self._capped and engaged >= self._scaler.most and look.room > look.waiting:
            self._capped = True
            logger.info(
                "workers: auto stays at %d: units.unit x units.batch x units.ahead keeps no more "
                "of them busy",
                self._scaler.most,
            )
