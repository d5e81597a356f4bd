"""Charts with one row per generation: what became of the samples, and what an engine-hour bought.

Invariant: pure; the segments of a generation sum to its committed samples, and a generation without
recorded engine time has a row that says so, and no bar.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from seedcorn.commands.report.charts import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    ROW_PX,
    Chart,
    axis,
    figure,
    plain,
    row_axis,
)
from seedcorn.commands.report.words import number
from seedcorn.core.ledger.document import Generation, LedgerDocument, Times
from seedcorn.core.ledger.measures import added_by, headline_rate
from seedcorn.core.sample import OUTCOMES

SHADES = 4
"""Shades per outcome in the page's colours: --duplicate-0, --duplicate-1 and so on."""
PATTERNS = {"accepted": "", "duplicate": "/", "rejected": "", "failed": "x"}


class Segment(NamedTuple):
    """Part of a generation's samples."""

    outcome: str
    kind: str
    """Duplicate kind or reason; empty for the whole outcome."""
    samples: int


def outcome_chart(document: LedgerDocument) -> Chart | None:
    """Outcomes stacked per generation; None before the first commit."""
    rows = [row for row in document["generations"] if row["committed"]]
    if not rows:
        return None
    names = [f"gen {row['generation']}" for row in rows]
    parts = [{(s.outcome, s.kind): s.samples for s in segments(row)} for row in rows]
    chart = figure(ROW_PX * len(rows) + 24, barmode="stack", bargap=0.28)
    chart.update_layout(uniformtext={"mode": "hide", "minsize": 11})
    for outcome in OUTCOMES:
        kinds = sorted({kind for part in parts for one, kind in part if one == outcome})
        for shade, kind in enumerate(kinds):
            counts = [part.get((outcome, kind), 0) for part in parts]
            chart.add_trace(_bar(outcome, kind, shade, names, counts))
    most = max(row["committed"] for row in rows)
    chart.update_xaxes(axis(visible=False, range=[0, most]))
    chart.update_yaxes(row_axis(names))
    return Chart(
        "outcomes",
        "What became of the samples",
        "Samples per generation by outcome; duplicates by kind and document repeated, rejections "
        "by reason. Touch a segment for its name; the tables below have every count.",
        chart,
        ". ".join(_told(row) for row in rows) + ".",
        ("accepted", "duplicates"),
        legend=OUTCOMES,
    )


def segments(row: Generation) -> Iterator[Segment]:
    """The outcomes of a generation, split where the document says how."""
    counts = row["counts"]
    yield Segment("accepted", "", counts["accepted"])
    for outcome in OUTCOMES[1:]:
        split = _split(row, outcome)
        for kind, samples in split.items():
            yield Segment(outcome, kind, samples)
        rest = counts[outcome] - sum(split.values())
        if rest > 0:
            yield Segment(outcome, "", rest)


def _split(row: Generation, outcome: str) -> Mapping[str, int]:
    if outcome == "duplicate" and row["duplicates"]:
        return row["duplicates"]
    prefix = f"{outcome}:"
    reasons = row["reasons"].items()
    return {k.removeprefix(prefix): n for k, n in reasons if k.startswith(prefix)}


def _bar(
    outcome: str, kind: str, shade: int, names: Sequence[str], counts: Sequence[int]
) -> go.Bar:
    label = plain(f"{outcome}: {kind}" if kind else outcome)
    short = plain(kind or outcome)
    fill = f"var(--{outcome}-{shade % SHADES})"
    return go.Bar(
        name=label,
        orientation="h",
        y=list(names),
        x=list(counts),
        text=[f"{short} {count:,}" if count else "" for count in counts],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": f"var(--on-{outcome})"},
        marker={
            "color": fill,
            "line": {"color": PAPER, "width": 1.5},
            "pattern": {
                "shape": PATTERNS[outcome],
                "fillmode": "overlay",
                "fgcolor": f"var(--on-{outcome})",
                "fgopacity": 0.28,
                "solidity": 0.18,
                "size": 6,
            },
        },
        hovertemplate=f"%{{y}}, {label}: %{{x:,}}<extra></extra>",
    )


def _told(row: Generation) -> str:
    parts = ", ".join(
        f"{row['counts'][outcome]:,} {outcome}" for outcome in OUTCOMES if row["counts"][outcome]
    )
    return f"Generation {row['generation']}: {parts}"


def cost_chart(document: LedgerDocument) -> Chart | None:
    """Unique tokens per engine-hour; None where no generation's time is known."""
    rows = list(zip(document["generations"], document["measured"], strict=True))
    per_hour = [headline_rate(row, times) for row, times in rows]
    known = [value for value in per_hour if value is not None]
    if not known:
        return None
    names = [f"gen {row['generation']}" for row, _ in rows]
    chart = figure(ROW_PX * len(rows) + 24, bargap=0.42)
    chart.add_bar(
        name="unique per engine-hour",
        orientation="h",
        y=names,
        x=per_hour,
        marker={"color": ACCENT},
        text=[_price(row, times) for row, times in rows],
        textposition="outside",
        cliponaxis=False,
        textfont={"color": INK, "size": 13},
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    for name, value in zip(names, per_hour, strict=True):
        if value is None:
            chart.add_annotation(
                x=0, y=name, text="engine time unknown", xanchor="left", showarrow=False,
                xshift=6, font={"color": MUTED},
            )  # fmt: skip
    chart.update_xaxes(axis(visible=False, range=[0, 1.7 * max(known) or 1]))
    chart.update_yaxes(row_axis(names))
    named = zip(names, per_hour, strict=True)
    return Chart(
        "cost",
        "What an engine-hour bought",
        "Unique tokens per engine-hour, by generation.",
        chart,
        "; ".join(f"{name}: {number(value)}" for name, value in named) + ".",
        ("per_engine_hour",),
    )


def _price(row: Generation, times: Times) -> str:
    value, hours = headline_rate(row, times), times["engine_hours"]
    if times.get("unique_tokens_per_paid_hour") is not None:
        hours = times["paid_hours"]
    if value is None:
        return ""
    unique = added_by(row)
    if not unique or not hours or unique["low"] == unique["high"]:
        return f"<b>{number(value)}</b>"
    span = " to ".join(number(end / hours) for end in (unique["low"], unique["high"]))
    return f"<b>{number(value)}</b>  {span}"
