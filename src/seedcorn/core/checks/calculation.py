"""One side of an equation: its exact value and a form that does not depend on how it is written.

`expression = term {(+|-) term}`, `term = factor {(x|/) factor}`, `factor = [+|-] (number |
"(" expression ")") [%]`. Values are whole numbers or fractions, so nothing is rounded. The caller bounds the number
of tokens and the digits of a number, and thereby all work and all depth here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Protocol

_SEPARATORS = re.compile("[^0-9]+")


class EquationToken(Protocol):
    """A token: number, plus, minus, times, over, open, close, percent; any other has no value."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Malformed(Exception):
    """A side that cannot be read; says why."""


@dataclass(frozen=True, slots=True)
class Calculation:
    """The value of a side; operands of sums and products are sorted in the canonical form."""

    value: int | Fraction
    canonical: str
    operations: int = 0
    """Signs between two operands."""


def calculate(text: str, pieces: Sequence[EquationToken]) -> Calculation:
    """Read a whole side; raises Malformed where it is none or divides by zero."""
    reader = _Reader(text, pieces)
    side = reader.sum()
    if reader.kind:
        raise Malformed(f"cannot be read at {reader.quoted!r}")
    return side


class _Reader:
    """Recursive descent over the pieces."""

    def __init__(self, text: str, pieces: Sequence[EquationToken]) -> None:
        self._text = text
        self._pieces = pieces
        self._at = 0

    @property
    def kind(self) -> str:
        """Kind of the next piece; empty at the end."""
        return self._pieces[self._at].kind if self._at < len(self._pieces) else ""

    @property
    def quoted(self) -> str:
        """The next piece as it stands in the text."""
        piece = self._pieces[self._at]
        return self._text[piece.start : min(piece.end, piece.start + 20)]

    def sum(self) -> Calculation:
        """Terms; a difference is the sum of a term and a negated one."""
        operands = [self._product()]
        while self.kind in ("plus", "minus"):
            negative = self._take() == "minus"
            operand = self._product()
            operands.append(_negated(operand) if negative else operand)
        return _joined(operands, "+", sum(operand.value for operand in operands))

    def _product(self) -> Calculation:
        operands = [self._factor()]
        while self.kind in ("times", "over"):
            divides = self._take() == "over"
            operand = self._factor()
            operands.append(_inverted(operand) if divides else operand)
        return _joined(operands, "*", prod(operand.value for operand in operands))

    def _factor(self) -> Calculation:
        negative = self.kind in ("plus", "minus") and self._take() == "minus"
        operand = self._operand()
        if self.kind == "percent":
            self._take()
            value = operand.value * Fraction(1, 100)
            operand = Calculation(value, f"%{operand.canonical}", operand.operations)
        return _negated(operand) if negative else operand

    def _operand(self) -> Calculation:
        if self.kind == "open":
            self._take()
            inside = self.sum()
            if self.kind != "close":
                raise Malformed("a bracket is not closed")
            self._take()
            return inside
        if self.kind != "number":
            raise Malformed(f"cannot be read at {self.quoted!r}" if self.kind else "breaks off")
        piece = self._pieces[self._at]
        whole, _, decimals = self._text[piece.start : piece.end].partition(".")
        digits = _SEPARATORS.sub("", whole) + decimals
        value = Fraction(int(digits), 10 ** len(decimals)) if decimals else int(digits)
        self._take()
        return Calculation(value, str(value))

    def _take(self) -> str:
        self._at += 1
        return self._pieces[self._at - 1].kind


def _negated(operand: Calculation) -> Calculation:
    return Calculation(-operand.value, f"-{operand.canonical}", operand.operations)


def _inverted(operand: Calculation) -> Calculation:
    if not operand.value:
        raise Malformed("divides by zero")
    return Calculation(Fraction(1) / operand.value, f"/{operand.canonical}", operand.operations)


def _joined(operands: Sequence[Calculation], sign: str, value: int | Fraction) -> Calculation:
    if len(operands) == 1:
        return operands[0]
    canonical = sign.join(sorted(operand.canonical for operand in operands))
    operations = sum(operand.operations for operand in operands) + len(operands) - 1
    return Calculation(value, f"({canonical})", operations)
