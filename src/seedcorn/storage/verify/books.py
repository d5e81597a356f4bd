"""The ledger proved: every entry folds, every forecast is what log and sketches give."""

from collections.abc import Callable, Mapping, Sequence

from seedcorn.core.figures import counted
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import Entry, Measurement
from seedcorn.core.log.state import FORECAST, CorpusState, abandoned_in
from seedcorn.core.recipe import LedgerSpec, Recipe
from seedcorn.core.verify.forecast_proof import check_forecast
from seedcorn.storage.log.reading import read_deltas
from seedcorn.storage.stores.store import Store


def prove_ledger(
    store: Store,
    entries: Sequence[Entry],
    recipes: Mapping[int, Recipe],
    advance: Callable[[str, int, int], None],
) -> tuple[str, str, str]:
    """Fold the ledger over sketches whose bytes are the log's; returns what was found.

    Forecasts of abandoned generations are not recomputed: nothing follows from them. Raises
    CorruptCorpus naming the entry.
    """
    abandoned = abandoned_in(entries)
    ledger = Ledger(LedgerSpec().fingerprints, abandoned=abandoned)
    state, sketches, forecasts = CorpusState(), 0, 0
    for entry in entries:
        forecast = _forecast_of(entry)
        if forecast is not None and forecast.subject["generation"] not in abandoned:
            recipe = recipes[int(forecast.subject["generation"])]
            check_forecast(entry.sequence, forecast, state, ledger, recipe)
            forecasts += 1
        state.apply(entry)
        deltas = read_deltas(store, entry)
        ledger.apply(entry, deltas)
        sketches += len(deltas or ())
        advance("sketches", entry.sequence + 1, len(entries))
    return (
        f"{counted(len(ledger.rows()), 'generation')} balanced",
        counted(sketches, "sketch", "sketches"),
        f"{counted(forecasts, 'forecast')} recomputed",
    )


def _forecast_of(entry: Entry) -> Measurement | None:
    body = entry.body
    return body if isinstance(body, Measurement) and body.name == FORECAST else None
