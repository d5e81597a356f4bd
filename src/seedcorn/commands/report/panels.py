"""Charts of what stands beside U: how new the documents are, and whether forecasts held.

Invariant: pure; every bar and mark is a figure of the document. Truths inside and outside their
interval differ in shape as well as in colour.
"""

from collections.abc import Sequence
from typing import Any

from plotly.subplots import make_subplots

from seedcorn.commands.report.charts import (
    ACCENT,
    BAND,
    BAR,
    INK,
    LABELS,
    MUTED,
    WARN,
    Chart,
    axis,
    count_axis,
    figure,
    plain,
)
from seedcorn.commands.report.expected import forecasts_of
from seedcorn.commands.report.words import RHO, number, with_ends
from seedcorn.core.companions.companions import NovelShare
from seedcorn.core.figures import counted
from seedcorn.core.ledger.course import Expectation
from seedcorn.core.ledger.document import Generation, LedgerDocument

BIN = 0.05
PANEL_PX, GAP_PX, EDGE_PX = 74, 34, 34
"""Height of one generation's histogram, of its title, and of what is above and below all."""
NEWEST = 24
"""Forecasts drawn: as many marks as stand side by side on a phone."""


def novelty_chart(document: LedgerDocument) -> Chart | None:
    """Histogram of rho per generation; None where it was measured in none."""
    rows = [(row["generation"], _novel(row)) for row in document["generations"]]
    known = [(generation, found) for generation, found in rows if found is not None]
    if not known:
        return None
    panels = (PANEL_PX + GAP_PX) * len(known) - GAP_PX
    drawn = make_subplots(len(known), 1, shared_xaxes=True, vertical_spacing=GAP_PX / panels)
    margin = {"l": 12, "r": 12, "t": EDGE_PX, "b": EDGE_PX}
    drawn.update_layout(figure(panels + 2 * EDGE_PX, margin=margin).layout)
    for place, (generation, found) in enumerate(known, 1):
        _panel(drawn, place, generation, found)
    edges = [0, 0.25, 0.5, 0.75, 1]
    labels = ["0", ".25", ".5", ".75", "1"]
    drawn.update_xaxes(axis(range=[0, 1], tickvals=edges, ticktext=labels, showgrid=False))
    drawn.update_yaxes(axis(visible=False, rangemode="tozero"))
    return Chart(
        "novelty",
        "How new the documents are",
        f"Share of documents (upwards) by novel share {RHO} (rightwards), one strip per generation; "
        "the line is the mean. At 0 history explains everything, at 1 nothing; the last bar holds "
        "everything from .95 on.",
        drawn,
        " ".join(f"Generation {n}: mean {with_ends(found['mean'])}." for n, found in known),
        ("novel_share",),
        [
            f"Generation {generation} is not drawn: it was not measured."
            for generation, found in rows
            if found is None
        ],
    )


def _novel(row: Generation) -> NovelShare | None:
    return (row["companions"] or {}).get("novel_share")


def _panel(drawn: Any, place: int, generation: int, found: NovelShare) -> None:
    counts, mean = found["histogram"], found["mean"]
    total = sum(counts) or 1
    spot = {"row": place, "col": 1}
    drawn.add_bar(
        x=[BIN * (index + 0.5) for index in range(len(counts))],
        y=[count / total for count in counts],
        width=BIN * 0.9,
        name=f"generation {generation}",
        customdata=counts,
        marker={"color": BAR, "line": {"width": 0}},
        hovertemplate=f"{RHO} about %{{x:.2f}}: %{{customdata:,}} documents<extra></extra>",
        **spot,
    )
    if mean["low"] < mean["high"]:
        drawn.add_vrect(x0=mean["low"], x1=mean["high"], fillcolor=BAND, line={"width": 0}, **spot)
    drawn.add_vline(x=mean["estimate"], line={"color": INK, "width": 2}, **spot)
    drawn.add_annotation(
        x=0, xref="x domain", y=1, yref="y domain", xanchor="left", yanchor="bottom",
        text=f"<b>gen {generation}</b>  mean {number(mean['estimate'])}",
        showarrow=False, font={"color": INK, "size": 13}, **spot,
    )  # fmt: skip


