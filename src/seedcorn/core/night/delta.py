"""The delta report: what one night added, against the nights before it.

A pure function of the ledger document and the chronicle of the log up to where the next generation
begins, so it is the same whenever it is made. Invariant: measured times stand under `measured`
alone, and a figure that nobody knows is null, never zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from seedcorn.core.forecast.forecast import trend
from seedcorn.core.intervals import Interval, clopper_pearson
from seedcorn.core.night.chronicle import Round
from seedcorn.core.night.drift import against
from seedcorn.core.night.night import between
from seedcorn.core.sketch.sketch import HEADLINE

FORMAT = 1
"""Version of the JSON."""
GROWN, UNFINISHED, SKIPPED = "grown", "unfinished", "skipped"
Document = Mapping[str, Any]


def delta(
    document: Document, rounds: Sequence[Round], outlook: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The report on the document's last generation, as plain JSON values.

    `rounds` is the chronicle of the same entries; `outlook` what as many samples again would add
    under the last generation's policy, where the history is too short for a trend.
    """
    generations = document["generations"]
    row, before = generations[-1], [g for g in generations[:-1] if g["status"] == "finished"]
    own = rounds[row["generation"] - 1]
    times = {one["generation"]: one for one in document.get("measured") or []}
    return {
        "format": FORMAT,
        "night": own.night,
        "status": GROWN if row["status"] == "finished" else UNFINISHED,
        "generation": row["generation"],
        "reason": row["reason"],
        "deadline": any("deadline" in one["value"] for one in row["decisions"]),
        "detail": row["detail"],
        "unit": row["unit"],
        "planned": row["planned"],
        "committed": row["committed"],
        "counts": row["counts"],
        "tokens": row["tokens"],
        "unique": unique_of(row),
        "unknown": row["unknown"],
        "total": _total(generations),
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
    night: str, why: str, text: str, document: Document, rounds: Sequence[Round]
) -> dict[str, Any]:
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


def unique_of(row: Document) -> dict[str, float] | None:
    """U of a generation or stratum at the headline length; None where unknown."""
    return (row.get("unique") or {}).get(str(HEADLINE))


def around(own: Round, rounds: Sequence[Round]) -> dict[str, Any]:
    """What came with the night besides text: rows, other nights, drivers."""
    nights = [r.night for r in rounds if r is not own and r.night and r.night < own.night]
    skips = {one.night: one.text for one in own.skipped}
    gap = between(max(nights), own.night) if nights and own.night else []
    return {
        "seeds": [asdict(one) for one in own.seeds if one.role == "seed"],
        "before": max(nights, default=""),
        "missed": [key for key in gap if key not in skips],
        "skipped": [{"night": key, "text": text} for key, text in sorted(skips.items())],
        "taken_over": [one.batch for one in own.writings[1:]],
    }


def _total(generations: Sequence[Document]) -> float | None:
    """U of the whole corpus: generations share no shingle, so theirs add up."""
    known = [unique_of(row) for row in generations]
    return sum(u["estimate"] for u in known if u) if any(known) else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _unique(row: Document) -> Interval | None:
    unique = unique_of(row)
    return Interval(unique["estimate"], unique["low"], unique["high"]) if unique else None


def _per_sample(row: Document) -> Interval | None:
    unique, samples = _unique(row), row["committed"]
    return Interval(*(end / samples for end in unique)) if unique and samples else None


def _outcome(name: str) -> Callable[[Document], Interval | None]:
    def share(row: Document) -> Interval | None:
        committed = row["committed"]
        return clopper_pearson(row["counts"].get(name, 0), committed) if committed else None

    return share


def _yield(row: Document) -> Interval | None:
    value = row["yield_per_token"]
    return Interval(value, value, value) if value is not None else None


def _contained(row: Document) -> Interval | None:
    value = _share(row["containment"].get("seen", 0.0), row["containment"].get("shingles", 0.0))
    return Interval(value, value, value) if value is not None else None


def _novel(row: Document) -> Interval | None:
    found = (row.get("companions") or {}).get("novel_share")
    return Interval(*(found["mean"][end] for end in Interval._fields)) if found else None


FIGURES: dict[str, Callable[[Document], Interval | None]] = {
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


def _drift(name: str, row: Document, before: Sequence[Document]) -> dict[str, Any] | None:
    own = FIGURES[name](row)
    if own is None:
        return None
    earlier = [found.estimate for one in before if (found := FIGURES[name](one)) is not None]
    return asdict(against(own.estimate, earlier, (own.low, own.high)))


def _strata(document: Document, generation: int) -> list[dict[str, Any]]:
    """Each stratum's content per sample, so that a moved budget does not look like richer text."""
    rows: dict[str, dict[int, Document]] = {}
    for row in document["strata"]:
        rows.setdefault(row["stratum"], {})[row["generation"]] = row
    found = []
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
                "unique": unique_of(own) if own is not None else None,
                "per_sample": asdict(against(value, earlier)) if value is not None else None,
            }
        )
    return found


def _worth(row: Document) -> float | None:
    """Unique tokens per sample of a stratum; None where it drew none."""
    unique, samples = unique_of(row), sum(row["counts"].values())
    return unique["estimate"] / samples if unique and samples else None


def _history(rows: Sequence[Document], samples: int) -> list[tuple[int, Interval | float]]:
    """U of each generation as if it had drawn so many samples: a night that a deadline or a budget
    cut short says as much about the next one as any other."""
    known = [(row["generation"], _per_sample(row)) for row in rows]
    return [(g, Interval(*(end * samples for end in each))) for g, each in known if each]


def _expected(row: Document, before: Sequence[Document]) -> dict[str, Any] | None:
    """What the nights before led one to expect of this one's samples, and whether it came so."""
    samples, unique = row["committed"], unique_of(row)
    promised = trend(_history(before, samples))
    if promised is None or unique is None or row["status"] != "finished":
        return None
    held = promised.low <= unique["estimate"] <= promised.high
    return {**promised._asdict(), "samples": samples, "held": held}


def _next(
    row: Document,
    before: Sequence[Document],
    samples: int,
    outlook: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """U that `samples` of the next night would add: by the trend over the nights, else by going on
    as this one."""
    history = _history([*before, row], samples)
    coming = trend(history) if row["status"] == "finished" else None
    if coming is not None:
        ends = coming._asdict()
        return {**ends, "samples": samples, "basis": "trend", "nights": len(history)}
    if outlook is None or outlook.get("estimate") is None:
        return None
    ends = {end: outlook[end] for end in Interval._fields}
    return {**ends, "samples": outlook["samples"], "basis": "continuation", "nights": 1}


def _measured(
    row: Document, before: Sequence[Document], times: Mapping[int, Document], own: Round
) -> dict[str, Any]:
    """What rests on clocks: engine time and what it went into, hours from start to end, who wrote."""
    hours = times.get(row["generation"], {}).get("engine_hours")
    rate = times.get(row["generation"], {}).get("unique_per_engine_hour")
    known = [times.get(one["generation"], {}).get("unique_per_engine_hour") for one in before]
    earlier = [value for value in known if value is not None]
    return {
        "engine_hours": hours,
        "unique_per_engine_hour": rate,
        "rate_drift": asdict(against(rate, earlier)) if rate is not None else None,
        "engine_time": times.get(row["generation"], {}).get("engine_time") or {},
        "started": own.started,
        "finished": own.finished,
        "writings": [asdict(one) for one in own.writings],
    }
