"""What has to be said before the next batch opens: sample rate, forecast, decisions, in this order.

Invariant: asked again after each entry it gives the same entries in the same order, whoever asks
and whatever was restarted in between.
"""

from functools import partial

from seedcorn.core.decisions.stopping import due, shares
from seedcorn.core.decisions.yields import forecast_until
from seedcorn.core.forecast.prospects import forecast_entry
from seedcorn.core.ledger.ledger import SKETCH_RATE, Ledger
from seedcorn.core.log.entries import Body, Decision
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import Recipe
from seedcorn.core.scheduling.leasing import Cut


def next_due(state: CorpusState, ledger: Ledger, recipe: Recipe) -> Body | None:
    """The next entry to append; None once everything is said, or no generation is open."""
    generation = state.unfinished
    if generation is None:
        return None
    needed = ledger.rate_needed()
    if needed < ledger.history.rate:
        reason = f"more than {recipe.ledger.fingerprints} hashes of one length"
        value = {"rate": needed}
        return Decision(generation.number, generation.batches, SKETCH_RATE, value, reason)
    # Where a sketch is missing nothing can be forecast; what needs no forecast is still decided.
    if ledger.seen and forecast_until(generation) < generation.batches:
        cut = Cut(generation.samples, recipe.units.unit, recipe.units.batch)
        return forecast_entry(
            ledger.prospects,
            ledger.history,
            generation,
            partial(ledger.scores.widening, generation.number, rule=ledger.prospects.rule),
            (cut, recipe.units.ahead),
            partial(shares, generation, recipe.prompts),
        )
    return due(state, recipe, ledger.accounts[-1].watch.alarms)
