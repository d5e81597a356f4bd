"""Reading the equations of a text: exactly, in time linear in its length, and never by `eval`.

An equation is two or more sides joined by equals signs, at least one of them a calculation.
Invariant: a claim that a calculation equals something is read, or reported as one that cannot be
read; it is never passed over because it looks unusual. A leading side of names alone
(`total = 3 + 4 = 7`, `x = 5`) defines and claims nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from seedcorn.core.checks.calculation import Calculation, Malformed, calculate
from seedcorn.core.checks.equation_tokens import Token, tokens

MAX_TOKENS = 64
"""Numbers, signs and brackets of one equation that is read; the rest is reported as too long."""
MAX_UNIT_WORDS = 3
"""Words after a number that may stand before the next sign: `3 red apples + 4 red apples`."""
MAGNITUDES = frozenset(("k", "dozen", "hundred", "thousand", "million", "billion", "half"))
"""Units that change the number before them, so that it cannot be read without them."""

_BOUNDARY = re.compile(r"[.,;:](?=\s)|(?<!=)(?<!= )\n(?![^\S\n]*=)")
"""No equation reaches across one of these."""
_EQUALS = re.compile("[=\uff1d]|equals")
_SIGNS = frozenset(("times", "over", "plus", "minus"))
_ENDS = frozenset(("number", "close", "percent"))
_STARTS = frozenset(("number", "open"))
_QUESTION = "?_\u2026"
"""After an equals sign: the text asks instead of claiming."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation as it stands in the text, with its sides or why they cannot be had."""

    text: str
    sides: tuple[Calculation, ...] = ()
    problem: str = ""
    """Empty where the equation is right."""

    @property
    def canonical(self) -> str:
        """The same for equal sides in any order, whatever the spelling of numbers and signs."""
        return " = ".join(sorted(side.canonical for side in self.sides))


def equations(text: str) -> Iterator[Equation]:
    """The equations of a text in order, wrong and unreadable ones included."""
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        yield from _in_clause(text[start : boundary.end()])
        start = boundary.end()
    yield from _in_clause(text[start:])


def _in_clause(clause: str) -> Iterator[Equation]:
    """Clauses without an equals sign are passed over at the price of looking for one."""
    if _EQUALS.search(clause):
        for segment in _segments(clause):
            found = _equation(clause, segment)
            if found is not None:
                yield found


def _segments(text: str) -> Iterator[list[Token]]:
    """Runs of tokens that belong to one equation, as far as can be told without reading it."""
    found = tokens(text)
    segment: list[Token] = []
    at = 0
    while at < len(found):
        token, before = found[at], segment[-1].kind if segment else ""
        kind, end = token.kind, at + 1
        if kind == "word":
            kind, end = _word(text, found, at, before)
        elif kind in ("other", "line"):
            kind = _odd(text, token, before, found[end].kind)
        if kind not in ("stop", "nothing"):
            segment.append(Token(kind, token.start, found[end - 1].end))
        if kind == "stop" or (kind == "name" and before == "equals"):
            yield segment
            segment = []
        at = end


def _word(text: str, found: Sequence[Token], at: int, before: str) -> tuple[str, int]:
    """What a word is, and the position behind it and the words that belong to it."""
    token, after = found[at], found[at + 1]
    word = text[token.start : token.end].lower()
    if before in _ENDS:
        if word == "of" and after.kind in _STARTS:
            return "times", at + 1
        return _unit(text, found, at)
    if after.kind == "open" and after.start == token.end:
        return "alien", at + 1
    if before == "equals" or (before in _SIGNS and after.kind in _SIGNS | {"equals"}):
        return "name", at + 1
    if after.kind in _SIGNS and found[at + 2].kind in _STARTS:
        # A dash after a word of prose is no minus.
        return ("stop" if after.kind == "minus" and len(word) > 1 else "name"), at + 1
    return "stop", at + 1


