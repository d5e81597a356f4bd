"""Whether a generation was worth its engine-hours: one of three colours, why, and what to do next.

A pure function of figures that the ledger has; the first rule that holds decides. Invariant: nothing
is said on a figure that is unknown, which is a reason to look, and no rule reads a constant in bits:
what fresh text teaches falls as the seed grows, so that only what is measured beside it can be read
(LEDGER, second edition, 12).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypedDict

from seedcorn.core.companions.order_gap import NOISE
from seedcorn.core.figures import counted, percent
from seedcorn.core.intervals import Interval

GO, LOOK, STOP = "go", "look", "stop"
SAID = {GO: "Worth going on", LOOK: "Look", STOP: "Stop"}
UNIQUE = 0.05
"""Share of accepted tokens that are unique, below which a generation repeats."""
TAUGHT = 10.0
"""Worth below which text of known word sequences taught nothing."""
LITTLE = 50.0
"""Worth below which a text surely taught less than half of what fresh text does."""
OUTSIDE = 0.5
"""Share of tokens outside known word sequences, from which a text was written anew."""
OUTSIDE_SHORT = 0.1
"""Share of words outside known three-word sequences, below which longer ones are recombined: 0 for a
Markov loop of two words, .12 for 40 % synonyms, .22 for a human paraphrase (docs/benchmarks.md)."""
UNEXPLAINED = 0.8
"""Mean novel share (rho), from which a text says what the history does not."""
HELD_OUT = "give real text of your own as ledger.anchor and ledger.yardstick"
FRESH = "bring fresh seed, another task or a stronger model"
NO_FIGURES: Mapping[str, str] = MappingProxyType({})


class VerdictNote(TypedDict):
    """A `Verdict` as JSON."""

    colour: str
    reason: str
    next: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`colour` is go | look | stop; `reason` and `next` are clauses without a full stop."""

    colour: str
    reason: str
    next: str = ""

    @property
    def sentence(self) -> str:
        """As a person reads it."""
        onward = f"; {self.next}" if self.next else ""
        return f"{SAID[self.colour]}: {self.reason}{onward}."

    @property
    def note(self) -> VerdictNote:
        """As plain values."""
        return {
            "colour": self.colour,
            "reason": self.reason,
            "next": self.next,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """What of the recipe the verdict goes by."""

    worth: float = TAUGHT
    """`ledger.worth`: what 100 words must surely teach as much as, in words of fresh text."""
    precision: float = 0.0
    """`stop.min_precision`; 0: none is wanted."""
    alarms: bool = True
    """`stop.alarms`: whether an alarm is a reason to stop."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a generation. None: unknown, and `withheld` may say why."""

    generation: int
    finished: bool
    committed: int
    """Samples that have an outcome."""
    accepted: int
    unique_share: Interval | None = None
    """u: unique tokens of accepted tokens."""
    outside_share: Interval | None = None
    """v: tokens inside no known word sequence."""
    outside_short_share: Interval | None = None
    """The same of sequences of three words."""
    novel_share: Interval | None = None
    """Rho, mean."""
    order_gap: Interval | None = None
    worth: Interval | None = None
    worth_before: Interval | None = None
    """Of the generation before it that stands."""
    precision: Interval | None = None
    alarms: Sequence[str] = ()
    """Of form: jumps in the line, or against seed and earlier generations; sentences."""
    withheld: Mapping[str, str] = field(default_factory=lambda: NO_FIGURES)

    @property
    def name(self) -> str:
        """The generation in a sentence."""
        return f"generation {self.generation}"


def verdict(found: Findings, limits: Limits) -> Verdict:
    """The first rule that holds: reasons to stop, then those to go on, then what to look at."""
    for rule in RULES:
        said = rule(found, limits)
        if said is not None:
            return said
    return _unsure(found, limits)


def _empty(found: Findings, limits: Limits) -> Verdict | None:
    if found.accepted or not found.committed:
        return None
    text = f"none of the {counted(found.committed, 'sample')} of {found.name} was accepted"
    return Verdict(STOP, text, "see why with seedcorn show")


def _repeats(found: Findings, limits: Limits) -> Verdict | None:
    share = found.unique_share
    if share is None or share.high >= UNIQUE:
        return None
    text = f"{percent(share.estimate)} of the accepted tokens of {found.name} are unique"
    return Verdict(STOP, text, FRESH)


def _salad(found: Findings, limits: Limits) -> Verdict | None:
    if found.order_gap is None or found.order_gap.high >= NOISE:
        return None
    text = f"the order of the words of {found.name} carries nothing, as in shuffled text"
    return Verdict(STOP, text, "look at its samples, then at sampling, chat template and model")


def _alarmed(found: Findings, limits: Limits) -> Verdict | None:
    if not found.alarms or not limits.alarms:
        return None
    more = len(found.alarms) - 1
    others = f" (and {counted(more, 'further alarm')})" if more else ""
    return Verdict(
        STOP,
        f"{found.alarms[0]}{others}",
        f"look at samples of {found.name}, then change the prompt",
    )


def _recombined(found: Findings, limits: Limits) -> Verdict | None:
    if found.worth is None or found.worth.high >= TAUGHT:
        return None
    shares = (
        (found.outside_share, OUTSIDE, "word sequences"),
        (found.outside_short_share, OUTSIDE_SHORT, "sequences of three words"),
    )
    for outside, least, what in shares:
        if outside is not None and outside.estimate < least:
            known = percent(1 - outside.estimate)
            text = f"{_taught(found)}, and {known} of its tokens stand in {what} that were known"
            return Verdict(STOP, text, "bring fresh seed or a verifier")
    return None


def _twice_nothing(found: Findings, limits: Limits) -> Verdict | None:
    both = found.worth, found.worth_before
    if any(worth is None or worth.low > 0 for worth in both):
        return None
    return Verdict(STOP, f"{_taught(found)}, and the one before it nothing either", FRESH)


def _worth_it(found: Findings, limits: Limits) -> Verdict | None:
    if found.worth is None or found.worth.low <= limits.worth or _imprecise(found, limits):
        return None
    return Verdict(GO, _taught(found))


RULES: tuple[Callable[[Findings, Limits], Verdict | None], ...] = (
    _empty,
    _repeats,
    _salad,
    _alarmed,
    _recombined,
    _twice_nothing,
    _worth_it,
)


def _unsure(found: Findings, limits: Limits) -> Verdict:
    if not found.finished:
        return Verdict(LOOK, f"{found.name} is not finished")
    if found.worth is None:
        text = f"what {found.name} taught is unknown"
        if (why := found.withheld.get("worth")) is not None:
            return Verdict(LOOK, f"{text}: {why}")  # It says itself what is needed.
        return Verdict(LOOK, f"{text}: it was not measured on held-out text", HELD_OUT)
    if found.worth.low > limits.worth and found.precision is not None:
        low = found.precision.low
        text = f"an audit of {found.name} found precision from {low:.3f} up, {limits.precision:g} is wanted"
        return Verdict(LOOK, text, "tighten the checks, or audit more")
    return _told_little(found) or Verdict(
        LOOK,
        f"{_taught(found)}, which does not tell it from {limits.worth:g}",
        "grow more, or give a larger anchor and yardstick",
    )


def _told_little(found: Findings) -> Verdict | None:
    """Why text that is not known already taught little; None where it may have taught much."""
    rho, outside = found.novel_share, found.outside_share
    if rho is None or found.worth is None or found.worth.high >= LITTLE:
        return None
    if rho.estimate >= UNEXPLAINED:
        text = f"{_taught(found)}: it is new, but of a domain that your anchor does not hold"
        return Verdict(LOOK, text, "add real text of that domain to anchor and yardstick")
    if outside is not None and outside.estimate >= OUTSIDE:
        text = f"{_taught(found)}: it restates, with little that the history does not say"
        return Verdict(LOOK, text, "what form and style are worth no figure here measures")
    return None


def _imprecise(found: Findings, limits: Limits) -> bool:
    low = found.precision.low if found.precision is not None else 1.0
    return limits.precision > 0 and low <= limits.precision


def _taught(found: Findings) -> str:
    assert found.worth is not None
    words, low, high = (f"{round(end)}" for end in found.worth)
    return (
        f"100 words of {found.name} taught as much as {words} [{low}, {high}] words of fresh text"
    )
