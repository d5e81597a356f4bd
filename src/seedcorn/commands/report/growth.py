"""The main chart: unique against generated tokens, running on from generation to generation.

Invariants: pure; what is drawn are the points of `running`, and a generation whose U is unknown
leaves a gap, with its name and the reason in the notes; an alarm or a decision stands at the last
point of its generation that is not after its batch, or shares the mark shortly before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from seedcorn.commands.report.blocks import Mark
from seedcorn.commands.report.charts import (
    ACCENT,
    BAND,
    CONE,
    INK,
    LABELS,
    MUTED,
    PAPER,
    WARN,
    Chart,
    count_axis,
    figure,
    plain,
)
from seedcorn.commands.report.running import Ahead, Point, Run, cone_of, running
from seedcorn.commands.report.words import number
from seedcorn.core.figures import counted
from seedcorn.core.ledger.document import LedgerDocument

SUBTITLE = (
    "Upwards: sequences of eight words that stood nowhere before. Rightwards: tokens written. Both "
    "go on from generation to generation. On the dotted line every word would be new."
)
LEGEND = "Triangles are alarms, squares decisions; both are listed below."
TAGS = 2
"""Tags written beside one mark."""
MARKS = 5
"""Marks that stand side by side on a phone with their tags: closer ones share one."""
LOW = 0.06
"""Of the height: under a mark that stands lower there is no room for its tag."""
DOTS = 40
"""Batches that get a dot each: more would touch on a phone."""
HEADROOM = 1.3
"""The plot's height over the curve's: room above it for the label at its end."""


def growth_chart(document: LedgerDocument, marks: Sequence[Mark]) -> Chart | None:
    """The chart, or None where no generation has a known U."""
    runs = list(running(document["generations"]))
    drawn = [run for run in runs if run.points]
    if not drawn:
        return None
    last = drawn[-1].points[-1]
    cone = list(cone_of(document, last)) if drawn[-1] is runs[-1] else []
    chart = figure(440, margin={"l": 12, "r": 12, "t": 30, "b": 12})
    right = max([run.end for run in runs] + [ahead.centre.tokens for ahead in cone])
    top = max(
        [p.unique + p.half for run in drawn for p in run.points] + [ahead.high for ahead in cone]
    )
    height = HEADROOM * top or 1.0
    _diagonal(chart, min(right, height))
    dots = sum(len(run.points) for run in drawn) <= DOTS
    for run in drawn:
        _stretch(chart, run, dots)
    _spread(chart, last, cone)
    places = _places(drawn, marks, right / MARKS)
    _mark(chart, places, height)
    _name_starts(chart, runs)
    _name_end(chart, last, cone)
    chart.update_xaxes(
        count_axis(right, first="", range=[0, _reach(right, places)], showgrid=False)
    )
    chart.update_yaxes(count_axis(height, range=[0, height * 1.04]))
    return Chart(
        "growth",
        "What was new, as it was written",
        f"{SUBTITLE} {LEGEND}" if marks else SUBTITLE,
        chart,
        _description(drawn, last, cone),
        ("unique",),
        [
            f"Generation {run.generation} is not drawn: {run.missing}."
            for run in runs
            if run.missing
        ],
    )


def _diagonal(chart: go.Figure, reach: float) -> None:
    chart.add_scatter(
        x=[0, reach],
        y=[0, reach],
        name="everything new",
        mode="lines",
        line={"color": MUTED, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )


def _stretch(chart: go.Figure, run: Run, dots: bool) -> None:
    x, y = [p.tokens for p in run.points], [p.unique for p in run.points]
    half = [p.half for p in run.points]
    if any(half):
        _area(chart, x, _sums(y, half, -1), _sums(y, half, 1), f"interval {run.generation}", BAND)
    chart.add_scatter(
        x=x,
        y=y,
        name=f"generation {run.generation}",
        mode="lines+markers" if dots else "lines",
        line={"color": ACCENT, "width": 2.5},
        marker={"color": ACCENT, "size": 5},
        text=[plain(p.label) for p in run.points],
        hovertemplate="%{text}<extra></extra>",
    )


def _spread(chart: go.Figure, last: Point, cone: Sequence[Ahead]) -> None:
    if not cone:
        return
    x = [last.tokens, *(ahead.centre.tokens for ahead in cone)]
    low, high = (
        [last.unique, *(ahead.low for ahead in cone)],
        [last.unique, *(ahead.high for ahead in cone)],
    )
    _area(chart, x, low, high, "forecast interval", CONE)
    chart.add_scatter(
        x=x,
        y=[last.unique, *(ahead.centre.unique for ahead in cone)],
        name="forecast",
        mode="lines+markers",
        line={"color": ACCENT, "width": 2, "dash": "dash"},
        marker={
            "color": PAPER,
            "size": [0, *(8 for _ in cone)],
            "opacity": 1,
            "line": {"color": ACCENT, "width": [0, *(2 for _ in cone)]},
        },
        text=["", *(plain(ahead.centre.label) for ahead in cone)],
        hovertemplate="%{text}<extra></extra>",
    )


def _area(
    chart: go.Figure,
    x: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    name: str,
    fill: str,
) -> None:
    chart.add_scatter(
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        name=name,
        mode="lines",
        fill="toself",
        fillcolor=fill,
        line={"width": 0},
        hoverinfo="skip",
    )


def _places(runs: Sequence[Run], marks: Sequence[Mark], apart: float) -> dict[Point, list[Mark]]:
    """Where marks stand, at least `apart` from each other: what comes sooner joins the one before."""
    places: dict[Point, list[Mark]] = {}
    last = None
    for one in marks:
        point = _place(runs, one)
        if point is None:
            continue
        if last is None or point.tokens - last.tokens >= apart:
            last = point
        places.setdefault(last, []).append(one)
    return places


def _reach(right: float, places: Mapping[Point, Sequence[Mark]]) -> float:
    """How far the axis goes: the tag of the last mark has room beside it."""
    return max([right * 1.05, *(point.tokens + right / MARKS for point in places)])


def _mark(chart: go.Figure, places: Mapping[Point, Sequence[Mark]], height: float) -> None:
    """Alarms as triangles and decisions as squares; a place with both is an alarm's."""
    if not places:
        return
    alarms = [any(one.alarm for one in group) for group in places.values()]
    colours = [WARN if alarm else INK for alarm in alarms]
    chart.add_scatter(
        x=[point.tokens for point in places],
        y=[point.unique for point in places],
        name="marks",
        mode="markers+text",
        marker={
            "symbol": ["triangle-up" if alarm else "square" for alarm in alarms],
            "color": colours,
            "size": 11,
            "line": {"color": PAPER, "width": 1.5},
        },
        text=[_tags(group) for group in places.values()],
        cliponaxis=False,
        textposition=[
            "middle right" if point.unique < LOW * height else "bottom right" for point in places
        ],
        textfont={"color": colours, "size": 12},
        customdata=["<br>".join(plain(f"{m.tag}: {m.title}") for m in g) for g in places.values()],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _tags(group: Sequence[Mark]) -> str:
    """All tags where they are few, else the first and how many more; alarms come first."""
    tags = [one.tag for one in sorted(group, key=lambda one: not one.alarm)]
    return " ".join(tags) if len(tags) <= TAGS else f"{tags[0]} +{len(tags) - 1}"


def _place(runs: Sequence[Run], mark: Mark) -> Point | None:
    for run in runs:
        if run.generation == mark.generation:
            return [p for p in run.points if p.batch <= mark.batch][-1]
    return None


def _name_starts(chart: go.Figure, runs: Sequence[Run]) -> None:
    """Where each generation begins; names only where there is room."""
    right = runs[-1].end
    start, labelled = 0.0, -right
    for run in runs:
        if start:
            chart.add_vline(x=start, line={"color": MUTED, "width": 1, "dash": "dot"}, opacity=0.5)
        if start - labelled >= right / LABELS:
            labelled = start
            chart.add_annotation(
                x=start, yref="paper", y=1, yanchor="bottom", xanchor="left",
                text=f"gen {run.generation}", showarrow=False, font={"color": MUTED, "size": 11},
            )  # fmt: skip
        start = run.end


def _name_end(chart: go.Figure, last: Point, cone: Sequence[Ahead]) -> None:
    """The total, and what the farthest forecast adds, above where the curve ends."""
    text, x, y = f"<b>{number(last.unique)}</b> unique", last.tokens, last.unique + last.half
    if cone:
        far = cone[-1]
        text += f"<br>next {far.samples:,} samples: +{number(far.centre.unique - last.unique)}"
        x, y = far.centre.tokens, max(y, far.high)
    chart.add_annotation(
        x=x, y=y, yanchor="bottom", xanchor="right", yshift=8, text=text, align="right",
        showarrow=False, font={"color": ACCENT, "size": 13}, bgcolor=PAPER,
    )  # fmt: skip


def _description(runs: Sequence[Run], last: Point, cone: Sequence[Ahead]) -> str:
    sentences = [
        f"A curve over {counted(len(runs), 'generation')}. It ends at {number(last.unique)} unique "
        f"tokens after {number(last.tokens)} generated ones."
    ]
    return " ".join([*sentences, *(f"Forecast, {ahead.centre.label}." for ahead in cone)])


def _sums(values: Sequence[float], halves: Sequence[float], sign: int) -> list[Any]:
    return [value + sign * half for value, half in zip(values, halves, strict=True)]
