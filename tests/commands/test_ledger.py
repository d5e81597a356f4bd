"""`seedcorn ledger`: the same figures as the log holds, as tables and as JSON."""

import json

import pytest

from seedcorn.cli import main
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.sample import OUTCOMES
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store


def committed(corpus):
    """Counts per generation, summed over the log's batches by hand."""
    totals = {}
    for entry in read_log(open_store(corpus, StoreSpec())):
        if isinstance(entry.body, BatchCommitted):
            counts = totals.setdefault(entry.body.generation, {})
            for outcome, count in entry.body.counts.items():
                counts[outcome] = counts.get(outcome, 0) + count
    return totals


def test_ledger_table_shows_every_outcome_of_every_generation(grown, capsys):
    assert main(["ledger", grown[1]]) == 0
    lines = capsys.readouterr().out.splitlines()
    for generation, counts in committed(grown[1]).items():
        cells = [str(generation), "48", *(str(counts[o]) for o in OUTCOMES)]
        assert any(line.split()[:6] == cells for line in lines), (cells, lines)
        assert sum(counts.values()) == 48


def test_ledger_table_shows_strata_reasons_and_explains_its_unit(grown, capsys):
    main(["ledger", grown[1]])
    text = capsys.readouterr().out
    assert "retell" in text
    assert "invent" in text
    assert "duplicate:exact:same" in text
    assert "uat: unique accepted tokens" in text
    assert max(map(len, text.splitlines())) < 400


def test_ledger_json_is_the_fold(grown, capsys):
    assert main(["ledger", grown[1], "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("corpus") == grown[1]
    assert printed == json.loads(
        json.dumps(to_json(read_ledger(open_store(grown[1], StoreSpec()))))
    )
    assert [row["status"] for row in printed["generations"]] == ["finished", "finished"]


@pytest.mark.parametrize("command", ["ledger", "files", "show", "gc"])
def test_command_on_a_folder_without_log_says_so(command, tmp_path, capsys):
    assert main([command, str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"seedcorn: {tmp_path} holds no corpus: there is no log under it\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "override", ["endpoint=http://x", "store.enpoint=x", "samples=3", "store.deadline_s=soon"]
)
def test_ledger_with_an_override_that_is_not_the_stores_is_refused(grown, override, capsys):
    assert main(["ledger", grown[1], override]) == 2
    assert repr(override) in capsys.readouterr().err


def test_ledger_takes_store_overrides_of_every_type(grown, capsys):
    overrides = ["store.deadline_s=5", "store.single_writer=true", "store.region=here"]
    assert main(["ledger", grown[1], *overrides]) == 0
    assert "gen" in capsys.readouterr().out


def test_ledger_shows_containment_of_every_generation(grown, capsys):
    assert main(["ledger", grown[1]]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for row in read_ledger(open_store(grown[1], StoreSpec())).rows():
        known = f"{row.containment['half']:,.0f} of {row.containment['documents']:,.0f} samples"
        assert f"gen {row.generation} containment:" in text
        assert known in text
