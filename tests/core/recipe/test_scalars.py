"""A field of text gets the text, a number its number, and what is neither is said."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.scalars import Scalar, hint_at, settle


@dataclass(frozen=True)
class Inner:
    word: str = ""
    words: list[str] = field(default_factory=list)
    patterns: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    several: list[Inner] = field(default_factory=list)
    table: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0
    share: float | None = None
    either: int | str = 1
    flag: bool = False
    free: dict[str, Any] = field(default_factory=dict)


NO = Scalar("no", False)


def test_text_is_taken_as_written_wherever_a_field_holds_text():
    tree = {
        "inner": {"word": Scalar("1.10", 1.1), "words": [NO, "x"], "patterns": Scalar("007", 7)},
        "several": [{"word": NO}],
        "table": {Scalar("on", True): [Scalar("12:30", 750), Scalar("1e3", 1000.0)]},
    }
    assert settle(tree, Outer) == {
        "inner": {"word": "1.10", "words": ["no", "x"], "patterns": "007"},
        "several": [{"word": "no"}],
        "table": {"on": ["12:30", "1e3"]},
    }


def test_numbers_and_truth_values_are_read_where_a_field_holds_them():
    tree = {
        "count": Scalar("1_000", 1000),
        "share": Scalar("null", None),
        "either": Scalar("2", 2),
        "flag": Scalar("on", True),
    }
    assert settle(tree, Outer) == {"count": 1000, "share": None, "either": 2, "flag": True}


@pytest.mark.parametrize("text", ["12:30", "010"])
def test_number_that_the_versions_of_yaml_read_differently_is_refused_with_its_key(text):
    with pytest.raises(RecipeError, match=f"^count: {text} is 8 in YAML 1.1 and .* in YAML 1.2; "):
        settle({"count": Scalar(text, 8)}, Outer)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("7", 7),
        ("007", 7),
        ("0x1F", 31),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
    ],
)
def test_free_value_that_both_versions_of_yaml_read_alike_is_read(text, value):
    assert settle({"free": {"x": [Scalar(text, value)]}}, Outer) == {"free": {"x": [value]}}


def test_free_value_that_is_not_a_number_is_still_read():
    (found,) = settle({"free": {"x": Scalar(".NaN", math.nan)}}, Outer)["free"].values()
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("off", False, "off is false in YAML 1.1 and text in YAML 1.2; write false"),
        ("Yes", True, "Yes is true in YAML 1.1 and text in YAML 1.2; write true"),
        ("1_000", 1000, "1_000 is 1000 in YAML 1.1 and text in YAML 1.2; write 1000"),
        ("010", 8, "010 is 8 in YAML 1.1 and 10 in YAML 1.2; write 8"),
        ("0b11", 3, "0b11 is 3 in YAML 1.1 and text in YAML 1.2"),
    ],
)
def test_free_value_that_the_versions_of_yaml_read_differently_is_refused(text, value, said):
    with pytest.raises(RecipeError, match=re.escape(f"free.a.0: {said}")):
        settle({"free": {"a": [Scalar(text, value)]}}, Outer)


@pytest.mark.parametrize("text", ["null", "~", ""])
def test_nothing_is_no_text(text):
    with pytest.raises(RecipeError, match=r"^table\.c\.1: .* is no text; quote it"):
        settle({"table": {"c": ["x", Scalar(text, None)]}}, Outer)


def test_two_keys_that_are_one_text_are_refused():
    with pytest.raises(RecipeError, match=r"^table: a key stands there twice"):
        settle({"table": {NO: ["a"], "no": ["b"]}}, Outer)


def test_value_of_an_unknown_key_or_of_another_shape_is_left_to_whoever_checks_types():
    tree = {"other": {"x": NO}, "inner": NO, "count": [NO], "table": {"a": {"b": NO}}}
    found = settle(tree, Outer)
    assert found["other"] == {"x": False}
    assert found["inner"] is False


def test_hint_at_follows_keys_and_positions():
    assert hint_at(Outer, ["several", "3", "words", "0"]) is str
    assert hint_at(Outer, ["table", "any", "0"]) is str
    assert hint_at(Outer, ["free", "a", "b"]) is Any
    assert hint_at({"x": list[int]}, ["x", "1"]) is int
    assert hint_at(Outer, ["nowhere", "a"]) is None
