"""The documents: examples say what the code computes; links, paths, tests and commands exist."""

import ast
import doctest
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from seedcorn.cli import COMMANDS
from seedcorn.config import load_recipe
from seedcorn.core import pipeline
from seedcorn.core.checks.build import CHECKS
from seedcorn.core.ledger.measures import EXPLANATIONS
from seedcorn.core.preflight.validation import validate

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "seedcorn"
DOCS = REPOSITORY / "docs"
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(DOCS.glob("*.md")),
    *(
        REPOSITORY / folder / "README.md"
        for folder in ("cluster", "cluster/grafana", "tests/golden")
    ),
]
EXAMPLES = [page for page in PAGES if ">>>" in page.read_text("utf-8")]

_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ROOTS = "src|tests|docs|pipelines|cluster|core|storage|runtime|engines|commands"
_PATH = re.compile(rf"(?<![\w/.-])((?:{_ROOTS})/[\w./-]*\w\.(?:py|md|yaml|svg))(?:::(\w+))?")
_LINE = re.compile(r"^ *(?:\$ )?(make|seedcorn) ([a-z][\w-]*)", re.MULTILINE)
_INLINE = re.compile(r"`(make|seedcorn) ([a-z][\w-]*)")


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    seen: Counter[str] = Counter()
    found = set()
    for heading in headings:
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def first_cells(page: Path, heading: str) -> list[str]:
    """The first code word in each row of the table whose first column has this heading."""
    table = page.read_text("utf-8").split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return [re.findall(r"`([\w-]+)", cell)[0] for cell in rows]


@pytest.mark.parametrize("page", EXAMPLES, ids=name_of)
def test_page_examples_say_what_the_code_computes(page):
    text = page.read_text("utf-8")
    report: list[str] = []
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(verbose=False)
    result = runner.run(examples, out=report.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_to_files_and_headings_that_exist(page):
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_and_tests_that_a_page_names_exist(page):
    missing = []
    for path, function in _PATH.findall(page.read_text("utf-8")):
        files = [root / path for root in (REPOSITORY, SOURCE) if (root / path).exists()]
        if not files or (function and function not in functions(files[0])):
            missing.append(f"{path}::{function}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_make_targets_that_a_page_names_exist(page):
    text = page.read_text("utf-8")
    named = {*_INLINE.findall(text), *_LINE.findall("\n".join(_FENCED.findall(text)))}
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    known = {("seedcorn", name) for name in COMMANDS} | {("seedcorn", "repair")}
    known |= {("make", name) for name in re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE)}
    assert named - known == set()


def test_every_page_is_in_the_index():
    index = set(_LINK.findall((DOCS / "README.md").read_text("utf-8")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} - index == set()


def test_every_command_has_a_row():
    assert set(first_cells(DOCS / "commands.md", "command")) == set(COMMANDS)


def test_every_check_has_a_row():
    assert first_cells(DOCS / "recipe.md", "check") == list(CHECKS)


def test_floors_of_the_core_are_those_that_the_linter_holds():
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    [floors] = [
        contract["layers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["seedcorn.core"]
    ]
    table = (DOCS / "architecture.md").read_text("utf-8").split("| floor |", 1)[1].split("\n\n")[0]
    told = [set(re.findall(r"`(\w+)`", row)) for row in table.splitlines()[2:]]
    held = [set(re.findall(r"\w+", floor)) for floor in floors]
    assert told[:-1] == held[:-1]
    assert told[-1] <= held[-1], "the ground floor, of which the page names a few"


def test_recipes_of_the_readme_are_valid(tmp_path):
    own, model = re.findall(r"```yaml\n(.*?)```", PAGES[0].read_text("utf-8"), re.DOTALL)
    written = tmp_path / "notes.yaml"
    for recipe in (own, own.split("engine:")[0] + model):
        written.write_text(recipe, encoding="utf-8")
        validate(load_recipe(str(written)).recipe)


def test_every_place_that_the_line_names_exists():
    rows = re.findall(r"^\| \w+ +\|[^|]+\|([^|]+/[^|]*)\|$", pipeline.__doc__ or "", re.MULTILINE)
    named = [place.strip() for row in rows for place in row.split(",")]
    assert len(named) > 10
    assert [place for place in named if not (SOURCE / place).exists()] == []


def test_page_of_the_ledger_has_an_entry_for_every_number_that_is_explained():
    text = (DOCS / "ledger.md").read_text(encoding="utf-8")
    headings = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [key for key in EXPLANATIONS if f"`{key}`" not in headings] == []


def test_explanations_are_one_short_sentence_each_without_markup():
    for key, sentence in EXPLANATIONS.items():
        assert 40 < len(sentence) < 240, key
        assert sentence[0].isupper(), key
        assert sentence.endswith("."), key
        assert not set(sentence) & set("<>`*\n"), key
