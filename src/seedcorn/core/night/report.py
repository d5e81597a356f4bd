"""The delta report: what one night added, against the nights before it.

A pure function of the ledger document and the chronicle of the log up to where the next generation
begins, so it is the same whenever it is made. Invariant: measured times stand under `measured`
alone, and a figure that nobody knows is null, never zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import cast

from seedcorn.core.decisions.outlook import StratumOutlook
from seedcorn.core.forecast.forecast import trend
from seedcorn.core.intervals import Interval, clopper_pearson
from seedcorn.core.ledger.document import (
    Generation,
    LedgerDocument,
    Stratum,
    Times,
)
from seedcorn.core.ledger.measures import added_by, headline_unique, headline_yield
from seedcorn.core.night.chronicle import Round
from seedcorn.core.night.document import (
    FORMAT,
    GROWN,
    SKIPPED,
    UNFINISHED,
    Around,
    DriftNote,
    Expected,
    GrownNight,
    NextNight,
    NightTimes,
    NightWithout,
    StratumNight,
    WritingNote,
)
from seedcorn.core.night.drift import against
from seedcorn.core.night.night import between


def night_report(
    document: LedgerDocument, rounds: Sequence[Round], outlook: StratumOutlook | None = None
) -> GrownNight:
    """The report on the document's last generation, as plain JSON values.

    `rounds` is the chronicle of the same entries; `outlook` what as many samples again would add
    under the last generation's policy, where the history is too short for a trend.
    """
    generations = document["generations"]
    row, before = generations[-1], [g for g in generations[:-1] if g["status"] == "finished"]
    own = rounds[row["generation"] - 1]
    times = {one["generation"]: one for one in document["measured"]}
    return {
        "format": FORMAT,
        "night": own.night,
        "status": GROWN if row["status"] == "finished" else UNFINISHED,
        "generation": row["generation"],
        "reason": row["reason"],
        "deadline": any("deadline" in one["value"] for one in row["decisions"]),
        "detail": row["detail"],
        "verdict": row["verdict"],
        "unit": row["unit"],
        "planned": row["planned"],
        "committed": row["committed"],
        "counts": row["counts"],
        "tokens": row["tokens"],
        "unique": headline_unique(row["unique"]),
        "unique_tokens": row.get("unique_tokens"),
        "unknown": row["unknown"],
        "total": _total(generations),
        "total_tokens": _total_tokens(generations),
        "yield_per_token": row["yield_per_token"],
        "drift": {name: _drift(name, row, before) for name in FIGURES},
        "strata": _strata(document, row["generation"]),
        "expected": _expected(row, before),
        "next": _next(row, before, own.samples, outlook),
        "alarms": row["alarms"],
        "decisions": row["decisions"],
        **around(own, rounds),
        "measured": _measured(row, before, times, own),
    }


def skipped(
    night: str, why: str, text: str, document: LedgerDocument, rounds: Sequence[Round]
) -> NightWithout:
    """The report on a night that grew nothing, and why."""
    tail = rounds[-1]
    held = Round(night=night, seeds=tail.seeds)
    held.skipped = [one for one in tail.skipped if one.night != night]
    return {
        "format": FORMAT,
        "night": night,
        "status": SKIPPED,
        "generation": None,
        "reason": why,
        "detail": text,
        "total": _total(document["generations"]),
        **around(held, [*rounds[:-1], held]),
        "measured": {},
    }


def around(own: Round, rounds: Sequence[Round]) -> Around:
    """What came with the night besides text: rows, other nights, drivers."""
    nights = [r.night for r in rounds if _counts(r, own)]
    skips = {one.night: one.text for one in own.skipped}
    gap = between(max(nights), own.night) if nights and own.night else []
    return {
        "seeds": [
            {"role": one.role, "source": one.source, "rows": one.rows}
            for one in own.seeds
            if one.role == "seed"
        ],
        "before": max(nights, default=""),
        "missed": [key for key in gap if key not in skips],
        "skipped": [{"night": key, "text": text} for key, text in sorted(skips.items())],
        "taken_over": [one.batch for one in own.writings[1:]],
    }


def _counts(other: Round, own: Round) -> bool:
    """Whether another round is a night before this one."""
    return bool(other.night) and other.night < own.night and not other.abandoned


def _total(generations: Sequence[Generation]) -> float | None:
    """U of the whole corpus: generations share no shingle, so theirs add up."""
    known = [u["estimate"] for row in generations if (u := headline_unique(row["unique"]))]
    return sum(known) if known else None


def _total_tokens(generations: Sequence[Generation]) -> float | None:
    """Unique tokens of the whole corpus, where they are the ledger's unit."""
    known = [found["estimate"] for row in generations if (found := row.get("unique_tokens"))]
    return sum(known) if known else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _unique(row: Generation) -> Interval | None:
    unique = added_by(row)
    return Interval.of(unique) if unique else None


def _per_sample(row: Generation) -> Interval | None:
    unique, samples = _unique(row), row["committed"]
    return Interval(*(end / samples for end in unique)) if unique and samples else None


def _outcome(name: str) -> Callable[[Generation], Interval | None]:
    def share(row: Generation) -> Interval | None:
        committed = row["committed"]
        return clopper_pearson(row["counts"][name], committed) if committed else None

    return share