def _unit(text: str, found: Sequence[Token], at: int) -> tuple[str, int]:
    """Words after a number: its unit where the equation goes on behind them."""
    end = at + 1
    while found[end].kind == "word" and end - at < MAX_UNIT_WORDS:
        end += 1
    first = text[found[at].start : found[at].end].lower()
    if first in MAGNITUDES:
        return "alien", end
    goes_on = found[end].kind in _SIGNS or found[end].kind in ("equals", "close")
    return ("unit", end) if goes_on else ("stop", at + 1)


def _odd(text: str, token: Token, before: str, after: str) -> str:
    """A sign without meaning here: alien inside a calculation, else the end of it."""
    if token.kind == "line":
        return "nothing" if before == "equals" or after == "equals" else "stop"
    if before == "equals":
        return "stop" if text[token.start] in _QUESTION else "alien"
    inside = before in _ENDS and (after in _SIGNS or after == "equals")
    leading = before in _SIGNS and after in _STARTS
    around = text[max(0, token.start - 1) : token.end + 1]
    between = len(around) == 3 and around[0].isdigit() and around[2].isdigit()
    return "alien" if inside or leading or between else "stop"


def _equation(text: str, segment: Sequence[Token]) -> Equation | None:
    """The equation that a segment holds, if any."""
    sides = _claimed(_cut(_trimmed(segment)))
    kinds = {token.kind for side in sides for token in side}
    if len(sides) < 2 or not kinds & {"number", "alien"}:
        return None
    quoted = text[sides[0][0].start : sides[-1][-1].end] if sides[0] and sides[-1] else ""
    try:
        values = [calculate(text, side) for side in _measured(text, sides)]
    except Malformed as problem:
        unread = kinds & {"alien", *_SIGNS} or len(_numbers(sides)) > 1
        return Equation(quoted, problem=str(problem)) if unread else None
    problem = _difference(values)
    if not any(value.operations for value in values) and (not problem or "unit" in kinds):
        return None
    return Equation(quoted, tuple(values), problem)


def _numbers(sides: Sequence[Sequence[Token]]) -> list[Token]:
    return [token for side in sides for token in side if token.kind == "number"]


def _trimmed(segment: Sequence[Token]) -> Sequence[Token]:
    """Without the bullets, dashes and stars of prose around it, and without open ends."""
    start, end = 0, len(segment)
    while start < end and segment[start].kind in _SIGNS | {"equals"}:
        touches = start + 1 < end and segment[start + 1].start == segment[start].end
        if segment[start].kind in ("plus", "minus") and touches:
            break
        start += 1
    while end > start and segment[end - 1].kind in _SIGNS | {"equals"}:
        end -= 1
    return segment[start:end]


def _cut(segment: Sequence[Token]) -> list[Sequence[Token]]:
    cuts = [at for at, token in enumerate(segment) if token.kind == "equals"]
    pairs = zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(segment)], strict=True)
    return [segment[start:end] for start, end in pairs]


def _claimed(sides: Sequence[Sequence[Token]]) -> Sequence[Sequence[Token]]:
    """Without leading sides that are made of names and signs alone."""
    start = 0
    while start < len(sides) and {token.kind for token in sides[start]} <= {"name", *_SIGNS}:
        start += 1
    return sides[start:]


def _measured(text: str, sides: Sequence[Sequence[Token]]) -> list[list[Token]]:
    """The sides without units; raises Malformed for too many tokens and for unlike units."""
    every = [token for side in sides for token in side]
    if len(every) > MAX_TOKENS:
        raise Malformed(f"too long to be read: {len(every)} numbers and signs")
    words = [text[token.start : token.end] for token in every if token.kind == "unit"]
    units = sorted({word.split()[-1].lower().rstrip("s.") for word in words})
    if len(units) > 1 and not {token.kind for token in every} & {"times", "over"}:
        raise Malformed(f"adds unlike units: {', '.join(units)}")
    return [[token for token in side if token.kind != "unit"] for side in sides]


def _difference(sides: Sequence[Calculation]) -> str:
    """The first two values that differ; empty where all sides are equal."""
    first = sides[0].value
    for side in sides[1:]:
        if side.value != first:
            return f"{_spelled(first)} is not {_spelled(side.value)}"
    return ""


def _spelled(value: int | Fraction) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
