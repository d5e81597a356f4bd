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
    sequence: int, recorded: Measurement, state: CorpusState, ledger: Ledger, recipe: Recipe
) -> None:
    """Raises CorruptCorpus naming the entry and the figure; `state` and `ledger` hold all before."""
    generation = state.unfinished
    if generation is None or generation.number != recorded.subject.get("generation"):
        raise CorruptCorpus(f"log entry {sequence} is a forecast of a generation that is not open")
    if recorded.subject.get("batches") != generation.batches:
        raise CorruptCorpus(
            f"log entry {sequence} is a forecast after {recorded.subject.get('batches')} batches; "
            f"{generation.batches} are committed"
        )
    batch = recorded.subject.get("batch")
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
        partial(ledger.scores.widening, generation.number, rule=ledger.prospects.rule),
        (cut, batch - generation.batches),
        partial(shares, generation, recipe.prompts),
    )
    pairs = ((found.subject, recorded.subject), (found.values, recorded.values))
    where = next(filter(None, (_difference(*pair, "") for pair in pairs)), "")
    if where:
        raise CorruptCorpus(
            f"log entry {sequence}: its forecast is not what log and sketches give ({where}); "
            "decisions were made on another one"
        )


def _difference(found: Any, recorded: Any, where: str) -> str:
    """The first place where two JSON values differ, empty where they agree."""
    if isinstance(found, dict) and isinstance(recorded, dict) and found.keys() == recorded.keys():
        places = (_difference(found[key], recorded[key], f"{where}.{key}") for key in found)
        return next(filter(None, places), "")
    same = found == recorded
    if isinstance(found, int | float) and isinstance(recorded, int | float):
        same = isclose(found, recorded, rel_tol=PRECISION, abs_tol=PRECISION)
    return "" if same else f"{where.removeprefix('.')} is {recorded}, not {found}"
