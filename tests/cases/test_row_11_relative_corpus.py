"""A relative `corpus:` is meant from the current folder, and every command says which folder that is."""

import pytest

from tests.cases.running import seedcorn, write_recipe

KEY = "nightly.key=2026-11-23"


@pytest.fixture
def recipe(tmp_path):
    """A recipe in a folder of its own, whose corpus is `corpora/gardens`."""
    (tmp_path / "recipes").mkdir()
    return write_recipe(tmp_path / "recipes", corpus="corpora/gardens")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a folder and goes there."""

    def entered(name):
        (tmp_path / name).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / name)
        return tmp_path / name

    return entered


def last_line(capsys, *words):
    """The last line on stdout of a command that succeeds."""
    capsys.readouterr()
    assert seedcorn(*words) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_nights_from_two_folders_name_two_corpora(recipe, folder, capsys):
    lines = []
    for name in ("one", "other"):
        here = folder(name)
        lines.append(last_line(capsys, "night", recipe, KEY))
        assert lines[-1].endswith(f"; corpus {here / 'corpora' / 'gardens'}")
    assert lines[0] != lines[1]


def test_night_that_has_nothing_to_do_names_its_corpus_too(recipe, folder, capsys):
    here = folder("one")
    last_line(capsys, "night", recipe, KEY)
    again = last_line(capsys, "night", recipe, KEY)
    assert "nothing to do" in again
    assert again.endswith(f"; corpus {here / 'corpora' / 'gardens'}")


def test_grow_names_the_whole_path_at_its_end(recipe, folder, capsys):
    here = folder("one")
    capsys.readouterr()
    assert seedcorn("grow", recipe) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"corpus {here / 'corpora' / 'gardens'} is complete now" in said


def test_plan_names_the_whole_path_and_what_it_is_relative_to(recipe, folder, capsys):
    here = folder("one")
    assert seedcorn("plan", recipe) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("corpus ")]
    assert line.split(maxsplit=1)[1] == (
        f"{here / 'corpora' / 'gardens'} (corpora/gardens in the current folder)"
    )
    assert seedcorn("plan", recipe, f"corpus={here / 'there'}") == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("corpus ")]
    assert line.split(maxsplit=1)[1] == str(here / "there")
    assert seedcorn("plan", recipe, "corpus=s3://bucket/gardens") == 0
    assert "corpus       s3://bucket/gardens\n" in capsys.readouterr().out


def test_seed_is_found_from_any_folder_and_the_corpus_is_the_same_for_one_folder(
    recipe, folder, capsys, tmp_path
):
    folder("one")
    assert seedcorn("grow", recipe) == 0
    assert "complete now" not in last_line(capsys, "grow", "../recipes/gardens.yaml")
    assert not (recipe.parent / "corpora").exists()
    folder("other")
    assert seedcorn("verify", "../one/corpora/gardens") == 0
