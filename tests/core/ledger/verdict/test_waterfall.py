"""The waterfall: bars that are subsets of each other, and what is unknown stays so."""

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.verdict.waterfall import waterfall

UNIQUE, LEFT, RIGHT = Interval(600, 590, 610), Interval(0.5, 0.4, 0.6), Interval(0.9, 0.8, 0.95)


def test_waterfall_multiplies_ends_with_ends():
    found = waterfall(1000, 800, UNIQUE, LEFT, RIGHT)
    assert found["unexplained"] == {"estimate": 300, "low": 236, "high": 366}
    assert found["right"] is not None
    assert abs(found["right"]["low"] - 188.8) < 1e-9
    assert abs(found["right"]["high"] - 347.7) < 1e-9


def test_waterfall_after_an_unknown_bar_is_unknown():
    assert waterfall(1000, 800, None, LEFT, RIGHT) == {
        "generated": 1000, "accepted": 800, "unique": None, "unexplained": None, "right": None,
    }  # fmt: skip
    found = waterfall(1000, 800, UNIQUE, None, RIGHT)
    assert found["unique"] is not None
    assert (found["unexplained"], found["right"]) == (None, None)
    assert waterfall(1000, 800, UNIQUE, LEFT, None)["right"] is None


shares = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted)


@given(shares, shares, shares)
def test_waterfall_never_rises(unique, left, right):
    low, middle, high = (800 * end for end in unique)
    parts = [Interval(one[1], one[0], one[2]) for one in (left, right)]
    found = waterfall(1000, 800, Interval(middle, low, high), *parts)
    bars = [found["unique"], found["unexplained"], found["right"]]
    for end in ("low", "high"):
        values = [800.0, *(bar[end] for bar in bars if bar is not None)]
        assert values == sorted(values, reverse=True)
