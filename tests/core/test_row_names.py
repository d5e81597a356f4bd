"""Under rule 2 no id reads as a row number, and no two rows have one name."""

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.row_names import identified, numbered, row_of

OLD, NEW = {}, {"row_names": 2}
IDS = st.text(st.sampled_from("#0123456789ab:/ é"), min_size=1, max_size=6)


def test_rule_1_writes_ids_and_numbers_alike():
    assert numbered("docs", 4, OLD) == identified("docs", "4", OLD) == "docs:4"
    assert identified("docs", "#4", OLD) == "docs:#4"
    assert row_of("docs:4", OLD) == ("docs", 4)


def test_rule_2_marks_numbers_and_keeps_ids_as_written():
    assert numbered("docs", 4, NEW) == "docs:#4"
    assert [identified("docs", own, NEW) for own in ("4", "a:b", " x", "#4")] == [
        *("docs:4", "docs:a:b", "docs: x", "docs:##4")
    ]
    assert row_of("docs:#4", NEW) == ("docs", 4)


@given(first=IDS, second=IDS, row=st.integers(0, 10**12))
def test_names_of_rule_2_are_apart(first, second, row):
    assert (identified("docs", first, NEW) == identified("docs", second, NEW)) == (first == second)
    assert identified("docs", first, NEW) != numbered("docs", row, NEW)
    assert row_of(identified("docs", first, NEW), NEW) is None
    assert row_of(numbered("docs+1", row, NEW), NEW) == ("docs+1", row)


def test_name_of_a_sample_is_no_row():
    assert row_of("0123456789abcdef", OLD) is None
    assert row_of("0123456789abcdef", NEW) is None
    assert row_of("docs:#²", NEW) is None
