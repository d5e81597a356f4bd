"""What the newest generation is worth: facts with units of their own, what is left of its tokens
step by step, and what it teaches beside fresh text.

Invariant: pure; every bar is a figure of the document, and a bar that is unknown says why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from seedcorn.commands.report.blocks import Text
from seedcorn.commands.report.charts import (
    ACCENT,
    BAR,
    INK,
    MUTED,
    ROW_PX,
    Chart,
    axis,
    count_axis,
    figure,
    row_axis,
)
from seedcorn.commands.report.words import number
from seedcorn.core.figures import percent
from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.document import Generation, LedgerDocument, Times
from seedcorn.core.teaching.taught import Curve

MILLI = 1000
STEPS = {
    "generated": "generated",
    "accepted": "accepted",
    "unique": "unique",
    "unexplained": "not explained",
    "right": "right",
}
"""The bars by the document's keys, in order."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name above and its interval below."""

    name: str
    value: str
    detail: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A few figures side by side."""

    facts: Sequence[Fact]
    kind: str = "facts"


def worth_blocks(document: LedgerDocument) -> list[Any]:
    """The blocks of the section; `document` has a generation."""
    row, times = document["generations"][-1], document["measured"][-1]
    return [Facts(list(_facts(row, times))), waterfall_chart(row), *_teaching(row)]


def _facts(row: Generation, times: Times) -> Iterator[Fact]:
    worth = (row["companions"] or {}).get("worth")
    if worth:
        words = f"{worth['words']:,} words compared"
        yield Fact("100 words taught as much as", f"{worth['estimate']:.0f} fresh words",
                   f"{worth['low']:.0f} to {worth['high']:.0f}; {words}")  # fmt: skip
    else:
        yield Fact("100 words taught as much as", "unknown", "see below", missing=True)
    hours, price = times.get("paid_hours"), times.get("unique_tokens_per_paid_hour")
    if hours:
        yield Fact("paid", f"{number(hours)} engine-hours", "held, whether busy or not")
    else:
        yield Fact("paid", "unknown", "no engine time was recorded", missing=True)
    if price is not None:
        yield Fact("price", f"{number(price)} unique tokens", "per paid engine-hour")
    else:
        yield Fact("price", "unknown", missing=True)


def waterfall_chart(row: Generation) -> Chart:
    """What is left of a generation's tokens after each step."""
    bars = list(_bars(row))
    names, generated = [bar.name for bar in bars], row["waterfall"]["generated"]
    chart = figure(ROW_PX * len(bars) + 24, bargap=0.3)
    known = [bar for bar in bars if bar.value is not None]
    chart.add_bar(
        name="tokens",
        orientation="h",
        y=[bar.name for bar in known],
        x=[bar.value for bar in known],
        marker={"color": [ACCENT if bar.counts else BAR for bar in known]},
        error_x=_whiskers(known),
        hoverinfo="skip",
    )
    for bar in bars:
        # Words stand at the bar's end, clear of its interval.
        chart.add_annotation(
            x=bar.high, y=bar.name, text=bar.label, xanchor="left", showarrow=False, xshift=8,
            font={"color": INK if bar.value is not None else MUTED, "size": 13},
        )  # fmt: skip
    chart.update_xaxes(axis(visible=False, range=[0, 1.75 * max(generated, 1)]))
    chart.update_yaxes(row_axis(names))
    return Chart(
        "waterfall",
        f"What is left of generation {row['generation']}",
        "Tokens. Each bar is a part of the one above it. Whiskers are 95 % intervals.",
        chart,
        "; ".join(f"{bar.name}: {bar.told}" for bar in bars) + ".",
        ("waterfall",),
        [f"{bar.name.capitalize()} is unknown: {bar.why}." for bar in bars if bar.why],
    )


@dataclass(frozen=True, slots=True)
class _Bar:
    name: str
    value: float | None
    low: float
    high: float
    told: str
    counts: bool
    """Whether it counts content, not work."""
    why: str = ""

    @property
    def label(self) -> str:
        """For plotly: the figure in bold, its share behind it."""
        figure, comma, share = self.told.partition(",")
        return f"<b>{figure}</b>{comma}{share}" if self.value is not None else self.told


