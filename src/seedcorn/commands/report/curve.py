"""What is written into the main chart: marks of alarms and decisions, generations, the total.

Invariant: a mark stands at the last point of its generation that is not after its batch.
"""

from collections.abc import Sequence

import plotly.graph_objects as go

from seedcorn.commands.report.charts import ACCENT, INK, LABELS, MUTED, PAPER, WARN, plain
from seedcorn.commands.report.marks import Mark
from seedcorn.commands.report.running import Ahead, Point, Run
from seedcorn.commands.report.words import number

TAGS = 2
"""Tags written beside one mark."""


def mark(chart: go.Figure, runs: Sequence[Run], marks: Sequence[Mark]) -> None:
    """Alarms as triangles and decisions as squares; those of one point share a mark."""
    places: dict[Point, list[Mark]] = {}
    for one in marks:
        if (point := _place(runs, one)) is not None:
            places.setdefault(point, []).append(one)
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
        textposition=["top left" if alarm else "bottom right" for alarm in alarms],
        textfont={"color": colours, "size": 12},
        customdata=["<br>".join(plain(f"{m.tag}: {m.title}") for m in g) for g in places.values()],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _tags(group: Sequence[Mark]) -> str:
    """All tags where they are few, else the first and how many more."""
    if len(group) <= TAGS:
        return " ".join(one.tag for one in group)
    return f"{group[0].tag} +{len(group) - 1}"


def _place(runs: Sequence[Run], mark: Mark) -> Point | None:
    for run in runs:
        if run.generation == mark.generation:
            return [p for p in run.points if p.batch <= mark.batch][-1]
    return None


def name_starts(chart: go.Figure, runs: Sequence[Run]) -> None:
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


def name_end(chart: go.Figure, last: Point, cone: Sequence[Ahead]) -> None:
    """The total, and what the farthest forecast adds, above where the curve ends."""
    text, x, y = f"<b>{number(last.unique)}</b> unique", last.tokens, last.unique + last.half
    if cone:
        far = cone[-1]
        text += f"<br>next {far.samples:,} samples: +{number(far.centre.unique - last.unique)}"
        x, y = far.centre.tokens, max(y, far.high)
    chart.add_annotation(
        x=x, y=y, yanchor="bottom", xanchor="right", yshift=8, text=text, align="right",
        showarrow=False, font={"color": ACCENT, "size": 13},
    )  # fmt: skip
