"""The ledger as one JSON document.

Invariant: everything outside the key `measured` is a function of texts, decisions and how the plan
was cut into batches, so two runs of equal texts print equal JSON there, whatever was killed and
restarted in between. What follows the cut alone stands under `curve`, `forecasts`, `alarms`,
`decisions` and `forecast`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from seedcorn.core.forecast.forecast import trend
from seedcorn.core.forecast.promises import Promises, batch_of
from seedcorn.core.forecast.prospects import ALL
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.accounts import Account
from seedcorn.core.ledger.rows import GenerationRow, StratumRow, Unique
from seedcorn.core.ledger.verifiers import adjusted_unique, information_budget, worth_of_repeats
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE

FORMAT = 2
"""Version of the JSON."""
EPOCHS = 4
"""Passes over the accepted text that the value of repeats is given for: the number up to which
repeats were found nearly as good as new text (Muennighoff et al. 2023)."""
GENERATIONS = 4
"""Generations that a trend needs."""


class Books(Protocol):
    """What of a ledger the document tells."""

    history: History
    promises: Promises

    @property
    def accounts(self) -> Sequence[Account]:
        """One per generation."""
        ...

    def rows(self) -> list[GenerationRow]:
        """One per generation."""
        ...

    def strata(self) -> list[StratumRow]:
        """One per generation and stratum."""
        ...


def document(books: Books) -> dict[str, Any]:
    """Plain JSON values with sorted keys; measured times stand under `measured` alone."""
    rows = books.rows()
    pairs = list(zip(rows, books.accounts, strict=True))
    value = {
        "format": FORMAT,
        "sketch_rate": books.history.rate,
        "generations": [_generation(row, account, books) for row, account in pairs],
        "strata": [_stratum(row, books) for row in books.strata()],
        "forecast": _forecast(rows, books),
        "repeats": _repeats(rows),
        "measured": [_measured(row, account) for row, account in pairs],
    }
    return _sorted(value)


def _generation(row: GenerationRow, account: Account, books: Books) -> dict[str, Any]:
    newest = books.promises.last(row.generation)
    return {
        "generation": row.generation,
        "recipe": row.recipe,
        "status": row.status,
        "reason": row.reason,
        "detail": row.detail,
        "planned": row.planned,
        "committed": row.committed,
        "counts": row.counts,
        "reasons": row.reasons,
        "duplicates": row.duplicates,
        "tokens": row.tokens,
        "unit": row.unit,
        "unique": _unique(row.unique),
        "unknown": row.unknown,
        "instances": _interval(row.instances),
        "yield_per_token": row.yield_per_token,
        "withdrawn": row.withdrawn,
        "net_unique": _unique(row.net_unique),
        "containment": row.containment,
        "companions": row.companions,
        "precision": row.precision,
        "adjusted_unique": _adjusted(row),
        "information_budget": _budget(row),
        "coverage": newest.values["strata"][ALL]["coverage"] if newest is not None else None,
        "curve": _curve(account, books),
        "forecasts": _forecasts(row.generation, books),
        "alarms": [asdict(alarm) for alarm in account.watch.alarms],
        "decisions": [
            {"batch": d.batch, "action": d.action, "value": d.value, "reason": d.reason}
            for d in account.decisions
        ],
    }


def _stratum(row: StratumRow, books: Books) -> dict[str, Any]:
    newest = books.promises.last(row.generation)
    strata = newest.values["strata"] if newest is not None else {}
    account = books.accounts[row.generation - 1]
    return {
        "generation": row.generation,
        "stratum": row.stratum,
        "counts": row.counts,
        "tokens": row.tokens,
        "unit": row.unit,
        "unique": _unique(row.unique),
        "exclusive": _unique(row.exclusive),
        "net_unique": _unique(row.net_unique),
        "yield_per_token": row.yield_per_token,
        "next": strata.get(row.stratum, strata.get(ALL, {})).get("next"),
        "form": account.form.get(row.stratum),
        "precision": account.audits.get(row.stratum),
    }


def _curve(account: Account, books: Books) -> list[dict[str, Any]]:
    """The generation after each batch; U where a forecast entry recorded it."""
    recorded = books.promises.unique(account.generation)
    return [
        {
            "batch": number,
            "samples": tick.samples,
            "generated": tick.generated,
            "accepted": tick.accepted,
            "counts": tick.counts,
            "unique": _interval(recorded.get(number + 1)),
        }
        for number, tick in enumerate(account.ticks)
    ]


def _forecasts(generation: int, books: Books) -> list[dict[str, Any]]:
    return [
        {
            "batch": batch_of(promise),
            "stratum": promise.stratum,
            "samples": promise.forecast.samples,
            "estimate": promise.forecast.estimate,
            "low": promise.forecast.low,
            "high": promise.forecast.high,
            "truth": promise.truth,
            "covered": promise.covered,
        }
        for promise in books.promises.of(generation)
    ]


def _forecast(rows: Sequence[GenerationRow], books: Books) -> dict[str, Any]:
    record = books.promises.record
    newest = books.promises.last(len(rows))
    strata = newest.values["strata"] if newest is not None else {}
    coming = trend([(row.generation, row.unique[HEADLINE]) for row in _finished(rows)])
    known = len(_finished(rows))
    return {
        "scored": record.scored,
        "covered": record.covered,
        "widening": record.widening(),
        "next": [
            {"stratum": name, **values["next"]}
            for name, values in sorted(strata.items())
            if values["next"] is not None
        ],
        "trend": _interval(coming),
        "trend_unknown": ""
        if coming is not None
        else f"insufficient history: {known} of {GENERATIONS} generations",
    }


def _finished(rows: Sequence[GenerationRow]) -> list[GenerationRow]:
    return [row for row in rows if row.status == "finished" and row.unique]


def _repeats(rows: Sequence[GenerationRow]) -> dict[str, Any] | None:
    if not rows or not all(row.unique for row in rows):
        return None
    unique = sum(row.unique[HEADLINE].estimate for row in rows)
    return {"unique": unique, "epochs": EPOCHS, "worth": worth_of_repeats(unique, EPOCHS)}


def _adjusted(row: GenerationRow) -> dict[str, float] | None:
    if row.precision is None or not row.unique:
        return None
    precision = Interval(*(row.precision[end] for end in ("estimate", "low", "high")))
    low, high = adjusted_unique(row.unique[HEADLINE], precision)
    return {"low": low, "high": high}


def _budget(row: GenerationRow) -> float:
    """Bits: every sample the checks saw is a decision; duplicates had passed them."""
    passed = row.counts["accepted"] + row.counts["duplicate"]
    return information_budget(passed + row.counts["rejected"], passed)


def _measured(row: GenerationRow, account: Account) -> dict[str, Any]:
    return {
        "generation": row.generation,
        "engine_hours": row.engine_hours,
        "unique_per_engine_hour": row.unique_per_engine_hour,
        "next_hour": _interval(row.next_hour),
        "engine_time": row.engine_time,
        "curve": [tick.engine_seconds for tick in account.ticks],
    }


def _unique(unique: Unique) -> dict[str, dict[str, float] | None]:
    return {str(length): _interval(interval) for length, interval in unique.items()}


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return interval._asdict() if interval is not None else None


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