def forecast_chart(document: LedgerDocument) -> Chart | None:
    """Forecasts of whole batches with what came, the newest; None where none met its batch."""
    whole = [made for made in forecasts_of(document) if not made.one["stratum"]]
    met = [(row["generation"], one) for row, one in whole if one["truth"] is not None]
    if not met:
        return None
    made = met[-NEWEST:]
    chart = figure(320)
    names = [f"gen {number}, batch {one['batch']}" for number, one in made]
    ones = [one for _, one in made]
    _ranges(chart, names, ones)
    for held, symbol, colour in ((True, "circle", ACCENT), (False, "x", WARN)):
        _truths(
            chart, held, {"symbol": symbol, "color": colour}, list(zip(names, ones, strict=True))
        )
    top = max(max(one["high"], one["truth"] or 0) for one in ones)
    chart.update_xaxes(
        axis(type="category", showgrid=False, categoryarray=names) | _starts(made, names)
    )
    chart.update_yaxes(count_axis(top, range=[0, top * 1.08]))
    return Chart(
        "forecasts",
        "Forecasts and actual values",
        "Unique tokens (upwards) that a batch was forecast to add, batch after batch. Bar: 95 % "
        "interval, its middle a line. Dot: the actual value, inside it. Cross: the actual value, "
        "outside it.",
        chart,
        _told(ones),
        ("forecast",),
        _left_out(len(met) - len(made), len(whole) - len(met)),
    )


def _left_out(older: int, unmet: int) -> list[str]:
    notes = []
    if older:
        notes.append(f"Only the newest {NEWEST} are drawn; the table has {older:,} older ones too.")
    if unmet:
        why = "the batch is still to come, or was drawn otherwise than foreseen"
        notes.append(f"{counted(unmet, 'forecast')} not drawn, as there is no actual value: {why}.")
    return notes


def _starts(made: Sequence[tuple[int, Expectation]], names: Sequence[str]) -> dict[str, Any]:
    """Ticks where a generation begins, as many as a phone has room for."""
    first = {number: name for (number, _), name in reversed(list(zip(made, names, strict=True)))}
    numbers = sorted(first)[:: -(-len(first) // LABELS)]
    return {
        "tickvals": [first[number] for number in numbers],
        "ticktext": [f"gen {number}" for number in numbers],
    }


def _ranges(chart: Any, names: Sequence[str], ones: Sequence[Expectation]) -> None:
    chart.add_bar(
        name="forecast interval",
        x=list(names),
        base=[one["low"] for one in ones],
        y=[one["high"] - one["low"] for one in ones],
        width=0.34,
        marker={"color": BAND, "line": {"width": 0}},
        text=[plain(_one(one)) for one in ones],
        textposition="none",
        hovertemplate="%{x}: %{text}<extra></extra>",
    )
    chart.add_scatter(
        name="forecast",
        x=list(names),
        y=[one["estimate"] for one in ones],
        mode="markers",
        marker={"symbol": "line-ew", "size": 9, "line": {"color": MUTED, "width": 2}},
        hoverinfo="skip",
    )


def _truths(
    chart: Any, held: bool, marker: dict[str, Any], made: Sequence[tuple[str, Expectation]]
) -> None:
    chosen = [(name, one) for name, one in made if one["covered"] is held]
    if chosen:
        chart.add_scatter(
            name="actual, inside" if held else "actual, outside",
            x=[name for name, _ in chosen],
            y=[one["truth"] for _, one in chosen],
            mode="markers",
            marker=marker | {"size": 9},
            text=[plain(_one(one)) for _, one in chosen],
            hovertemplate="%{x}: %{text}<extra></extra>",
        )


def _one(one: Expectation) -> str:
    return f"forecast {with_ends(one)}, actual {number(one['truth'])}"


def _told(ones: Sequence[Expectation]) -> str:
    held = sum(one["covered"] is True for one in ones)
    return (
        f"{counted(len(ones), 'forecast')}: {held} contained the actual value, "
        f"{len(ones) - held} did not."
    )
