"""How each figure of the ledger is told: its explanation, and what lines and tables call it.

A new measure of a generation is a row of COMPANIONS or BOUNDS and a sentence of EXPLANATIONS: the
ledger's line and the report's tables show it then. What leads is in the ledger's unit: unique tokens,
or U under its rule 1; documents of before there was a second rule lack its keys. Invariant: a sentence says what the number is, in
which unit, and what it must not be taken for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seedcorn.core.companions.companions import Companions
from seedcorn.core.companions.order_gap import NOISE
from seedcorn.core.figures import short_share
from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.course import ComingOf, Point
from seedcorn.core.ledger.document import ByLength, GenerationFigures, Stratum, TimesOfRow
from seedcorn.core.sketch.sketch import HEADLINE

Row = TypeVar("Row", contravariant=True)
Value = TypeVar("Value")
MILLI = 1000
"""Delta A is told in thousandths of a bit per byte."""


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
    """Measured: what an engine-hour brought, a paid one where that is known."""
    if (paid := times.get("unique_tokens_per_paid_hour")) is not None:
        return paid
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


@dataclass(frozen=True, slots=True)
class Measure(Generic[Row, Value]):
    """A figure of a row of the document."""

    key: str
    """Of its explanation."""
    heading: str
    value: Callable[[Row], Value | None]
    """None where it was not measured."""
    line: Callable[[Value], str] | None = None
    """Its part of the ledger's line, if it has one."""
    share: bool = False
    """Told as per cent."""
    missing: str = "not measured"

    def phrase(self, row: Row) -> str:
        """Its part of the ledger's line; empty where there is none."""
        value = self.value(row)
        return self.line(value) if self.line is not None and value is not None else ""


def _order(gap: Bounds) -> str:
    return "Γ ok" if gap["high"] >= NOISE else f"Γ {gap['estimate']:.2f} (no order)"


def _gain(gain: Bounds) -> str:
    half = MILLI * (gain["high"] - gain["low"]) / 2
    return f"ΔA {MILLI * gain['estimate']:+.1f} ± {half:.1f} mb/B"


def _worth(worth: Bounds) -> str:
    return f"W {worth['estimate']:.0f} [{worth['low']:.0f}, {worth['high']:.0f}]"


def _mean_novelty(found: Companions) -> Bounds | None:
    share = found.get("novel_share")
    return share["mean"] if share else None


def _contained(row: GenerationFigures) -> float | None:
    shingles = row["containment"].get("shingles")
    return row["containment"].get("seen", 0.0) / shingles if shingles else None


