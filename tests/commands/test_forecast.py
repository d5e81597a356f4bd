"""`seedcorn forecast`: the ledger's outlook, as a table and as JSON."""

import json

import pytest

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.decisions.outlook import outlooks
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from tests.commands.conftest import RECIPE, write_recipe
from tests.corpora.growing import grow_in_process


def printed(capsys, *arguments):
    assert main(["forecast", *arguments]) == 0
    return capsys.readouterr().out


def rows(capsys, corpus, *amount):
    found = json.loads(printed(capsys, corpus, "--json", *amount))
    return found, {row["stratum"]: row for row in found["strata"]}


def test_json_is_what_the_ledger_gives(grown, capsys):
    found, strata = rows(capsys, grown[1], "-n", "40")
    ledger = read_ledger(open_store(grown[1], StoreSpec()))

    assert found["corpus"] == grown[1]
    assert list(strata) == ["", "retell", "invent"]
    for one in outlooks(ledger, samples=40):
        row = strata[one.stratum]
        assert (row["samples"], row["estimate"]) == (40, one.forecast.estimate)
        assert row["low"] <= row["estimate"] <= row["high"]
    assert found["best"] in strata


def test_table_shows_every_stratum(grown, capsys):
    text = printed(capsys, grown[1], "-n", "40")
    lines = text.splitlines()

    for name in ("all, as now", "retell", "invent"):
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert "extrapolates" not in text
    assert max(map(len, lines)) <= 160


def test_amount_without_an_option_is_a_batch_and_warns_beyond_what_exists(grown, capsys):
    _, strata = rows(capsys, grown[1])

    assert {row["samples"] for row in strata.values()} == {4096}
    assert "more samples than exist so far: the estimate extrapolates" in printed(capsys, grown[1])


def test_engine_hours_buy_each_stratum_its_own_number_of_samples(grown, capsys):
    found, strata = rows(capsys, grown[1], "-e", "0.001")
    seconds = {row["stratum"]: row["seconds_per_sample"] for row in found["measured"]}

    for name, row in strata.items():
        assert row["samples"] == int(3.6 / seconds[name])


def test_stopped_stratum_is_marked_and_not_recommended(tmp_path, capsys):
    collapsing = {"words": 40, "collapse_from": 0, "collapse_stratum": "retell"}
    engine = RECIPE["engine"] | {
        "simulated": collapsing | {"template_instances": 1, "concurrency": 8}
    }
    path = write_recipe(tmp_path, generations=1, samples=192, engine=engine)
    loaded = load_recipe(path, ["units.ahead=1"])
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base)
    found, strata = rows(capsys, loaded.recipe.corpus, "-n", "40")

    assert [row["stopped"] for row in strata.values()] == [False, True, False]
    assert found["best"] == "invent"
    assert strata[""]["estimate"] == pytest.approx(strata["invent"]["estimate"])
    text = printed(capsys, loaded.recipe.corpus, "-n", "40")
    assert "retell (stopped)" in text
    assert "best spent on: invent (" in text


@pytest.mark.parametrize(
    "arguments", [["-n", "0"], ["-n", "x"], ["-e", "0"], ["-e", "nan"], ["-n", "4", "-e", "1"]]
)
def test_amount_that_is_none_is_refused(grown, arguments, capsys):
    assert main(["forecast", grown[1], *arguments]) == 2
    assert "error" in capsys.readouterr().err


def test_folder_without_log_says_so(tmp_path, capsys):
    assert main(["forecast", str(tmp_path)]) == 1
    assert "holds no corpus" in capsys.readouterr().err
