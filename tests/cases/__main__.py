"""Every row of the cases, right or wrong: `python -m tests.cases`, or `python -m tests.cases 1 10`.

A row is right where all its tests pass and at least one ran. A row without a file is wrong.
"""

import argparse
import ast
import contextlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

ROWS = (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 22, 23, 24, 25, 26)
"""Numbers of the cases. There is no row 6."""
FOLDER = Path(__file__).parent
_FILE = re.compile(r"test_row_(\d+)_\w+\.py")


class Outcomes:
    """A pytest plugin that counts outcomes by file."""

    def __init__(self) -> None:
        self.by_file: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test; setting up and tearing down count only where they fail."""
        if report.when == "call" or not report.passed:
            self.by_file[Path(report.location[0]).name][report.outcome] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported has failed."""
        if report.failed:
            self.by_file[Path(report.nodeid).name]["failed"] += 1


def files_of(row: int) -> list[Path]:
    """The test files of a row, by name."""
    found = ((path, _FILE.fullmatch(path.name)) for path in sorted(FOLDER.iterdir()))
    return [path for path, match in found if match and int(match.group(1)) == row]


def subject(path: Path) -> str:
    """The first line of a file's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    return docstring.partition("\n")[0].rstrip(".")


def line(row: int, outcomes: Counter[str], said: str) -> str:
    """What is printed of a row."""
    counted = ", ".join(f"{outcomes[word]} {word}" for word in sorted(outcomes))
    verdict = "right" if is_right(outcomes) else "WRONG"
    return f"{row:3}  {verdict}  {said}  ({counted or 'no test'})"


def is_right(outcomes: Counter[str]) -> bool:
    """Something passed and nothing failed."""
    return outcomes["passed"] > 0 and not outcomes["failed"]


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if any row is wrong."""
    parser = argparse.ArgumentParser("python -m tests.cases", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, help=f"all, if none is named: {ROWS}")
    rows = parser.parse_args(arguments).rows or ROWS
    if unknown := set(rows) - set(ROWS):
        parser.error(f"no row {', '.join(map(str, sorted(unknown)))}")
    files = {row: files_of(row) for row in rows}
    paths = [str(path) for row in rows for path in files[row]]
    plugin, output = Outcomes(), io.StringIO()
    if paths:
        with contextlib.redirect_stdout(output):
            pytest.main([*paths, "-q", "-p", "no:cacheprovider"], plugins=[plugin])
    right = True
    for row in rows:
        outcomes = sum((plugin.by_file[path.name] for path in files[row]), Counter[str]())
        said = "; ".join(map(subject, files[row])) or "not tried"
        print(line(row, outcomes, said))  # noqa: T201
        right &= is_right(outcomes)
    if not right:
        print(output.getvalue())  # noqa: T201
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
