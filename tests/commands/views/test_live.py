"""The live view in a terminal: a bar that fills, colours that mean something, alarms as they come."""

import io
import logging

import pytest
from rich.console import Console

from seedcorn.commands.views.live import DONE, GOING, TROUBLE, WAITING, TableView, bar, watching
from tests.runtime import metered

ANSI = {GOING: "\x1b[36m", DONE: "\x1b[32m", WAITING: "\x1b[33m", TROUBLE: "\x1b[31m"}


def look(**changes):
    return metered.look(**({"planned": 60, "generated": 15, "indexing": (5, 5)} | changes))


def terminal(**settings):
    settings = {"force_terminal": True, "color_system": "standard", "width": 100} | settings
    return Console(file=io.StringIO(), highlight=False, **settings)


def drawn(snapshot, screen):
    TableView(screen.print, lambda: 0.0)(snapshot)
    return screen.file.getvalue()


@pytest.mark.parametrize(("generated", "filled"), [(0, 0), (15, 10), (30, 20), (60, 40)])
def test_bar_is_as_full_as_samples_have_an_outcome(generated, filled):
    screen = terminal(color_system=None)
    screen.print(bar(look(generated=generated)))
    line = screen.file.getvalue()
    assert f"{generated} of 60 samples" in line
    # Without colour rich draws only the part that is done.
    assert line.count("━") == filled


@pytest.mark.parametrize(
    ("changes", "colour"),
    [
        ({}, GOING),
        ({"generated": 60}, DONE),
        ({"draining": True}, WAITING),
        ({"workers": 0}, WAITING),
        ({"indexing": (1, 5)}, WAITING),
        ({"restarts": 1}, TROUBLE),
        ({"quarantined": 1}, TROUBLE),
    ],
)
def test_colour_says_what_goes_on(changes, colour):
    assert ANSI[colour] in drawn(look(**changes), terminal())


def test_no_colour_is_used_where_none_is_wanted(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = drawn(look(restarts=1, generated=60), terminal())
    assert not any(code in text for code in ANSI.values())
    assert "60 of 60 samples" in text


@pytest.mark.parametrize("terminal_there", [True, False])
def test_warning_of_a_run_is_in_its_own_output(terminal_there, capsys):
    screen = terminal(force_terminal=terminal_there)
    with watching(screen):
        logging.getLogger("seedcorn.runtime.driver.coordinator").warning("alarm: openings alike")
    assert "alarm: openings alike" in screen.file.getvalue() + capsys.readouterr().err


def test_quiet_run_shows_warnings_alone(capsys):
    screen = terminal()
    with watching(screen, quiet=True) as view:
        view(look())
        logging.getLogger("seedcorn.runtime").info("batch 0 committed")
        logging.getLogger("seedcorn.runtime").warning("an engine died")
    said = screen.file.getvalue() + capsys.readouterr().err
    assert "an engine died" in said
    assert "committed" not in said
    assert "samples" not in said
