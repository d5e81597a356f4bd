"""What the ledger's unit counts, in rows of the ledger document: unique tokens, or U under rule 1.

Documents of before the unit had a second rule lack its keys, and are read as under rule 1.
"""

from collections.abc import Mapping
from typing import Any

from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.course import ComingOf, Point
from seedcorn.core.ledger.document import ByLength, GenerationFigures, Stratum, TimesOfRow
from seedcorn.core.sketch.sketch import HEADLINE


def in_tokens(row: GenerationFigures | Stratum) -> bool:
    """Whether the unit is the unique token."""
    return row.get("ledger_unit", 1) >= 2


def added_by(row: GenerationFigures | Stratum) -> Bounds | None:
    """What the row added; None where unknown."""
    return row.get("unique_tokens") or headline_unique(row["unique"])


def net_headline(row: GenerationFigures | Stratum) -> Bounds | None:
    """The same without withdrawn samples."""
    return row.get("net_unique_tokens") or headline_unique(row["net_unique"])


def headline_yield(row: GenerationFigures | Stratum) -> float | None:
    """Of it per accepted token."""
    share = row.get("unique_share")
    return share["estimate"] if share else row["yield_per_token"]


def headline_point(point: Point) -> Bounds | None:
    """What a generation had added after a batch."""
    return point.get("unique_tokens") or point["unique"]


def headline_coming(coming: ComingOf) -> Bounds:
    """What the next samples would add."""
    return coming.get("tokens") or coming


def headline_rate(row: GenerationFigures, times: TimesOfRow) -> float | None:
    """Measured: what an engine-hour brought."""
    tokens, hours = row.get("unique_tokens"), times["engine_hours"]
    if not tokens:
        return times["unique_per_engine_hour"]
    return tokens["estimate"] / hours if hours else None


def headline_hour(times: TimesOfRow) -> Bounds | None:
    """Measured: what the next engine-hour would bring."""
    return times.get("next_hour_tokens") or times["next_hour"]


def headline_trend(expected: Mapping[str, Any]) -> Bounds | None:
    """What the next generation should add, of the document's `forecast`."""
    return expected.get("trend_tokens") or expected["trend"]


def headline_unique(unique: ByLength) -> Bounds | None:
    """U at the length it is quoted for; None where unknown."""
    return unique.get(str(HEADLINE))
