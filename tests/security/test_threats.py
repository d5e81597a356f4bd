"""The threat table names a test for every threat; `tests/test_docs.py` sees that the tests exist."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "threats.md"
_TEST = re.compile(r"`tests/[\w/]+\.py::test_\w+`")


def test_every_row_of_the_threat_table_names_a_test_or_says_that_there_is_none():
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| who", "| --", "| command"))
    ]
    assert len(rows) > 15
    assert [row for row in rows if not (_TEST.search(row) or "no test" in row)] == []
