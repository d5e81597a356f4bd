"""The threat table names tests that exist."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "threats.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_the_threat_table_names_exists():
    named = _TEST.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) >= 25
    missing = []
    for path, name in named:
        file = REPOSITORY / path
        tree = ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
        defined = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        if name not in defined:
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_row_of_the_threat_table_names_a_test_or_says_that_there_is_none():
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| who", "| --", "| command"))
    ]
    assert len(rows) > 15
    assert [row for row in rows if not (_TEST.search(row) or "no test" in row)] == []