def _yield(row: Generation) -> Interval | None:
    value = headline_yield(row)
    return Interval(value, value, value) if value is not None else None


def _contained(row: Generation) -> Interval | None:
    value = _share(row["containment"].get("seen", 0.0), row["containment"].get("shingles", 0.0))
    return Interval(value, value, value) if value is not None else None


def _novel(row: Generation) -> Interval | None:
    found = (row["companions"] or {}).get("novel_share")
    return Interval.of(found["mean"]) if found else None


FIGURES: dict[str, Callable[[Generation], Interval | None]] = {
    "unique": _unique,
    "unique_per_sample": _per_sample,
    "yield_per_token": _yield,
    "accepted_share": _outcome("accepted"),
    "duplicate_share": _outcome("duplicate"),
    "rejected_share": _outcome("rejected"),
    "failed_share": _outcome("failed"),
    "contained_share": _contained,
    "novel_share": _novel,
}
"""What is held against the nights before; None where a generation does not have it."""


def _drift(name: str, row: Generation, before: Sequence[Generation]) -> DriftNote | None:
    own = FIGURES[name](row)
    if own is None:
        return None
    earlier = [found.estimate for one in before if (found := FIGURES[name](one)) is not None]
    return _against(own.estimate, earlier, (own.low, own.high))


def _against(
    value: float, earlier: Sequence[float], own: tuple[float, float] | None = None
) -> DriftNote:
    return cast(DriftNote, asdict(against(value, earlier, own)))


def _strata(document: LedgerDocument, generation: int) -> list[StratumNight]:
    """Each stratum's content per sample, so that a moved budget does not look like richer text."""
    rows: dict[str, dict[int, Stratum]] = {}
    for row in document["strata"]:
        rows.setdefault(row["stratum"], {})[row["generation"]] = row
    found: list[StratumNight] = []
    for name, held in rows.items():
        earlier = [v for g, row in sorted(held.items()) if g < generation if (v := _worth(row))]
        own = held.get(generation)
        value = _worth(own) if own is not None else None
        if value is None and generation - 1 not in held:
            continue
        found.append(
            {
                "stratum": name,
                "samples": sum(own["counts"].values()) if own is not None else 0,
                "unique": headline_unique(own["unique"]) if own is not None else None,
                "unique_tokens": own.get("unique_tokens") if own is not None else None,
                "per_sample": _against(value, earlier) if value is not None else None,
            }
        )
    return found


def _worth(row: Stratum) -> float | None:
    """Unique tokens per sample of a stratum; None where it drew none."""
    unique, samples = added_by(row), sum(row["counts"].values())
    return unique["estimate"] / samples if unique and samples else None


def _history(rows: Sequence[Generation], samples: int) -> list[tuple[int, Interval | float]]:
    """What each generation added as if it had drawn so many samples: a night that a deadline or a budget
    cut short says as much about the next one as any other."""
    known = [(row["generation"], _per_sample(row)) for row in rows]
    return [(g, Interval(*(end * samples for end in each))) for g, each in known if each]


def _expected(row: Generation, before: Sequence[Generation]) -> Expected | None:
    """What the nights before led one to expect of this one's samples, and whether it came so."""
    samples, unique = row["committed"], added_by(row)
    predicted = trend(_history(before, samples))
    if predicted is None or unique is None or row["status"] != "finished":
        return None
    held = predicted.low <= unique["estimate"] <= predicted.high
    return {**predicted.bounds, "samples": samples, "held": held}


def _next(
    row: Generation,
    before: Sequence[Generation],
    samples: int,
    outlook: StratumOutlook | None,
) -> NextNight | None:
    """What `samples` of the next night would add: by the trend over the nights, else by going on
    as this one."""
    history = _history([*before, row], samples)
    coming = trend(history) if row["status"] == "finished" else None
    if coming is not None:
        nights = len(history)
        return {**coming.bounds, "samples": samples, "basis": "trend", "nights": nights}
    if outlook is None:
        return None
    centre, low, high = outlook["estimate"], outlook["low"], outlook["high"]
    if centre is None or low is None or high is None:
        return None
    ends = outlook.get("tokens") or Interval(centre, low, high).bounds
    samples = outlook["samples"]
    return {**ends, "samples": samples, "basis": "continuation", "nights": 1}


def _measured(
    row: Generation, before: Sequence[Generation], times: Mapping[int, Times], own: Round
) -> NightTimes:
    """What rests on clocks: engine time and what it went into, hours from start to end, who wrote."""
    ours = times.get(row["generation"])
    rate = ours["unique_per_engine_hour"] if ours else None
    known = [
        times[g]["unique_per_engine_hour"] for one in before if (g := one["generation"]) in times
    ]
    earlier = [value for value in known if value is not None]
    return {
        "engine_hours": ours["engine_hours"] if ours else None,
        "unique_per_engine_hour": rate,
        "rate_drift": _against(rate, earlier) if rate is not None else None,
        "engine_time": ours["engine_time"] if ours else {},
        "started": own.started,
        "finished": own.finished,
        "writings": [cast(WritingNote, asdict(one)) for one in own.writings],
    }
