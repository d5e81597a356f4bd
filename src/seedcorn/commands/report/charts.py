"""The charts' common ground: what a chart is, how its axes look, and what its texts may hold.

Colours are names of the page's CSS variables, resolved by its script, so that one figure serves the
light and the dark scheme. Invariant: pure; text from data is escaped for plotly, which would read
tags in it, and an unknown figure is left out and named in `notes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import Any

import plotly.graph_objects as go

from seedcorn.commands.report.words import number

INK, MUTED, PAPER = "var(--ink)", "var(--muted)", "var(--card)"
GRID, ACCENT, WARN = "var(--grid)", "var(--accent)", "var(--warn)"
BAND, CONE, BAR = "var(--band)", "var(--cone)", "var(--bar)"
LABELS = 6
"""Generations that get a label on an axis: as many as a phone has room for."""
ROW_PX = 46
"""Height of one generation in a chart of horizontal bars."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with what a reader needs around it."""

    key: str
    title: str
    subtitle: str
    """What the axes count, and how marks differ."""
    figure: go.Figure
    description: str
    """The chart in words, for those who cannot see it."""
    reading: Sequence[str] = ()
    """Keys of the explanations shown under it."""
    notes: Sequence[str] = ()
    """What is missing from it, and why."""
    legend: Sequence[str] = ()
    """Names of the page's colours, in order, where the marks cannot all carry a label."""
    kind: str = "chart"


def plain(text: Any) -> str:
    """Text from data, safe in plotly's labels."""
    return escape(str(text), quote=False)


def figure(height: int, **layout: Any) -> go.Figure:
    """An empty figure in the page's style: no zoom, no legend, no template."""
    drawn = go.Figure(layout={"template": {}})
    drawn.update_layout(
        height=height,
        margin={"l": 12, "r": 12, "t": 12, "b": 12},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        hoverlabel={"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK}},
    )
    return drawn.update_layout(**layout)


def axis(**more: Any) -> dict[str, Any]:
    """A quiet axis."""
    quiet = {
        "fixedrange": True,
        "automargin": True,
        "showline": False,
        "zeroline": False,
        "gridcolor": GRID,
        "tickfont": {"color": MUTED, "size": 12},
    }
    return quiet | more


def count_axis(top: float, first: str = "0", **more: Any) -> dict[str, Any]:
    """An axis of counts, its ticks written as the page writes numbers; `first` stands at 0, empty
    where the other axis has it."""
    ticks = round_ticks(top)
    labels = [first, *trimmed([number(tick) for tick in ticks[1:]])]
    return axis(tickvals=ticks, ticktext=labels, **more)


def round_ticks(top: float) -> list[float]:
    """At most five round values from 0 to `top`."""
    if top <= 0:
        return [0.0]
    power = 10.0 ** floor(log10(top / 4))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= top / 5)
    return [index * step for index in range(int(top / step * (1 + 1e-9)) + 1)]


def trimmed(texts: Sequence[str]) -> list[str]:
    """Round figures without their trailing zeros: `1.50 M` is `1.5 M`."""
    parts = [text.split(" ") for text in texts]
    kept = [[head.rstrip("0").rstrip(".") if "." in head else head, *tail] for head, *tail in parts]
    return [" ".join(part) for part in kept]


def row_axis(names: Sequence[str]) -> dict[str, Any]:
    """One row per name, the first at the top."""
    return axis(
        type="category",
        categoryorder="array",
        categoryarray=list(names),
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        tickfont={"color": INK, "size": 13},
        ticklabelstandoff=8,
    )
