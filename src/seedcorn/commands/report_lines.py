"""One line per generation, as `seedcorn ledger` prints it, from the ledger document alone.

Invariant: a part stands in the line exactly if the document holds its figure.
"""

from collections.abc import Callable

from seedcorn.commands.report_words import RHO, Document, headline_unique, number
from seedcorn.core.ledger_text import scaled

MILLI = 1000
"""Delta A is told in thousandths of a bit per byte."""


def generation_line(generation: Document, measured: Document | None) -> str:
    """The generation for a person; `measured` holds its times."""
    parts = [_start(generation)]
    parts += [text for part in _PARTS if (text := part(generation))]
    per_hour = (measured or {}).get("unique_per_engine_hour")
    if per_hour is not None:
        parts.append(f"{scaled(per_hour)} {generation['unit']}/engine-hour")
    if generation["withdrawn"]["samples"]:
        net = (generation.get("net_unique") or {}).get("8")
        told = scaled(net["estimate"]) if net else "unknown"
        parts.append(f"{generation['withdrawn']['samples']} samples withdrawn, net U = {told}")
    if generation["status"] == "running":
        parts.append(f"running, {generation['committed']} of {generation['planned']} samples")
    return ", ".join(parts)


def _start(generation: Document) -> str:
    return f"gen {generation['generation']}: {scaled(generation['tokens']['generated'])} tokens"


def _accepted(generation: Document) -> str:
    if not generation["committed"]:
        return ""
    return f"accepted {100 * generation['counts']['accepted'] / generation['committed']:.0f} %"


def _unique(generation: Document) -> str:
    unique = headline_unique(generation)
    if unique is None:
        return f"U unknown ({generation['unknown']})"
    if unique["low"] == unique["high"]:
        error = "exact"
    elif unique["estimate"] == 0:
        error = f"at most {scaled(unique['high'])}"
    else:
        error = f"±{100 * (unique['high'] - unique['low']) / 2 / unique['estimate']:.2g} %"
    return f"U = {scaled(unique['estimate'])} {generation['unit']} ({error})"


def _precision(generation: Document) -> str:
    precision = generation.get("precision")
    if not precision:
        return ""
    share, low, high = (_share(precision[key]) for key in ("estimate", "low", "high"))
    return f"π {share} [{low}, {high}]"


def _novelty(generation: Document) -> str:
    mean = ((generation.get("companions") or {}).get("novel_share") or {}).get("mean")
    return f"{RHO} {_share(mean['estimate'])}" if mean else ""


def _order(generation: Document) -> str:
    gap = (generation.get("companions") or {}).get("order_gap")
    return f"Γ {_share(gap['estimate'])} bits/byte" if gap else ""


def _gain(generation: Document) -> str:
    gain = (generation.get("companions") or {}).get("anchor_gain")
    if not gain:
        return ""
    half = MILLI * (gain["high"] - gain["low"]) / 2
    return f"ΔA {MILLI * gain['estimate']:+.1f} ± {half:.1f} mb/B"


def _contained(generation: Document) -> str:
    containment = generation.get("containment") or {}
    if not containment.get("shingles"):
        return ""
    return f"contained {100 * containment.get('seen', 0) / containment['shingles']:.1f} %"


def _share(value: float | None) -> str:
    """A share with two decimals and without the leading zero: `.98`."""
    if value is None:
        return number(value)
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


_PARTS: tuple[Callable[[Document], str], ...] = (
    _accepted,
    _unique,
    _contained,
    _precision,
    _novelty,
    _order,
    _gain,
)
