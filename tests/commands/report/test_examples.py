"""Samples on the page: which, why, how far, and nothing that was withdrawn."""

import re

from seedcorn.cli import main
from seedcorn.commands.report.examples import Example, find_examples
from seedcorn.commands.report.page import build_page
from seedcorn.commands.show.table import SHOWN_CHARS
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from tests.commands.report.report_document import EVIL, document


def found(corpus, **more):
    """The examples of a corpus."""
    store = open_store(str(corpus), StoreSpec())
    state = read_state(store)
    return find_examples(store, state, state.standing.values(), **more)


def test_three_accepted_and_three_dropped_are_those_that_show_prints(grown, capsys):
    examples = found(grown[1])
    assert [one.accepted for one in examples] == [True] * 3 + [False] * 3
    assert len({one.why.partition(":")[0] for one in examples[3:]}) > 1
    main(["show", grown[1], "-n", "3"])
    printed = re.sub(r"\s", "", capsys.readouterr().out)
    for one in examples:
        assert one.name in printed


def test_report_shows_them_with_why(grown, tmp_path, capsys):
    target = tmp_path / "report.html"
    assert main(["report", grown[1], "-o", str(target)]) == 0
    page = target.read_text(encoding="utf-8")
    section = page[page.index('<h2 id="samples">') : page.index('<h2 id="duplicates">')]
    assert section.count("<blockquote>") == 6
    assert section.count("Passed every check and repeats nothing.") == 3
    assert f"cut at {SHOWN_CHARS} characters" in section.replace("\u00a0", " ")
    for one in found(grown[1]):
        assert one.name in section
    capsys.readouterr()


def test_withdrawn_samples_and_their_duplicates_are_not_shown(corpus, capsys):
    everything = found(corpus, each=1000)
    repeated = {name for one in everything if (name := one.why.partition(", repeats ")[2])}
    victims = sorted(one.name for one in everything if one.accepted and one.name in repeated)
    assert victims
    words = [word for name in victims for word in ("--where", f"id={name}")]
    assert main(["withdraw", str(corpus), *words, "--reason", "licence"]) == 0
    left = found(corpus, each=1000)
    assert left
    assert {one.name for one in left}.isdisjoint(victims)
    assert {one.why.partition(", repeats ")[2] for one in left}.isdisjoint(victims)
    capsys.readouterr()


def test_sample_is_escaped_wherever_it_comes_from():
    one = Example(False, f"rejected: {EVIL}", 1, EVIL, EVIL, EVIL)
    page = build_page(document(), [], "lakes", [one])
    own = page[page.index('<h2 id="samples">') : page.index('<h2 id="duplicates">')]
    assert "&lt;script&gt;alert" in own
    assert "<script" not in own
    assert "<img" not in own
