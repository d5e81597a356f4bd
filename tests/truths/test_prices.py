"""Prices and tokens in the ledger of whole runs, against an endpoint that knows what it spent."""

import asyncio
import contextlib
import time
from collections import Counter

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.engine import Completion, EngineInfo
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.local.cluster import LocalCluster, local_cluster
from seedcorn.runtime.local.worker import LocalWorker
from seedcorn.runtime.worker.setup import make_engine
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from tests.cases.running import write_recipe
from tests.servers.endpoint import Endpoint, serving

PACES = {"brisk": 0.2, "pensive": 2.0}
"""Seconds of an answer, by a word of its prompt."""
SLOTS = 12


def grown(folder, endpoint, host=local_cluster, **changes):
    """The ledger document of a corpus written through the endpoint, and its batches."""
    openai = {"base_url": f"{endpoint.url}/v1", "max_concurrency": SLOTS}
    engine = {"kind": "openai", "model": "writer", "sampling": {"max_tokens": 64}, "openai": openai}
    path = write_recipe(folder, engine=engine, units={"unit": 8, "batch": 2}, **changes)
    assert grow(load_recipe(str(path)), lambda look: None, host).complete
    store = open_store(str(folder / "corpus"), StoreSpec())
    bodies = [e.body for e in read_log(store) if isinstance(e.body, BatchCommitted)]
    return to_json(read_ledger(store)), bodies


class Paced:
    """An engine in this process that runs twelve requests at once, takes its time over each, by a
    word of its prompt, and knows what it spent."""

    def __init__(self, spent):
        self._spent, self._slots = spent, asyncio.Semaphore(SLOTS)

    async def start(self):
        return EngineInfo("paced", "writer", capacity=SLOTS)

    async def submit(self, request):
        word = next(word for word in PACES if word in str(request.messages))
        async with self._slots:
            began = time.monotonic()
            await asyncio.sleep(PACES[word])
            self._spent[word] += time.monotonic() - began
        text = " ".join(f"word{request.seed}x{place}" for place in range(40))
        return Completion(text, 9, 40, "stop")

    async def stats(self):
        return {}

    async def drain(self):
        return None

    async def close(self):
        return None


def test_two_strata_of_equal_tokens_and_seconds_one_to_ten_cost_one_to_ten(tmp_path):
    spent = Counter()

    @contextlib.contextmanager
    def host(run, engine):
        yield LocalCluster(lambda slot, seconds: LocalWorker(slot, seconds, lambda _: Paced(spent)))

    prompts = [{"name": word, "template": f"Tell this {word}: {{{{ parent }}}}"} for word in PACES]
    document, batches = grown(
        tmp_path, Endpoint(url="http://nobody"), host, samples=48, prompts=prompts
    )
    (times,) = document["measured"]
    counted = {row["stratum"]: row["tokens"] for row in document["strata"]}
    held = {word: times["strata_times"][word]["paid_hours"] for word in PACES}
    cost = {word: held[word] / counted[word] for word in PACES}

    assert all(batch.strata.keys() == PACES.keys() for batch in batches)
    # One to ten where nothing else keeps this process busy; the endpoint knows what it was.
    ratio = spent["pensive"] / spent["brisk"]
    assert ratio > 6
    assert cost["pensive"] / cost["brisk"] == pytest.approx(
        ratio * counted["brisk"] / counted["pensive"], rel=0.15
    )
    for word in PACES:
        assert times["strata_times"][word]["seconds"] == pytest.approx(spent[word], rel=0.15)
    assert sum(held.values()) == pytest.approx(times["paid_hours"])
    assert times["paid_hours"] > times["engine_hours"]


ANSWERS = 20
"""That the first worker gets before it is lost."""


class Stalling:
    """An engine that hands on so many requests; later ones wait for ever and reach no endpoint."""

    def __init__(self, engine):
        self._engine, self._left = engine, ANSWERS
        self.start, self.stats = engine.start, engine.stats
        self.drain, self.close = engine.drain, engine.close

    async def submit(self, request):
        self._left -= 1
        if self._left < 0:
            await asyncio.Event().wait()
        return await self._engine.submit(request)


class Dying(LocalWorker):
    """A worker that dies once, after its last sign of life, with finished samples that it had not
    staged."""

    left = 1

    def __init__(self, slot, engine_time):
        self._dies, Dying.left = Dying.left > 0, 0
        wrapped = Stalling if self._dies else lambda engine: engine
        super().__init__(slot, engine_time, lambda job: wrapped(make_engine(job)))

    async def write(self, lease):
        writing = asyncio.ensure_future(super().write(lease))
        while self._dies and not writing.done():
            await asyncio.sleep(0.01)
            if await self.finished() == ANSWERS:
                await self.progress()
                writing.cancel()
                raise Lost("killed")
        return await writing


@contextlib.contextmanager
def dying_host(run, engine):
    yield LocalCluster(Dying)


def test_tokens_spent_are_those_the_endpoint_counted_though_a_worker_was_lost(tmp_path):
    with serving(answer_s=0.05) as endpoint:
        document, _ = grown(tmp_path, endpoint, dying_host, samples=96)
    (row,), (times,) = document["generations"], document["measured"]

    assert endpoint.answers > 96
    assert times["regenerated_tokens"] == 40 * (endpoint.answers - 96)
    assert endpoint.tokens == row["tokens"]["generated"] + times["regenerated_tokens"]
