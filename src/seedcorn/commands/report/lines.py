"""One line per generation, as `seedcorn ledger` prints it, from the ledger document alone.

Invariants: equal to `core.ledger.text.line` of the same generation, which a test holds; a part
stands in the line exactly if the document holds its figure.
"""

from collections.abc import Callable

from seedcorn.commands.report.words import HEADLINE, RHO, Bounds, Document, headline_unique
from seedcorn.core.ledger.text import ORDERED, scaled

MILLI = 1000
"""Delta A is told in thousandths of a bit per byte."""


def generation_line(generation: Document, measured: Document | None) -> str:
    """The generation for a person; `measured` holds its times."""
    parts = [f"gen {generation['generation']}: {scaled(generation['tokens']['generated'])} tokens"]
    parts += [text for part in _TEXTS if (text := part(generation))]
    parts += _times(generation["unit"], measured or {})
    if generation["withdrawn"]["samples"]:
        net = (generation.get("net_unique") or {}).get(HEADLINE)
        told = scaled(net["estimate"]) if net else "unknown"
        parts.append(f"{generation['withdrawn']['samples']} samples withdrawn, net U = {told}")
    if generation["status"] == "running":
        parts.append(f"running, {generation['committed']} of {generation['planned']} samples")
    return ", ".join(parts)


def _times(unit: str, measured: Document) -> list[str]:
    parts, coming = [], measured.get("next_hour")
    if measured.get("unique_per_engine_hour") is not None:
        parts.append(f"{scaled(measured['unique_per_engine_hour'])} {unit}/engine-hour")
    if coming:
        low, high = scaled(coming["low"]), scaled(coming["high"])
        parts.append(f"next hour {scaled(coming['estimate'])} [{low}, {high}]")
    return parts


def _accepted(generation: Document) -> str:
    if not generation["committed"]:
        return ""
    return f"accepted {100 * generation['counts']['accepted'] / generation['committed']:.0f} %"


def _unique(generation: Document) -> str:
    unique = headline_unique(generation)
    if unique is None:
        return f"U unknown ({generation['unknown']})"
    return f"U = {scaled(unique['estimate'])} {generation['unit']} ({_error(unique)})"


def _error(unique: Bounds) -> str:
    if unique["low"] == unique["high"]:
        return "exact"
    if unique["estimate"] == 0:
        return f"at most {scaled(unique['high'])}"
    return f"±{100 * (unique['high'] - unique['low']) / 2 / unique['estimate']:.2g} %"


def _precision(generation: Document) -> str:
    precision = generation.get("precision")
    if not precision:
        return ""
    share, low, high = (_share(precision[key]) for key in ("estimate", "low", "high"))
    return f"π {share} [{low}, {high}]"


def _novelty(generation: Document) -> str:
    share = _companions(generation).get("novel_share")
    return f"{RHO} {_share(share['mean']['estimate'])}" if share else ""


def _order(generation: Document) -> str:
    gap = _companions(generation).get("order_gap")
    if not gap:
        return ""
    return "Γ ok" if gap["low"] > ORDERED else f"Γ {gap['estimate']:.2f} (no order)"


def _gain(generation: Document) -> str:
    gain = _companions(generation).get("anchor_gain")
    if not gain:
        return ""
    half = MILLI * (gain["high"] - gain["low"]) / 2
    return f"ΔA {MILLI * gain['estimate']:+.1f} ± {half:.1f} mb/B"


def _contained(generation: Document) -> str:
    containment = generation.get("containment") or {}
    if not containment.get("shingles"):
        return ""
    return f"contained {100 * containment.get('seen', 0) / containment['shingles']:.1f} %"


def _companions(generation: Document) -> Document:
    return generation.get("companions") or {}


def _share(value: float) -> str:
    """A share without its leading zero: `.98`, `1.00`."""
    return f"{value:.2f}".removeprefix("0")


_TEXTS: tuple[Callable[[Document], str], ...] = (
    _accepted,
    _unique,
    _precision,
    _novelty,
    _order,
    _gain,
    _contained,
)
