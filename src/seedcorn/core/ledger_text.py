"""The ledger as JSON and as one line per generation.

Invariant: everything outside the key `measured` is a function of texts and decisions, so two runs
of equal texts print equal JSON there, whatever was killed and restarted in between.
"""

from collections.abc import Sequence
from typing import Any

from seedcorn.core.intervals import Interval
from seedcorn.core.ledger_rows import GenerationRow, StratumRow, Unique
from seedcorn.core.sketch import HEADLINE

FORMAT = 1
"""Version of the JSON."""


def document(
    rows: Sequence[GenerationRow], strata: Sequence[StratumRow], rate: float
) -> dict[str, Any]:
    """Plain JSON values with sorted keys; measured times stand under `measured` alone."""
    value = {
        "format": FORMAT,
        "sketch_rate": rate,
        "generations": [_generation(row) for row in rows],
        "strata": [_stratum(row) for row in strata],
        "measured": [
            {
                "generation": row.generation,
                "engine_hours": row.engine_hours,
                "unique_per_engine_hour": row.unique_per_engine_hour,
            }
            for row in rows
        ],
    }
    return _sorted(value)


def line(row: GenerationRow) -> str:
    """One generation for a person; only the parts that exist."""
    parts = [f"gen {row.generation}: {scaled(row.tokens['generated'])} tokens"]
    if row.committed:
        parts.append(f"accepted {100 * row.counts['accepted'] / row.committed:.0f} %")
    parts.append(_headline(row))
    if row.containment.get("shingles"):
        share = row.containment.get("seen", 0.0) / row.containment["shingles"]
        parts.append(f"contained {100 * share:.1f} %")
    if row.unique_per_engine_hour is not None:
        parts.append(f"{scaled(row.unique_per_engine_hour)} {row.unit}/engine-hour")
    if row.withdrawn["samples"]:
        net = scaled(row.net_unique[HEADLINE].estimate) if row.net_unique else "unknown"
        parts.append(f"{row.withdrawn['samples']} samples withdrawn, net U = {net}")
    if row.status == "running":
        parts.append(f"running, {row.committed} of {row.planned} samples")
    return ", ".join(parts)


def scaled(value: float) -> str:
    """A number with three significant digits and k, M, G or T: `4.10 M`, `41.0 k`, `312`."""
    suffixes = ["", " k", " M", " G", " T"]
    while abs(value) >= 999.5 and len(suffixes) > 1:
        value /= 1000
        suffixes.pop(0)
    if not suffixes[0]:
        return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}{suffixes[0]}"


def _generation(row: GenerationRow) -> dict[str, Any]:
    return {
        "generation": row.generation,
        "recipe": row.recipe,
        "status": row.status,
        "reason": row.reason,
        "planned": row.planned,
        "committed": row.committed,
        "counts": row.counts,
        "reasons": row.reasons,
        "duplicates": row.duplicates,
        "tokens": row.tokens,
        "unit": row.unit,
        "unique": _unique(row.unique),
        "unknown": row.unknown,
        "yield_per_token": row.yield_per_token,
        "withdrawn": row.withdrawn,
        "net_unique": _unique(row.net_unique),
        "containment": row.containment,
    }


def _stratum(row: StratumRow) -> dict[str, Any]:
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
    }


def _unique(unique: Unique) -> dict[str, dict[str, float]]:
    return {str(length): interval._asdict() for length, interval in unique.items()}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _headline(row: GenerationRow) -> str:
    if not row.unique:
        return f"U unknown ({row.unknown})"
    interval = row.unique[HEADLINE]
    return f"U = {scaled(interval.estimate)} {row.unit} ({_error(interval)})"


def _error(interval: Interval) -> str:
    if interval.exact:
        return "exact"
    if interval.estimate == 0:
        return f"at most {scaled(interval.high)}"
    half = (interval.high - interval.low) / 2 / interval.estimate
    return f"±{100 * half:.2g} %"