def _bars(row: Generation) -> Iterator[_Bar]:
    fall, reasons = row["waterfall"], _unknown(row)
    generated = fall["generated"]
    for key, name in STEPS.items():
        value: Any = fall[key]
        if isinstance(value, int):
            share = f", {percent(value / generated)}" if generated and key != "generated" else ""
            yield _Bar(name, value, value, value, f"{number(value)}{share}", False)
        elif value is None:
            yield _Bar(name, None, 0, 0, "unknown", True, reasons[key])
        else:
            low, high = value["low"], value["high"]
            middle = value.get("estimate", (low + high) / 2)
            share = f", {percent(middle / generated)}" if generated else ""
            yield _Bar(name, middle, low, high, f"{_told(value)}{share}", True)


def _told(value: Any) -> str:
    if "estimate" not in value:
        return f"{number(value['low'])} to {number(value['high'])}"
    return number(value["estimate"])


def _whiskers(bars: Sequence[_Bar]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        # None where a count is exact: a whisker without length is a stroke at the bar's end.
        "array": [_reach(bar, bar.high) for bar in bars],
        "arrayminus": [_reach(bar, bar.low) for bar in bars],
        "color": MUTED,
        "thickness": 1.5,
        "width": 5,
    }


def _reach(bar: _Bar, end: float) -> float | None:
    return abs(end - (bar.value or 0)) if bar.high > bar.low else None


def _unknown(row: Generation) -> dict[str, str]:
    """Why each bar may be unknown."""
    withheld = (row["companions"] or {}).get("withheld") or {}
    counted = row["unknown"] or "this corpus is counted in shingles, see the table below"
    left = withheld.get("unexplained", "its companions were not measured")
    audit = "no audit was recorded (seedcorn audit)"
    return {"unique": counted, "unexplained": left, "right": audit}


def _teaching(row: Generation) -> list[Any]:
    found: Any = row["companions"] or {}
    curve: Curve | None = found.get("teaching")
    if not curve or not curve["words"]:
        why = (found.get("withheld") or {}).get("worth", "it was not measured on held-out text")
        return [Text(f"What it teaches is unknown: {why}.", missing=True)]
    return [teaching_chart(row, curve, found.get("anchor_gain"))]


def teaching_chart(row: Generation, curve: Curve, gain: Bounds | None) -> Chart:
    """How much easier held-out real text becomes to predict, by words learnt from."""
    name = f"generation {row['generation']}"
    lines = [
        _Line("fresh real text", curve["words"], curve["yardstick"], MUTED, "dash"),
        _Line(name, curve["words"], curve["generation"], ACCENT, "solid"),
    ]
    chart = figure(320, margin={"l": 12, "r": 12, "t": 30, "b": 12})
    for line in lines:
        _draw(chart, line)
    values = [0.0, *(y for line in lines for _, y in line.points)]
    chart.update_xaxes(count_axis(max(curve["words"]), first=""))
    chart.update_yaxes(axis(range=[1.1 * min(values), 1.25 * max(values) or 1.0], tickformat="~g"))
    told = f", after all of it by {_gain(gain)}" if gain else ""
    return Chart(
        "teaching",
        "What it teaches, beside fresh text",
        "Upwards: thousandths of a bit per byte by which held-out real text becomes easier to "
        "predict. Rightwards: words learnt from.",
        chart,
        f"Held-out real text becomes easier to predict with {name}{told}, beside fresh real text.",
        ("teaching",),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    words: Sequence[int]
    gains: Sequence[float | None]
    colour: str
    dash: str

    @property
    def points(self) -> list[tuple[int, float]]:
        """(words, thousandths of a bit per byte) where they are known."""
        pairs = zip(self.words, self.gains, strict=True)
        return [(x, MILLI * gain) for x, gain in pairs if gain is not None]


def _draw(chart: go.Figure, line: _Line) -> None:
    points = line.points
    chart.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        name=line.name,
        mode="lines+markers",
        line={"color": line.colour, "width": 2.5, "dash": line.dash},
        marker={"size": 6, "color": line.colour},
        text=[f"{line.name}, {number(x)} words" for x, _ in points],
        hovertemplate="%{text}: %{y:.2f}<extra></extra>",
    )
    if points:
        x, y = points[-1]
        chart.add_annotation(
            x=x, y=y, text=line.name, xanchor="right", yanchor="bottom", yshift=6,
            showarrow=False, font={"color": line.colour, "size": 12},
        )  # fmt: skip


def _gain(gain: Bounds) -> str:
    """Delta A in thousandths of a bit per byte."""
    estimate, low, high = (number(MILLI * end) for end in Interval.of(gain))
    return f"{estimate} [{low} to {high}] thousandths of a bit per byte"
