"""`seedcorn files`: exactly the committed shards, readable as they are printed."""

import json

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from seedcorn.cli import main


def listed(capsys, *words):
    assert main(["files", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_files_are_the_accepted_samples_and_nothing_else(grown, capsys):
    main(["ledger", grown[1], "--json"])
    ledger = json.loads(capsys.readouterr().out)
    table = ds.dataset(listed(capsys, grown[1])).to_table(columns=["sample_id"])
    assert table.num_rows == sum(row["counts"]["accepted"] for row in ledger["generations"])


def test_files_of_one_generation_are_part_of_all(grown, capsys):
    second = listed(capsys, grown[1], "--generation", "2")
    assert second
    assert set(second) < set(listed(capsys, grown[1]))
    assert set(pq.read_table(second[0])["generation"].to_pylist()) == {2}


def test_files_dropped_carry_an_outcome(grown, capsys):
    tables = [pq.read_table(path) for path in listed(capsys, grown[1], "--dropped")]
    outcomes = {outcome for table in tables for outcome in table["outcome"].to_pylist()}
    assert outcomes == {"duplicate", "rejected", "failed"}


def test_files_leave_out_what_no_entry_names(corpus, capsys):
    stray = corpus / "data/gen-0001/part-00000099-00000099-0123456789abcdef.parquet"
    stray.write_bytes(b"not committed")
    assert str(stray) not in listed(capsys, str(corpus))


def test_files_of_a_generation_that_does_not_exist_is_an_error(grown, capsys):
    assert main(["files", grown[1], "--generation", "7"]) == 1
    assert "no generation 7; it has 2" in capsys.readouterr().err
