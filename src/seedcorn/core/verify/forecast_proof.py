"""Proof that a forecast in the log is the one that log and sketches give.

Invariant: the entry's counts are exact; its interval agrees to rounding, as two machines may sum
floats in different orders.
"""

from functools import partial
from math import isclose
from typing import Any

from seedcorn.core.decisions.stopping import shares
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.forecast.prospects import forecast_entry
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import Recipe
from seedcorn.core.scheduling.leasing import Cut

PRECISION = 1e-6
"""Relative, and in fingerprints: what two orders of summing may differ by."""


def check_forecast(
    sequence: int, said: Measurement, state: CorpusState, ledger: Ledger, recipe: Recipe
) -> None:
    """Raises CorruptCorpus naming the entry and the figure; `state` and `ledger` hold all before."""
    generation = state.unfinished
    if generation is None or generation.number != said.subject.get("generation"):
        raise CorruptCorpus(f"log entry {sequence} is a forecast of a generation that is not open")
    if said.subject.get("batches") != generation.batches:
        raise CorruptCorpus(
            f"log entry {sequence} is a forecast after {said.subject.get('batches')} batches; "
            f"{generation.batches} are committed"
        )
    batch = said.subject.get("batch")
    if not isinstance(batch, int) or batch < generation.batches:
        raise CorruptCorpus(
            f"log entry {sequence} is a forecast of batch {batch}; {generation.batches} are "
            "committed already"
        )
    cut = Cut(generation.samples, recipe.units.unit, recipe.units.batch)
    found = forecast_entry(
        ledger.prospects,
        ledger.history,
        generation,
        ledger.promises.record,
        (cut, batch - generation.batches),
        partial(shares, generation, recipe),
    )
    pairs = ((found.subject, said.subject), (found.values, said.values))
    where = next(filter(None, (_difference(*pair, "") for pair in pairs)), "")
    if where:
        raise CorruptCorpus(
            f"log entry {sequence}: its forecast is not what log and sketches give ({where}); "
            "decisions were made on another one"
        )


def _difference(found: Any, said: Any, where: str) -> str:
    """The first place where two JSON values differ, empty where they agree."""
    if isinstance(found, dict) and isinstance(said, dict) and found.keys() == said.keys():
        places = (_difference(found[key], said[key], f"{where}.{key}") for key in found)
        return next(filter(None, places), "")
    same = found == said
    if isinstance(found, int | float) and isinstance(said, int | float):
        same = isclose(found, said, rel_tol=PRECISION, abs_tol=PRECISION)
    return "" if same else f"{where.removeprefix('.')} is {said}, not {found}"
