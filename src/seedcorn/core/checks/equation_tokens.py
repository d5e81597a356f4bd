"""The pieces of a text that matter to its equations, in one pass of one regular expression.

Invariant: linear time on any input, because what an alternative reads before it fails is bounded or
consumed by the next one. What has no value here but stands where a value could stand is *alien*, so
that an equation around it is reported and never read as if the sign were not there.
"""

import re
from typing import NamedTuple

MAX_DIGITS = 24
"""Characters of a number that is read; longer ones are alien, which bounds the arithmetic."""

_AHEAD = r"(?=\s*[$€£¥₹]?[0-9(.])"
"""A number follows: only then is a letter or a word a sign."""
_TOKEN = re.compile(
    rf"""(?P<alien>(?:[0-9]{{1,24}}(?:\.[0-9]{{1,24}})?|\.[0-9]{{1,24}})[eE][-+]?[0-9]{{1,24}}  # 1e9
          |[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u215f^√]  # powers, ready fractions
          |(?<=[0-9)])\*\*(?=[0-9(])|[0-9]{{1,24}}:[0-9]|(?![0-9])\d)        # clocks, other digits
    |(?P<number>[0-9]{{1,3}}(?:[,'\u2019\u00a0\u2009\u202f][0-9]{{3}})+(?![0-9])(?:\.[0-9]+)?
          |[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    |(?P<stop>[-=]{{0,3}}[<>][-=]{{0,3}}|!=|[≠≈→⇒]|\\[()\[\]]|[.,;:](?=\s|$))
    |(?P<equals>[=\uff1d]+|\bequals\b)
    |(?P<times>\\times|\\cdot|\*(?!\*)|[\u00d7\u00b7\u22c5\u2217\u2715]
          |(?<=[0-9)%\s])[xX]{_AHEAD}|\b(?:times|multiplied[ ]by)\b{_AHEAD})
    |(?P<over>\\div|[/\u00f7\u2044\u2215]|\bdivided[ ]by\b{_AHEAD})
    |(?P<plus>[+\uff0b]|\bplus\b{_AHEAD})
    |(?P<minus>[-\u2212\u2010-\u2013\ufe63\uff0d]|\bminus\b{_AHEAD})
    |(?P<open>\()
    |(?P<close>\))
    |(?P<percent>\\?%|\bpercent\b)
    |(?P<word>[^\W\d_]\w*)
    |(?P<line>\n)
    |(?P<blank>\\?[$€£¥₹]|\*\*+|`+|[^\S\n]+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text, from `start` up to `end`."""

    kind: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """All tokens but blanks, and a stop behind the last one.

    Brackets that hold an equals sign, or that have no partner, are prose and become stops; the
    others group.
    """
    found: list[Token] = []
    open_brackets: list[int] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "blank":
            continue
        if kind == "number" and match.end() - match.start() > MAX_DIGITS:
            kind = "alien"
        elif kind == "open":
            open_brackets.append(len(found))
        elif kind == "close":
            kind = _closed(open_brackets)
        elif kind in ("equals", "line"):
            _make_prose(found, open_brackets)
        found.append(Token(kind, match.start(), match.end()))
    _make_prose(found, open_brackets)
    found.append(Token("stop", len(text), len(text)))
    return found


def _closed(open_brackets: list[int]) -> str:
    if not open_brackets:
        return "stop"
    open_brackets.pop()
    return "close"


def _make_prose(found: list[Token], open_brackets: list[int]) -> None:
    for position in open_brackets:
        found[position] = found[position]._replace(kind="stop")
    open_brackets.clear()
