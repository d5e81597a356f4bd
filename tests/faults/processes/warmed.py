"""Importing this grows and proves a corpus in memory: every kernel is loaded before drivers are forked from here.

All threads that it starts end with it, so that a fork inherits none.
"""

from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.opening import open_store
from tests.faults.processes.corpora import found
from tests.faults.processes.driver import RECIPE, SMALL
from tests.growing import grow_in_process

_loaded = load_recipe(RECIPE, [*SMALL, "corpus=memory:warm", "engine.simulated.latency_s=0"])
grow_in_process(_loaded.recipe, "memory:warm", _loaded.base)
found(open_store("memory:warm", StoreSpec()))
