"""Folds go to JSON and come back equal, or are refused."""

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.codec import UnknownKeys, freeze, from_plain, shape, thaw, to_plain


class Pair(NamedTuple):
    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    size: float = 0.0
    deeper: "Leaf2 | None" = None


@dataclass(slots=True)
class Leaf2:
    free: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    leaves: list[Leaf]
    by_number: dict[int, list[int]]
    by_pair: dict[tuple[int, str], Leaf]
    counts: Counter[str]
    named: dict[str, Pair]
    newest: deque[Pair]
    flags: tuple[bool, ...]
    _private: str | None = None


LEAVES = st.builds(
    Leaf,
    st.text(),
    st.floats(allow_nan=False),
    st.none() | st.builds(Leaf2, st.dictionaries(st.text(), st.integers() | st.none())),
)
PAIRS = st.builds(Pair, st.integers(), st.integers())
TREES = st.builds(
    Tree,
    st.lists(LEAVES),
    st.dictionaries(st.integers(), st.lists(st.integers())),
    st.dictionaries(st.tuples(st.integers(), st.text()), LEAVES),
    st.builds(Counter, st.dictionaries(st.text(), st.integers())),
    st.dictionaries(st.text(), PAIRS),
    st.builds(lambda items: deque(items, 3), st.lists(PAIRS)),
    st.lists(st.booleans()).map(tuple),
    st.none() | st.text(),
)


@given(TREES)
def test_thaw_of_what_was_frozen_and_written_is_equal_and_of_the_same_types(tree):
    text = json.dumps(freeze(Tree, tree))
    back = thaw(Tree, json.loads(text))
    assert back == tree
    assert (type(back.counts), back.newest.maxlen) == (Counter, 3)
    assert list(back.by_number) == list(tree.by_number)


@given(TREES)
def test_from_plain_of_what_was_written_by_name_is_equal(tree):
    text = json.dumps(to_plain(Tree, tree))
    assert from_plain(Tree, json.loads(text)) == tree


def test_from_plain_takes_defaults_and_refuses_keys_by_name():
    assert from_plain(Leaf, {"name": "a"}) == Leaf("a")
    with pytest.raises(UnknownKeys, match="Leaf2 has no age, shape"):
        from_plain(Leaf, {"name": "a", "deeper": {"shape": 1, "free": {}, "age": 2}})
    with pytest.raises(TypeError, match="name"):
        from_plain(Leaf, {"size": 1.0})
    with pytest.raises(TypeError, match="is no list"):
        from_plain(Tree, {"leaves": {"name": "a"}})


def test_shape_changes_with_every_field_below():
    @dataclass
    class Tree:  # One field deep down of another type.
        leaves: list[int]

    assert "(free: dict[str, Any])" in shape(globals()["Tree"])
    assert shape(Tree) != shape(globals()["Tree"])


@dataclass
class Blade:
    """`Leaf2` after it was moved and renamed."""

    free: dict[str, Any]


@dataclass
class Needle:
    """`Leaf` likewise."""

    name: str
    size: float
    deeper: Blade | None


@dataclass
class Thorn:
    """`Leaf` after a field changed its type."""

    name: str
    size: float
    deeper: Blade


def test_shape_of_classes_that_were_moved_and_renamed_is_the_same():
    assert shape(list[Needle]) == shape(list[Leaf])
    assert shape(list[Thorn]) != shape(list[Leaf])


def test_annotation_that_says_too_little_is_refused():
    with pytest.raises(TypeError, match="no annotation of a tree"):
        freeze(set, set())
    with pytest.raises(TypeError, match="does not say which"):
        freeze(list[Leaf | Leaf2], [])


def test_values_of_other_fields_are_refused():
    with pytest.raises(ValueError, match="no Pair"):
        thaw(list[Pair], [[1, 2, 3]])
