"""One generation as one line, in the terminal and on the report's page.

Invariant: a part stands in the line exactly if its figure is known.
"""

from seedcorn.core.figures import counted, error, scaled, short_share, with_bounds
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.document import (
    GenerationFigures,
    GivenUp,
    TimesOfRow,
    figures_of,
    times_of,
)
from seedcorn.core.ledger.measures import (
    BOUNDS,
    COMPANIONS,
    added_by,
    headline_hour,
    headline_rate,
    net_headline,
)
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.ledger.verdict.verdict import SAID


def line(row: GenerationRow) -> str:
    """One generation for a person."""
    return generation_line(figures_of(row), times_of(row))


def generation_line(row: GenerationFigures, times: TimesOfRow) -> str:
    """The same of a ledger document."""
    tokens = scaled(row["tokens"]["generated"])
    said = SAID[row["verdict"]["colour"]]
    parts = [f"{said}. gen {row['generation']}: {tokens} tokens"]
    if row["committed"]:
        parts.append(f"accepted {100 * row['counts']['accepted'] / row['committed']:.0f} %")
    parts += [_unique(row), *_measures(row), *_times(row, times)]
    if row["withdrawn"]["samples"]:
        net = net_headline(row)
        text = scaled(net["estimate"]) if net else "unknown"
        name = "net" if row["net_unique_tokens"] else "net U ="
        parts.append(f"{counted(row['withdrawn']['samples'], 'sample')} withdrawn, {name} {text}")
    if row["status"] == "running":
        parts.append(f"running, {row['committed']:,} of {counted(row['planned'], 'sample')}")
    return ", ".join(parts)


def abandoned_line(one: GivenUp) -> str:
    """A generation that counts for nothing, for a person."""
    why = f": {one['reason']}" if one["reason"] else ""
    had = f"{one['committed']:,} of {counted(one['planned'], 'sample')}"
    return f"gen {one['generation']}: abandoned after {had}, none of which counts{why}"


def _unique(row: GenerationFigures) -> str:
    unique, instances = added_by(row), row["instances"]
    if unique is None:
        return f"U unknown ({row['unknown']})"
    text = f"{scaled(unique['estimate'])} {row['unit']} ({error(unique)})"
    if row["unique_tokens"] is None:
        text = f"U = {text}"
    return f"{text}, {scaled(instances['estimate'])} instances" if instances else text


def _measures(row: GenerationFigures) -> list[str]:
    found, parts = row["precision"], []
    if found is not None:
        share, low, high = (short_share(end) for end in Interval.of(found))
        parts.append(f"π {share} [{low}, {high}]")
    parts += [measure.phrase(row["companions"] or {}) for measure in COMPANIONS]
    parts += [measure.phrase(row) for measure in BOUNDS]
    return [part for part in parts if part]


def _times(row: GenerationFigures, times: TimesOfRow) -> list[str]:
    parts, rate, coming = [], headline_rate(row, times), headline_hour(times)
    if rate is not None:
        paid = "paid " * (times.get("unique_tokens_per_paid_hour") is not None)
        parts.append(f"{scaled(rate)} {row['unit']}/{paid}engine-hour")
    if coming is not None:
        parts.append(f"next hour {with_bounds(coming)}")
    return parts
