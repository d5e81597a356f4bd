"""Short evaluation items inside longer texts."""

import numpy as np
import pytest

from seedcorn.core.dedup.decontamination import LENGTHS, contamination, evaluation_set
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import NEWEST, Words, read_words
from tests.cases.running import seedcorn, write_recipe

BRIDGE = "Which bridge joins the two halves of Budapest?"
ANTHEM = "Who wrote the national anthem?"
TRAIN = (
    "A goods train leaves the depot at six and covers forty kilometres each hour; at what time "
    "does it pass the third signal box?"
)
CAPITAL = "フランスの首都はどこですか教えて"


def words(*texts: str) -> Words:
    return read_words(*pack([text.encode() for text in texts]), NEWEST)


def holds(item: str, text: str) -> bool:
    exam = evaluation_set("exam", [(words(item), np.array([True]))])
    read = words(text)
    shingles = {length: shingles_of(read, length) for length in LENGTHS}
    return 0 in contamination([exam], shingles, read)


@pytest.mark.parametrize("item", [BRIDGE, ANTHEM, TRAIN, CAPITAL])
def test_item_within_a_longer_text_is_found(item):
    assert holds(item, f"The quiz began at nine. {item} Nobody at our table knew, but we guessed.")
    assert holds(item, f"Ein Abend im Gasthaus: „{item.upper()}“, und alle schwiegen.")


@pytest.mark.parametrize("item", [BRIDGE, ANTHEM, CAPITAL])
def test_part_of_an_item_is_not_the_item(item):
    half = item[: len(item) // 2]
    assert not holds(item, f"The quiz began at nine. {half} and then the light went out.")


@pytest.mark.parametrize("item", ["Yes", "In 1956.", "x² + 1", "首都は何"])
def test_item_too_short_to_tell_is_found_only_as_the_whole_text(item):
    assert holds(item, f"  {item}\n")
    assert not holds(item, f"The answer that we all gave was {item} and it was the right one.")


def test_items_too_short_to_tell_are_counted_at_the_start(tmp_path, capsys):
    (tmp_path / "exam.txt").write_text("\n".join([BRIDGE, "Yes", "1956"]), encoding="utf-8")
    exam = [{"path": "exam.txt", "name": "exam", "split": "line"}]
    assert seedcorn("grow", write_recipe(tmp_path, dedup={"evaluations": exam})) == 0
    assert "evaluation set exam: 2 of 3 items have fewer than 5 words" in capsys.readouterr().err
