"""Equations in texts: which are found, which are right, and that nothing odd is waved through."""

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.checks.equation_tokens import MAX_DIGITS
from seedcorn.core.checks.equations import equations


def read(text: str) -> list[tuple[str, bool]]:
    return [(found.text, not found.problem) for found in equations(text)]


RIGHT = [
    ("So 3 + 4 = 7.", "3 + 4 = 7"),
    ("3+4=7", "3+4=7"),
    ("7 = 3 + 4", "7 = 3 + 4"),
    ("1,234,567 + 1 = 1234568", "1,234,567 + 1 = 1234568"),
    ("3 \u00d7 4 \u2212 2 = 10", "3 \u00d7 4 \u2212 2 = 10"),
    ("3 x 4 = 12", "3 x 4 = 12"),
    ("3x4=12", "3x4=12"),
    ("12 ÷ 4 · 2 = 6", "12 ÷ 4 · 2 = 6"),
    ("2 + 3 \u00d7 4 = 14", "2 + 3 \u00d7 4 = 14"),
    ("(2 + 3) * 4 = 20", "(2 + 3) * 4 = 20"),
    ("1/3 + 1/6 = 1/2 = 0.5", "1/3 + 1/6 = 1/2 = 0.5"),
    ("0.1 + 0.2 = 0.3", "0.1 + 0.2 = 0.3"),
    ("-5 + 3 = -2", "-5 + 3 = -2"),
    ("5 - -3 = 8", "5 - -3 = 8"),
    ("20% of 50 = 10", "20% of 50 = 10"),
    ("$1,000.50 - $0.50 = $1,000", "1,000.50 - $0.50 = $1,000"),
    ("3 red apples + 4 red apples = 7 apples", "3 red apples + 4 red apples = 7"),
    ("Total = price + tax = 5 + 3 = 8 euros", "5 + 3 = 8"),
    ("3 plus 4 equals 7", "3 plus 4 equals 7"),
    ("He did it (3 + 4 = 7).", "3 + 4 = 7"),
    ("- 3 + 4 = 7", "3 + 4 = 7"),
    ("2) **3 + 4 = 7**", "3 + 4 = 7"),
    ("* 3 + 4 = **7**", "3 + 4 = **7"),
    ("Answer - 3 + 4 = 7", "3 + 4 = 7"),
    (r"\(3 \times 4 = 12\)", r"3 \times 4 = 12"),
    ("3 + 4 =\n7", "3 + 4 =\n7"),
    ("Is 3 + 4 = 7? Yes!", "3 + 4 = 7"),
]


@pytest.mark.parametrize(("text", "quoted"), RIGHT)
def test_right_equation_is_found_in_prose_and_read(text, quoted):
    assert read(text) == [(quoted, True)]


