"""The ledger as one JSON document: what `seedcorn ledger --json` prints, and every reader reads.

Invariant: everything outside the key `measured` is a function of texts, decisions and how the plan
was cut into batches, so two runs of equal texts print equal JSON there, whatever was killed and
restarted in between. What follows the cut alone stands under `curve`, `forecasts`, `alarms`,
`decisions`, `policy_changes`, `forecast` and the strata's `next`; a `verdict` reads alarms.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, Protocol, TypedDict, cast

from seedcorn.core.companions.companions import Companions
from seedcorn.core.forecast.prospects import ALL, Coming, prospects_of
from seedcorn.core.forecast.scores import ForecastScores
from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.accounts import Account
from seedcorn.core.ledger.course import (
    Course,
    Expectations,
    course_of,
    expectations_of,
    next_tokens,
)
from seedcorn.core.ledger.judging import verdict_of
from seedcorn.core.ledger.prices import Times, TimesOfRow
from seedcorn.core.ledger.rows import (
    Audit,
    Containment,
    GenerationRow,
    StratumRow,
    Tokens,
    Unique,
    UniqueTokens,
    Withdrawals,
)
from seedcorn.core.ledger.verdict.verdict import VerdictNote
from seedcorn.core.ledger.verdict.waterfall import Span, Waterfall, waterfall
from seedcorn.core.ledger.verifiers import adjusted_unique, information_budget, worth_of_repeats
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE

FORMAT = 2
"""Version of the JSON."""
EPOCHS = 4
"""Passes up to which repeats were found nearly as good as new text (Muennighoff et al. 2023)."""
ByLength = dict[str, Bounds]
"""Distinct shingles by shingle length; empty where unknown."""


class GenerationFigures(UniqueTokens):
    """What one generation added, as `GenerationRow` explains it, without measured times."""

    generation: int
    recipe: str
    status: str
    reason: str
    detail: str
    planned: int
    committed: int
    counts: dict[str, int]
    reasons: dict[str, int]
    duplicates: dict[str, int]
    tokens: Tokens
    unit: str
    unique: ByLength
    unknown: str
    instances: Bounds | None
    yield_per_token: float | None
    withdrawn: Withdrawals
    net_unique: ByLength
    containment: Containment
    marked: dict[str, int]
    companions: Companions | None
    precision: Audit | None
    adjusted_unique: Span | None
    """Unique and right."""
    information_budget: float
    """Bits."""
    coverage: float | None
    verdict: VerdictNote
    waterfall: Waterfall


class Generation(GenerationFigures, Course):
    """One generation, and how it came about."""


class Stratum(UniqueTokens):
    """What one stratum added, as `StratumRow` explains it."""

    generation: int
    stratum: str
    counts: dict[str, int]
    tokens: int
    unit: str
    unique: ByLength
    exclusive: ByLength
    net_unique: ByLength
    yield_per_token: float | None
    next: Coming | None
    next_tokens: Bounds | None
    form: dict[str, float] | None
    precision: Audit | None


class Repeats(TypedDict):
    """What `epochs` passes over the unique tokens are worth, in fresh ones."""

    unique: float
    epochs: float
    worth: float


class GivenUp(TypedDict):
    """An abandoned generation: what it had come to, none of which counts."""

    generation: int
    recipe: str
    reason: str
    planned: int
    committed: int
    accepted: int


class LedgerDocument(TypedDict):
    """All of it."""

    corpus: NotRequired[str]
    """Where it lies, or what was read."""
    notes: NotRequired[list[str]]
    """What `measure` says of what it read."""
    format: int
    sketch_rate: float
    generations: list[Generation]
    """Those that stand."""
    abandoned: NotRequired[list[GivenUp]]
    """Only where there are any."""
    strata: list[Stratum]
    forecast: Expectations
    repeats: Repeats | None
    measured: list[Times]


class LedgerView(Protocol):
    """What of a ledger the document tells."""

    history: History
    scores: ForecastScores

    @property
    def accounts(self) -> Sequence[Account]:
        """One per generation that stands."""
        ...

    @property
    def abandoned(self) -> Sequence[Account]:
        """One per generation that was abandoned."""
        ...

    def rows(self) -> list[GenerationRow]:
        """One per generation."""
        ...

    def strata(self) -> list[StratumRow]:
        """One per generation and stratum."""
        ...


def document(ledger: LedgerView) -> LedgerDocument:
    """Plain JSON values with sorted keys; measured times stand under `measured` alone."""
    rows, accounts = ledger.rows(), {a.generation: a for a in ledger.accounts}
    pairs = list(zip(rows, accounts.values(), strict=True))
    newest = ledger.accounts[-1] if rows else None
    value: LedgerDocument = {
        "format": FORMAT,
        "sketch_rate": ledger.history.rate,
        "generations": [_generation(row, account, ledger.scores) for row, account in pairs],
        "strata": [
            _stratum(row, accounts[row.generation], ledger.scores) for row in ledger.strata()
        ],
        "forecast": expectations_of(rows, ledger.scores, newest),
        "repeats": _repeats(rows),
        "measured": [
            {**times_of(row), "curve": [tick.engine_seconds for tick in account.ticks]}
            for row, account in pairs
        ],
    }
    if ledger.abandoned:
        value["abandoned"] = [_given_up(account) for account in ledger.abandoned]
    return cast(LedgerDocument, _sorted(value))


def figures_of(row: GenerationRow) -> GenerationFigures:
    """The figures of a row."""
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
        "unique": _by_length(row.unique),
        "unknown": row.unknown,
        "instances": _bounds(row.instances),
        "yield_per_token": row.yield_per_token,
        "withdrawn": row.withdrawn,
        "net_unique": _by_length(row.net_unique),
        "containment": row.containment,
        "marked": row.marked,
        "companions": row.companions,
        "precision": row.precision,
        "adjusted_unique": _adjusted(row),
        "information_budget": _budget(row),
        "coverage": row.coverage,
        "verdict": verdict_of(row).note,
        "waterfall": _waterfall(row),
        **_unique_tokens(row),
    }


def times_of(row: GenerationRow) -> TimesOfRow:
    """The measured times of a row."""
    return {
        "generation": row.generation,
        "engine_hours": row.engine_hours,
        "unique_per_engine_hour": row.unique_per_engine_hour,
        "next_hour": _bounds(row.next_hour),
        "next_hour_tokens": _bounds(row.next_hour_tokens),
        "engine_time": row.engine_time,
        "paid_hours": row.paid_hours,
        "unique_tokens_per_paid_hour": row.unique_tokens_per_paid_hour,
        "strata_times": row.strata_times,
        "regenerated_tokens": row.regenerated_tokens,
    }


def _generation(row: GenerationRow, account: Account, scores: ForecastScores) -> Generation:
    return {**figures_of(row), **course_of(account, scores)}


def _given_up(account: Account) -> GivenUp:
    return {
        "generation": account.generation,
        "recipe": account.recipe,
        "reason": account.reason,
        "planned": account.planned,
        "committed": account.samples,
        "accepted": account.counts["accepted"],
    }


def _stratum(row: StratumRow, account: Account, scores: ForecastScores) -> Stratum:
    strata = prospects_of(scores.last(row.generation))
    prospect = strata.get(row.stratum) or strata.get(ALL)
    return {
        "generation": row.generation,
        "stratum": row.stratum,
        "counts": row.counts,
        "tokens": row.tokens,
        "unit": row.unit,
        "unique": _by_length(row.unique),
        "exclusive": _by_length(row.exclusive),
        "net_unique": _by_length(row.net_unique),
        "yield_per_token": row.yield_per_token,
        "next": prospect["next"] if prospect is not None else None,
        "next_tokens": next_tokens(account, scores, row.stratum),
        "form": account.form.get(row.stratum),
        "precision": row.precision,
        **_unique_tokens(row),
    }


def _unique_tokens(row: GenerationRow | StratumRow) -> UniqueTokens:
    return {
        "ledger_unit": row.ledger_unit,
        "unique_tokens": _bounds(row.unique_tokens),
        "unique_share": _bounds(row.unique_share),
        "short": row.short,
        "net_unique_tokens": _bounds(row.net_unique_tokens),
    }


def _waterfall(row: GenerationRow) -> Waterfall:
    left = (row.companions or {}).get("unexplained")
    audit = Interval.of(row.precision) if row.precision is not None else None
    share = Interval.of(left) if left else None
    tokens = row.tokens["generated"], row.tokens["accepted"]
    return waterfall(*tokens, row.unique_tokens, share, audit)


def _repeats(rows: Sequence[GenerationRow]) -> Repeats | None:
    if not rows or not all(row.unique for row in rows):
        return None
    unique = sum(row.unique[HEADLINE].estimate for row in rows)
    return {"unique": unique, "epochs": EPOCHS, "worth": worth_of_repeats(unique, EPOCHS)}


def _adjusted(row: GenerationRow) -> Span | None:
    if row.precision is None or not row.unique:
        return None
    low, high = adjusted_unique(row.unique[HEADLINE], Interval.of(row.precision))
    return {"low": low, "high": high}


def _budget(row: GenerationRow) -> float:
    """Bits: every sample the checks saw is a decision; duplicates had passed them."""
    passed = row.counts["accepted"] + row.counts["duplicate"]
    return information_budget(passed + row.counts["rejected"], passed)


def _by_length(unique: Unique) -> ByLength:
    return {str(length): interval.bounds for length, interval in unique.items()}


def _bounds(interval: Interval | None) -> Bounds | None:
    return interval.bounds if interval is not None else None


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
