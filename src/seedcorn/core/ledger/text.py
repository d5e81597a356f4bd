"""One generation as one line, and numbers as a person reads them."""

from collections.abc import Mapping
from typing import Any

from seedcorn.core.companions.order_gap import NOISE
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.sketch.sketch import HEADLINE

ORDERED = NOISE
"""Order gap above which word order says something."""


def line(row: GenerationRow) -> str:
    """One generation for a person; only the parts that exist."""
    parts = [f"gen {row.generation}: {scaled(row.tokens['generated'])} tokens"]
    if row.committed:
        parts.append(f"accepted {100 * row.counts['accepted'] / row.committed:.0f} %")
    parts.append(_headline(row))
    if row.precision is not None:
        low, high = (_share(row.precision[end]) for end in ("low", "high"))
        parts.append(f"π {_share(row.precision['estimate'])} [{low}, {high}]")
    parts += _companions(row.companions or {})
    if row.containment.get("shingles"):
        share = row.containment.get("seen", 0.0) / row.containment["shingles"]
        parts.append(f"contained {100 * share:.1f} %")
    if row.unique_per_engine_hour is not None:
        parts.append(f"{scaled(row.unique_per_engine_hour)} {row.unit}/engine-hour")
    if row.next_hour is not None:
        ends = f"[{scaled(row.next_hour.low)}, {scaled(row.next_hour.high)}]"
        parts.append(f"next hour {scaled(row.next_hour.estimate)} {ends}")
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


def _companions(values: Mapping[str, Any]) -> list[str]:
    """ρ, Γ and ΔA, as far as they were measured."""
    parts = []
    if share := values.get("novel_share"):
        parts.append(f"ρ {_share(share['mean']['estimate'])}")
    if gap := values.get("order_gap"):
        parts.append("Γ ok" if gap["low"] > ORDERED else f"Γ {gap['estimate']:.2f} (no order)")
    if gain := values.get("anchor_gain"):
        half = 1000 * (gain["high"] - gain["low"]) / 2
        parts.append(f"ΔA {1000 * gain['estimate']:+.1f} ± {half:.1f} mb/B")
    return parts


def _share(value: float) -> str:
    """A share without its leading zero: `.98`, `1.00`."""
    return f"{value:.2f}".removeprefix("0")


def _headline(row: GenerationRow) -> str:
    if not row.unique:
        return f"U unknown ({row.unknown})"
    interval = row.unique[HEADLINE]
    text = f"U = {scaled(interval.estimate)} {row.unit} ({_error(interval)})"
    if row.instances is None:
        return text
    return f"{text}, {scaled(row.instances.estimate)} instances"


def _error(interval: Interval) -> str:
    if interval.exact:
        return "exact"
    if interval.estimate == 0:
        return f"at most {scaled(interval.high)}"
    half = (interval.high - interval.low) / 2 / interval.estimate
    return f"±{100 * half:.2g} %"
