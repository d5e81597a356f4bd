"""Grows small corpora in this process: `grow` on the cluster without Ray, with a clock that counts."""

from dataclasses import replace
from itertools import count

from seedcorn.core.decisions.growth import WholeRecipe
from seedcorn.core.errors import SeedcornError
from seedcorn.core.log.entries import GenerationStarted, WriterOpened
from seedcorn.core.log.layout import WRITER
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import LoadedRecipe, resolved
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.local.cluster import local_cluster
from seedcorn.storage.log.log import START, open_writer
from seedcorn.storage.stores.opening import open_store


def grow_in_process(recipe, store_uri, base, batches=None, guide=None, now=None, rules=None):
    """Grow until the recipe's `generations` exist, or what `guide` says; or for so many `batches`,
    after which the driver dies, with more of them staged.

    `base` is the folder that relative seed paths start at. Time in the log counts what happens, or
    is what `now()` says: files of a seed that grows are as old as that makes them. `rules`, where
    they are given, are those of older code that the first generation starts under.
    """
    ticks = count()
    now, guide = now or (lambda: float(next(ticks))), guide or WholeRecipe(recipe)
    if batches is not None:
        guide = Dying(guide, batches)
    loaded = LoadedRecipe(replace(recipe, corpus=store_uri), base, "recipe.yaml")
    if rules is not None:
        start_under(rules, loaded)
    try:
        grow(loaded, lambda look: None, local_cluster, guide, now)
    except Died:
        # This process lives on: without its heartbeat the next driver need not wait for it.
        open_store(store_uri, recipe.store).delete(WRITER)


def start_under(rules, loaded):
    """A fresh corpus whose first generation has started, and no more."""
    recipe, state = loaded.recipe, CorpusState()
    store = open_store(recipe.corpus, recipe.store)
    opened = WriterOpened("older", 1, "0.1.0")
    log = open_writer(store, START, "0" * 16, opened, lambda: 0.0, state.apply)
    sources = Catalogues(recipe, loaded.base, store, state)
    sources.log_new(state, log)
    fingerprints = (recipe.fingerprint, sources.fingerprint(state))
    log.append(GenerationStarted(1, resolved(recipe), *fingerprints, {"seedcorn": "0.1.0"}, rules))


class Died(SeedcornError):
    """So many batches are committed."""


class Dying:
    """A guide under which the driver dies once so many batches are committed and decided on. It
    finishes a generation that is whole by then, and starts no other."""

    def __init__(self, guide, batches):
        self._guide, self._batches, self._last = guide, batches, None

    def next(self, state):
        """Nothing, once there are enough."""
        committed = _committed(state)
        if self._last is None:
            self._last = committed + self._batches
        return self._guide.next(state) if committed < self._last else None

    def due(self, state):
        """What the guide says before the next batch opens."""
        decision, grown = self._guide.due(state), state.unfinished
        whole = grown.units * grown.recipe["units"]["unit"] >= grown.samples
        if decision is None and not whole and _committed(state) >= self._last:
            raise Died
        return decision

    def why(self, state):
        """As the guide."""
        return self._guide.why(state)


def _committed(state):
    return sum(generation.batches for generation in state.generations.values())
