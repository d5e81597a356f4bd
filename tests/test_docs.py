"""The documents: every figure in an example is what the code computes, every number is explained."""

import doctest
from pathlib import Path

import pytest

from seedcorn.core.ledger.explanations import EXPLANATIONS

FOLDER = Path(__file__).parents[1] / "docs"
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if ">>>" in page.read_text("utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_examples_say_what_the_code_computes(page):
    text = page.read_text("utf-8")
    report: list[str] = []
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(verbose=False)
    result = runner.run(examples, out=report.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


def test_page_of_the_ledger_has_an_entry_for_every_number_that_is_explained():
    text = (FOLDER / "ledger.md").read_text(encoding="utf-8")
    headings = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [key for key in EXPLANATIONS if f"`{key}`" not in headings] == []


def test_explanations_are_one_short_sentence_each_without_markup():
    for key, sentence in EXPLANATIONS.items():
        assert 40 < len(sentence) < 240, key
        assert sentence[0].isupper(), key
        assert sentence.endswith("."), key
        assert not set(sentence) & set("<>`*\n"), key
