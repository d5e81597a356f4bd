"""Small corpora on memory stores, grown run by run in this process, for tests of how they end."""

import itertools
from typing import Any

from seedcorn.config import recipe_from_dict
from seedcorn.core.log.entries import BatchCommitted, GenerationFinished, WriterOpened
from seedcorn.core.recipe import (
    EngineSpec,
    LedgerSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StopSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.storage.log.log import LogReader, open_writer, read_log
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.growing import grow_in_process

NUMBERS = itertools.count()
SIZE = 64
"""Samples of a batch."""
UNITS = UnitsSpec(unit=16, batch=4, ahead=2)
ENDLESS = SimulatedSpec(words=20, style="sentences", concurrency=16)


def recipe(samples=20 * SIZE, strata=1, simulated=ENDLESS, units=UNITS, generations=1, **stop):
    names = ["retell", "invent", "report"][:strata]
    return Recipe(
        name="stops",
        generations=generations,
        samples=samples,
        seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
        prompts=[PromptSpec(name=name, template="{{ parent }}") for name in names],
        engine=EngineSpec(kind="simulated", simulated=simulated),
        checks=[{"refusal": {}}],
        units=units,
        ledger=LedgerSpec(companions=0),
        stop=StopSpec(**stop),
    )


class Corpus:
    """A corpus on a memory store, grown run by run."""

    def __init__(self, folder):
        self.base = str(folder)
        (folder / "seed.txt").write_text("\n".join(f"Seed {n} of the corpus." for n in range(9)))
        self.uri = f"memory:stop-rule-{next(NUMBERS)}"

    @property
    def store(self):
        return open_store(self.uri, StoreSpec())

    def grow(self, recipe, batches=None):
        grow_in_process(recipe, self.uri, self.base, batches)
        return self

    def log(self, *kinds: type) -> list[Any]:
        return [e.body for e in read_log(self.store) if not kinds or isinstance(e.body, kinds)]

    def append(self, body):
        """What a command appends between two runs."""
        reader = LogReader(self.store)
        sequence = len(list(reader))
        opened = WriterOpened("audit", 1, "0.1.0")
        nonce = f"{sequence:016x}"
        writer = open_writer(
            self.store, reader.head, nonce, opened, lambda: 0.0, lambda entry: None
        )
        writer.append(body)

    @property
    def batches(self):
        return self.log(BatchCommitted)

    @property
    def ends(self):
        return [(body.generation, body.reason) for body in self.log(GenerationFinished)]

    def strata(self, batch):
        return set(self.batches[batch].strata)

    def sound(self):
        report = verify(self.store, recipe_from_dict)
        assert report.broken is None, report.broken
        return True
