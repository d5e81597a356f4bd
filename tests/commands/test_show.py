"""`seedcorn show`: the same few samples every time, with the reason and the witness."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.cli import main
from seedcorn.commands.show.table import SHOWN_CHARS, clipped
from tests.commands.conftest import SEED


def shown(capsys, *words):
    assert main(["show", *words]) == 0
    return capsys.readouterr().out


def shards(corpus, capsys, *words):
    main(["files", corpus, *words])
    paths = capsys.readouterr().out.splitlines()
    return pa.concat_tables([pq.read_table(path) for path in paths]).to_pylist()


def test_show_is_deterministic_and_takes_the_lowest_ids(grown, capsys):
    lowest = sorted(row["sample_id"] for row in shards(grown[1], capsys))
    first = shown(capsys, grown[1], "-n", "2", "--outcome", "accepted")
    assert first == shown(capsys, grown[1], "-n", "2", "--outcome", "accepted")
    assert [sample_id for sample_id in lowest if f"id {sample_id}" in first] == lowest[:2]


def test_show_takes_turns_among_the_ways_to_be_dropped(grown, capsys):
    text = shown(capsys, grown[1])
    assert "accepted" in text
    assert "duplicate: " in text
    assert "rejected: refusal" in text
    assert "failed: request_refused" in text


def test_show_duplicates_have_their_witness_text_beside_them(grown, capsys):
    dropped = shards(grown[1], capsys, "--dropped")
    of_seed = [row for row in dropped if row["reason"] == "exact:seed"]
    assert of_seed
    text = shown(capsys, grown[1], "-n", "48", "--outcome", "duplicate")
    for row in of_seed:
        line = int(row["duplicate_of"].removeprefix("lakes:#"))
        name = SEED[line].split(" lies")[0]
        assert text.count(f"{name} lies") >= 2
    assert "(not found)" not in text
    assert "(cannot be read" not in text


def test_show_one_generation_only(grown, capsys):
    text = shown(capsys, grown[1], "--generation", "2", "-n", "4")
    assert "generation 2 · sample" in text
    assert "generation 1 · sample" not in text


def test_show_without_such_samples_says_so(grown, capsys):
    text = shown(capsys, grown[1], "-n", "0")
    assert text == "no committed sample of this kind yet\n"


@pytest.mark.parametrize("evil", ["\x1b]0;title\x07", "\x9b31m", "\x00", "\u202e"])
def test_shown_text_cannot_drive_the_terminal(evil):
    shown_text = clipped(f"a{evil}b\n[bold]c")
    assert shown_text.startswith("a\ufffd")
    assert shown_text.endswith("b\n[bold]c")
    assert shown_text.replace("\n", "").isprintable()


def test_shown_text_is_cut_with_the_rest_counted():
    assert clipped("x" * (SHOWN_CHARS + 5)).endswith("… (5 more characters)")
    assert clipped("x" * SHOWN_CHARS) == "x" * SHOWN_CHARS
