"""Two corpora side by side, as a table, as JSON, and in one sentence."""

from typing import Any

from rich.console import Console
from rich.table import Table

from seedcorn.commands.views.output import figures
from seedcorn.core.figures import scaled
from seedcorn.core.intervals import Interval
from seedcorn.core.measure.comparison import Comparison, Side, Unique
from seedcorn.core.sketch.sketch import HEADLINE
from seedcorn.storage.measure.comparison import Outline

FORMAT = 1
"""Version of the JSON."""
UNIQUE_LINE = (
    f"U: the {HEADLINE}-word shingles of accepted samples that are in no seed of either corpus, and "
    "unique words what they are worth; withdrawn samples are left out"
)


def print_comparison(console: Console, found: Comparison, a: Outline, b: Outline) -> None:
    """Everything there is to say."""
    for name, outline in (("A", a), ("B", b)):
        recipes = ", ".join(outline.recipes) or "no generation yet"
        console.print(f"{name}  {outline.store.uri} ({recipes})", soft_wrap=True)
    console.print()
    console.print(sides_table(found))
    console.print()
    for line in [statement(found), *notes(found, a, b), UNIQUE_LINE]:
        console.print(line, soft_wrap=True)


def sides_table(found: Comparison) -> Table:
    """One row per corpus, then what both together hold and what both have."""
    equal = f"unique in\n{scaled(found.equal_tokens)} tokens"
    words = ["unique\nwords"] if found.a.unique_words or found.b.unique_words else []
    table = figures("", "samples", "tokens", *words, "U", "only here", "per\ntoken", equal)
    for name, side in (("A", found.a), ("B", found.b)):
        table.add_row(
            name,
            f"{side.documents:,}",
            scaled(side.tokens),
            *([_optional_text(side.unique_words)] if words else []),
            interval_text(side.unique[HEADLINE]),
            interval_text(side.only[HEADLINE]),
            "-" if side.yield_per_token is None else _ratio(side.yield_per_token),
            _optional_text(side.at_equal_tokens),
        )
    for name, unique in (("A or B", found.union), ("A and B", found.overlap)):
        blank = [""] * len(words)
        table.add_row(name, "", "", *blank, interval_text(unique[HEADLINE]), "", "", "")
    return table


def statement(found: Comparison) -> str:
    """Who adds more per token, and whether that can be said."""
    first, second = found.a.at_equal_tokens, found.b.at_equal_tokens
    if first is None or second is None:
        empty = " and ".join(n for n, s in (("A", found.a), ("B", found.b)) if not s.tokens)
        return f"{empty} has no accepted samples: there is nothing to compare at equal tokens"
    figures_of = f"in {scaled(found.equal_tokens)} tokens each, A adds {scaled(first.estimate)} "
    figures_of += f"and B {scaled(second.estimate)} unique tokens"
    if found.more:
        return (
            f"{figures_of}; the 95 % intervals do not overlap: {found.more.upper()} adds more per "
            "token"
        )
    return f"{figures_of}; the 95 % intervals overlap: neither can be said to add more per token"


def notes(found: Comparison, a: Outline, b: Outline) -> list[str]:
    """What a reader must know before believing the table."""
    lines = []
    if found.rate < 1:
        lines.append(f"estimated from a hash sample of rate {found.rate:.3g}, with 95 % intervals")
    if a.models != b.models:
        lines.append(
            f"A was written by {', '.join(a.models)}, B by {', '.join(b.models)}: models split "
            "text into tokens differently, so their tokens are not quite comparable"
        )
    return lines


def document(found: Comparison, a: Outline, b: Outline) -> dict[str, Any]:
    """The comparison as plain JSON values; an interval is {estimate, low, high}."""
    return {
        "format": FORMAT,
        "sketch_rate": found.rate,
        "a": _side(found.a, a),
        "b": _side(found.b, b),
        "union": _unique(found.union),
        "overlap": _unique(found.overlap),
        "equal_tokens": found.equal_tokens,
        "more_per_token": found.more,
        "statement": statement(found),
        "notes": notes(found, a, b),
    }


def interval_text(interval: Interval) -> str:
    """A count in full where it is exact, else with the ends of its interval."""
    if interval.exact:
        return f"{interval.estimate:,.0f}"
    return f"{scaled(interval.estimate)} ({scaled(interval.low)} to {scaled(interval.high)})"


def _optional_text(interval: Interval | None) -> str:
    return "-" if interval is None else interval_text(interval)


def _side(side: Side, outline: Outline) -> dict[str, Any]:
    return {
        "corpus": outline.store.uri,
        "recipes": outline.recipes,
        "models": outline.models,
        "documents": side.documents,
        "tokens": side.tokens,
        "unique_words": _optional(side.unique_words),
        "unique": _unique(side.unique),
        "only": _unique(side.only),
        "yield_per_token": _optional(side.yield_per_token),
        "at_equal_tokens": _optional(side.at_equal_tokens),
    }


def _unique(unique: Unique) -> dict[str, dict[str, float]]:
    return {str(length): interval._asdict() for length, interval in unique.items()}


def _optional(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else interval._asdict()


def _ratio(interval: Interval) -> str:
    if interval.exact:
        return f"{interval.estimate:.3f}"
    return f"{interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"