COMPANIONS: tuple[Measure[Companions, Bounds] | Measure[Companions, float], ...] = (
    Measure(
        "novel_share", "ρ, mean", _mean_novelty, lambda mean: f"ρ {short_share(mean['estimate'])}"
    ),
    Measure(
        "outside_share",
        "v, outside known sequences",
        lambda found: found.get("outside_share"),
        share=True,
    ),
    Measure(
        "outside_short_share",
        "outside known threes",
        lambda found: found.get("outside_short_share"),
        share=True,
    ),
    Measure(
        "unexplained", "not explained of unique", lambda found: found.get("unexplained"), share=True
    ),
    Measure("novel_bits", "B, bits", lambda found: found.get("novel_bits")),
    Measure("order_gap", "Γ, bits/byte", lambda found: found.get("order_gap"), _order),
    Measure(
        "anchor_gain",
        "ΔA, bits/byte",
        lambda found: found.get("anchor_gain"),
        _gain,
        missing="no anchor set",
    ),
    Measure(
        "worth",
        "W, words of 100",
        lambda found: found.get("worth"),
        _worth,
        missing="no anchor and yardstick",
    ),
    Measure("compression_ratio", "compression", lambda found: found.get("compression_ratio")),
    Measure("openings", "openings", lambda found: found.get("openings"), share=True),
    Measure("repetition", "repetition", lambda found: found.get("repetition"), share=True),
    Measure("diversity", "diversity", lambda found: found.get("diversity"), share=True),
    Measure("vendi", "Vendi", lambda found: found.get("vendi")),
)
"""Figures beside U that say what a count of new shingles cannot."""
BOUNDS: tuple[Measure[GenerationFigures, float], ...] = (
    Measure(
        "containment",
        "contained",
        _contained,
        lambda share: f"contained {100 * share:.1f} %",
        share=True,
    ),
    Measure("coverage", "coverage C", lambda row: row["coverage"]),
    Measure(
        "information_budget", "information budget, bits", lambda row: row["information_budget"]
    ),
)
"""What the counts themselves bound."""
EXPLANATIONS: dict[str, str] = {
    "verdict": (
        "Worth going on, look, or stop: the first rule that holds of the newest generation's "
        "figures; a figure that is unknown is a reason to look, never one to stop."
    ),
    "waterfall": (
        "What is left of the tokens that were generated: accepted by the checks, unique (no earlier "
        "text holds their word sequences), not explained by the nearest earlier documents, and "
        "right as far as an audit says."
    ),
    "teaching": (
        "How much easier held-out real text becomes to predict for a small model that learnt from "
        "so many words of this generation, beside one that learnt from as many of fresh real "
        "text; a curve that flattens early has said what it had to say."
    ),
    "unique_tokens": (
        "Of each accepted sample's tokens the share of its word sequences of eight words that occur "
        "nowhere earlier, summed up; it says that text is new, not that it is good."
    ),
    "unique": (
        "Distinct word sequences of eight words (3 and 13 beside it) that occur in this "
        "generation's accepted samples and nowhere earlier (U)."
    ),
    "yield": (
        "Unique tokens per accepted token: 1 while all text is new; a falling line means that more "
        "buys less. In corpora that count U, distinct word sequences per accepted token."
    ),
    "per_engine_hour": (
        "Unique tokens per hour in which an engine had work in flight: the price of new content, "
        "comparable between strata but not between machines."
    ),
    "accepted": (
        "Share of planned samples that passed every check and repeat nothing; it says how strict "
        "the checks are as much as how good the samples are."
    ),
    "duplicates": (
        "Samples dropped because they repeat the seed, an earlier generation or this one; each "
        "names the document that it repeats and how similar the two are."
    ),
    "containment": (
        "Share of word sequences that already stand in documents kept before; it finds copies "
        "with shifted cut points, which duplicate detection calls new."
    ),
    "novel_share": (
        "Share of a document's bits that its nearest history does not explain (rho): below .05 for "
        "a copy, .3 to .6 for a paraphrase, .8 to 1 for new text and for noise."
    ),
    "novel_bits": (
        "Compressed size of the accepted documents, each counted by its novel share (B, in bits): "
        "what is left of the volume once near history is taken off."
    ),
    "order_gap": (
        "Bits per byte that the order of the words carries (Gamma): near 0 for word salad, at "
        "least .5 for structured text, and no judge of whether it is true."
    ),
    "anchor_gain": (
        "Bits per byte by which held-out real text becomes more predictable once this generation "
        "is learnt from (Delta A); it falls as the seed grows, so read what it is worth instead."
    ),
    "worth": (
        "Words of fresh real text that 100 words of this generation taught as much as (W), both at "
        "the same size and against the same history; below 0 it taught less than a copy."
    ),
    "outside_share": (
        "Share of words inside no sequence of eight that occurred before (v): the lower figure "
        "beside the unique share, because one changed word makes up to eight sequences new."
    ),
    "outside_short_share": (
        "Share of words inside no sequence of three that occurred before: near 0 where a model of "
        "word pairs recombines what it knows, however new its longer sequences are."
    ),
    "unexplained": (
        "Part of the unique tokens that neither known sequences nor the nearest earlier documents "
        "explain; what is left once reworded text is taken off."
    ),
    "precision": (
        "Share of the unique content that a trusted audit found right (pi); it belongs to unique "
        "content and is lower than the share of right samples."
    ),
    "adjusted_unique": (
        "Unique tokens times audited precision, the low ends and the high ends multiplied: the "
        "range in which unique and right content lies."
    ),
    "compression_ratio": (
        "Bytes of a fixed-size sample over its compressed bytes: a rise against earlier batches "
        "means that samples begin to share a form."
    ),
    "openings": (
        "Share of sampled documents whose first eight words another sampled document has too: a "
        "jump means that one template takes over."
    ),
    "vendi": (
        "Effective number of different documents in a sample (Vendi score), as older versions "
        "measured it: as many as documents when they share nothing, 1 when all say the same."
    ),
    "diversity": (
        "Effective number of different documents in a sample, as a share of them: near 1 for "
        "documents that share no word sequences, below .2 for fillings of one template."
    ),
    "repetition": (
        "Share of four-word sequences in a sample that another document of it has as well: a rise "
        "against the seed means that samples share their wording."
    ),
    "forecast": (
        "Unique tokens that the next samples would add under the same recipe, with a 95 % "
        "interval; it knows nothing of a policy that changes."
    ),
    "coverage": (
        "Chance that a word sequence of the next document has been seen already (Good's C): near 1 "
        "the source is used up, near 0 it has hardly been tapped."
    ),
    "trend": (
        "Unique tokens to expect of the next generation, from a straight line through the "
        "logarithms of those before; it needs four generations."
    ),
    "information_budget": (
        "The most bits that the accept and reject decisions can have carried: an upper bound on "
        "what the verifier taught, not a measurement of it."
    ),
    "repeats": (
        "What the unique tokens would be worth if trained on for several epochs, counted in fresh "
        "tokens; an optimistic cap, not a guarantee."
    ),
    "alarms": (
        "Sudden changes of form in one stratum, such as a template taking over or a source being "
        "wiped out; an alarm asks for a look at the samples."
    ),
    "exclusive": (
        "Unique tokens of this stratum that no other stratum of the generation has: what would be "
        "lost without it, and the figure that budget moves use."
    ),
}
"""One sentence per number, by the number's key; plain text without markup."""