WRONG = [
    ("3 + 4 = 8", "7 is not 8"),
    ("3 + 4 = 7 - 2 = 5", "7 is not 5"),
    ("10 / 3 = 3.33", "10/3 is not 333/100"),
    ("3 + 4\n= 8", "7 is not 8"),
    ("2 + 3 \u00d7 4 = 20", "14 is not 20"),
    ("20 percent of 50 = 11", "10 is not 11"),
    ("4 = 3", "4 is not 3"),
    ("10 / (5 - 5) = 2", "divides by zero"),
    ("2 km + 3 m = 5 km", "adds unlike units: km, m"),
    ("2 dozen + 3 = 5", "cannot be read at 'dozen'"),
    ("3 + 4 = seven", "cannot be read at 'seven'"),
    ("3 + x = 10", "cannot be read at 'x'"),
    ("x - 4 = 3", "cannot be read at 'x'"),
    ("f(3 + 4) = 7", "cannot be read at 'f'"),
    ("7 (3 + 4) = 7", "cannot be read at '('"),
    ("2^3 + 1 = 3", "cannot be read at '^'"),
    ("2**3 + 1 = 3", "cannot be read at '**'"),
    ("3² + 4 = 7", "cannot be read at '²'"),
    ("2e3 + 1 = 3", "cannot be read at '2e3'"),
    ("1 1/2 + 1/2 = 1", "cannot be read at '1'"),
    ("12 000 + 1 = 1", "cannot be read at '000'"),
    ("3,5 + 1,5 = 5", "cannot be read at ','"),
    ("2:30 + 1:30 = 4:00", "cannot be read at '2:3'"),
    (r"\frac{1}{2} + \frac{1}{2} = 1", "cannot be read at '}'"),
    ("٣ + 4 = 7", "cannot be read at '٣'"),
    ("3 + = 3", "breaks off"),
    ("9" * (MAX_DIGITS + 1) + " + 1 = 1", "cannot be read"),
    ("1 + " * 40 + "1 = 41", "too long"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_wrong_or_unreadable_equation_says_why(text, why):
    [found] = equations(text)
    assert why in found.problem


NONE = [
    "Tom has 3 apples.",
    "x = 5",
    "x + y = 7",
    "3 + 4 = ?",
    "3 + 4 = ___",
    "3 + 4 =",
    "5 = 5",
    "1 hour = 60 minutes",
    "5 = five",
    "10 / 3 ≈ 3.33 and 3 + 4 >= 5",
    '<a href="page?id=3">',
    "= = =",
]


@pytest.mark.parametrize("text", NONE)
def test_text_that_claims_no_calculation_holds_no_equation(text):
    assert read(text) == []


def test_several_equations_are_read_in_order_across_clauses_and_lines():
    text = "First 1 + 1 = 2, then 2 x 2 = 5; so\n- 3 - 1 = 2\n- 4 / 2 = 2"
    assert [right for _, right in read(text)] == [True, False, True, True]


NUMBERS = st.builds(Fraction, st.integers(0, 10**6), st.sampled_from([1, 1, 1, 10, 100]))


def spelled(value: Fraction, separators: bool) -> str:
    """A number as people write it: a decimal where it ends, else a fraction."""
    sign, value = ("-" if value < 0 else ""), abs(value)
    if (scaled := value * 10**12).denominator != 1:
        return f"{sign}{value.numerator}/{value.denominator}"
    whole, rest = divmod(scaled.numerator, 10**12)
    decimals = f"{rest:012d}".rstrip("0")
    digits = f"{whole:,}" if separators else str(whole)
    return f"{sign}{digits}{'.' if decimals else ''}{decimals}"


@st.composite
def calculations(draw: st.DrawFn, depth: int = 2) -> tuple[str, Fraction]:
    """A calculation as text and, computed beside it, its value."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        value = draw(NUMBERS)
        return spelled(value, draw(st.booleans())), value
    (left, a), (right, b) = (draw(calculations(depth=depth - 1)) for _ in range(2))
    name = draw(st.sampled_from(["+", "-", "*", "/"] if b else ["+", "-", "*"]))
    sign = draw(st.sampled_from({"+": "+", "-": "-\u2212\u2013", "*": "*\u00d7·", "/": "/÷"}[name]))
    space = draw(st.sampled_from(["", " "]))
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else Fraction(0)}[name]
    return f"({left}{space}{sign}{space}{right})", value


@given(calculations(), st.booleans(), st.sampled_from([0, 0, 1, -1, Fraction(1, 100)]))
@settings(max_examples=120, deadline=None)
def test_equation_is_right_exactly_when_the_values_are_equal(calculation, separators, error):
    text, value = calculation
    shown = spelled(value + error, separators)
    if len(shown) > MAX_DIGITS:
        return
    found = list(equations(f"We see that 0 + {text} = {shown}, as promised."))
    assert [not item.problem for item in found] == [error == 0]


@given(st.text(alphabet="0123456789.,+-*/x\u00d7()=% \nepqs^²", max_size=60))
@settings(max_examples=250, deadline=None)
def test_any_text_is_read_without_an_error(text):
    for found in equations(text):
        assert found.text
        assert found.problem or len(found.sides) > 1


@given(st.text(alphabet="0012357.+-*/()=", min_size=3, max_size=16))
@settings(max_examples=250, deadline=None)
def test_equation_read_as_right_is_right_for_python_too(text):
    for found in equations(text):
        if not found.problem:
            sides = [
                re.sub(r"\d*\.?\d+", lambda number: f"Fraction('{number[0]}')", side)
                for side in re.split("=+", found.text)
            ]
            assert len({eval(side, {"Fraction": Fraction}) for side in sides}) == 1


HOSTILE = {
    "digits": "9" * 10**6 + " + 1 = 2",
    "exponent": "1e" + "9" * 10**6 + " + 1 = 2",
    "tower": "9^" * 10**4 + "9 = 1",
    "sum": "1 + " * 10**4 + "1 = 5",
    "equals": "= " * 10**4,
    "brackets": "(" * 10**4 + "1 + 1 = 2",
    "words": "5 " + "a " * 10**4 + "= 3",
    "letters": "3 x" + " " * 10**5 + "4 = 12",
    "commas": "111," * 10**5 + "1111 = 3",
    "dots": "1." * 10**5 + " = 1",
    "arrows": "-=" * 20_000,
    "dashes": "-" * 40_000 + "= 3",
    "lines": "3 + 4\n" * 10**5 + "= 7",
    "clocks": "1:" * 10**5 + " = 1",
    "products": ("*".join(["9" * 24] * 15) + " = 1. ") * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_bounded_time(name):
    start = time.perf_counter()
    for found in equations(HOSTILE[name]):
        assert len(found.problem) < 200
    assert time.perf_counter() - start < 5
