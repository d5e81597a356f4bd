"""The runbook's tables, recomputed, and its lists, held against the code."""

import ast
import json
import math
import re
from pathlib import Path

import pytest
from cluster.generator.settings import load

from seedcorn.cli import COMMANDS
from seedcorn.core import errors
from seedcorn.core.figures import duration, size
from seedcorn.core.ledger import alarms
from seedcorn.core.ops import submitting
from seedcorn.core.preflight import estimate

CLUSTER = Path(__file__).parents[2] / "cluster"
PAGE = (CLUSTER / "README.md").read_text(encoding="utf-8")


def rows(first: str) -> list[list[str]]:
    """Cells of the table whose heading begins with these words."""
    table = PAGE.split(f"| {first}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def classes() -> dict[str, int]:
    """Errors meant for people, with the exit code of each."""
    return {
        name: found.exit_code
        for module in (errors, submitting)
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, errors.SeedcornError)
        if found is not errors.SeedcornError
    }


def test_every_error_is_explained_with_its_exit_code() -> None:
    told = {name: code for name, code, _ in rows("error | code")}
    assert told.pop("RequestRefused") == ""  # a sample's outcome, never the end of a run
    assert told == {name: str(code) for name, code in classes().items() if name != "RequestRefused"}


def test_every_exit_code_is_explained() -> None:
    told = {int(code) for code, *_ in rows("code | means")}
    assert told == {0, *classes().values(), errors.INTERRUPTED, errors.BROKEN_PIPE}


def test_every_alarm_is_explained() -> None:
    tree = ast.parse(Path(alarms.__file__).read_text(encoding="utf-8"))
    literal = {
        node.value.elts[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        if isinstance(node.value.elts[0], ast.Constant)
    }
    assert {name for name, *_ in rows("alarm |")} == literal | alarms.SHARES.keys()


def test_workers_and_cost_are_what_the_formula_gives() -> None:
    for cells in rows("accepted tokens/s"):
        rate, workers = int(cells[0].replace(",", "")), int(cells[1])
        unique_per_hour = rate * 3600 * 0.8
        assert workers == math.ceil(100e6 / (unique_per_hour * 8))
        assert cells[2] == f"{2.00 * 1e6 / unique_per_hour:.2f}"


def test_models_that_fit_leave_two_fifths_of_the_card() -> None:
    for _, memory, wide, narrow in rows("GPU | memory"):
        weights = int(memory.split()[0]) * 0.6
        assert (wide, narrow) == (f"{int(weights / 2)} B", f"{int(weights / 2) * 2} B")


def test_index_memory_is_what_estimate_says() -> None:
    for documents, stands, most, time in rows("documents | stands"):
        cost = estimate.indexing(int(documents.replace(",", "")))
        assert (stands, most) == (size(cost.memory), size(cost.peak))
        assert time == duration(cost.seconds)


def test_commands_of_the_runbook_exist() -> None:
    told = set(re.findall(r"(?:^|`)seedcorn ([a-z]+)\b", PAGE, re.MULTILINE))
    assert {"grow", "submit", "plan", "verify"} <= told <= COMMANDS.keys() | {"night"}


def test_files_that_the_runbook_links_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE) + re.findall(r"`?(cluster/[\w./-]+\w)", PAGE)
    missing = [link for link in links if not (CLUSTER / link.removeprefix("cluster/")).exists()]
    assert links
    assert missing == []


def test_times_of_the_runbook_are_those_of_the_settings() -> None:
    settings = load(CLUSTER / "settings.yaml")
    assert f"goes {settings.keep_s} s after it ends" in PAGE
    assert f"drains for {settings.drain_s} s" in PAGE


@pytest.fixture
def statements() -> list[dict[str, object]]:
    return json.loads(PAGE.split("```json\n", 1)[1].split("```", 1)[0])["Statement"]


def test_s3_policy_grants_no_wildcard_and_keeps_the_log(
    statements: list[dict[str, object]],
) -> None:
    assert "*" not in json.dumps([item["Action"] for item in statements])
    allowed = {
        str(item["Resource"]) for item in statements if "DeleteObject" in str(item["Action"])
    }
    assert allowed == {
        "arn:aws:s3:::my-bucket/my-corpus/*",
        "arn:aws:s3:::my-bucket/my-corpus/log/*",
    }
    [denied] = [item for item in statements if item["Effect"] == "Deny"]
    assert denied["Resource"] == "arn:aws:s3:::my-bucket/my-corpus/log/*"
