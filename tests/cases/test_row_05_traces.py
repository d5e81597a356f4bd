"""Traces in every known spelling are split from the answer, once it is said that the model thinks."""

import pytest

from seedcorn.core.recipe.reasoning import FAMILIES
from tests.cases.running import seedcorn
from tests.cases.serving import grow_answers

ANSWER = "The sky over the wide plains is blue, and so is the river that runs below it."
SPELLINGS = {
    "think": "<think>a plan</think>",
    "thinking": "<thinking>a plan</thinking>",
    "mistral": "[THINK]a plan[/THINK]",
    "harmony": "<|channel|>analysis<|message|>a plan<|end|><|start|>assistant<|channel|>final<|message|>",
    "seed_oss": "<seed:think>a plan</seed:think>",
    "kimi_vl": "◁think▷a plan◁/think▷",
}
TOLD = {
    "think": "the ferry knows more than the harbour, and it tells nobody in the whole town.",
    "thinking": "seven bells were cast in one summer, while the river stood low and the wood was dry.",
    "mistral": "bread needs a cold night, some salt, and a baker who is never in a hurry.",
    "harmony": "five bridges cross the northern rivers, and only one of them is made of stone.",
    "seed_oss": "the old clock runs ten minutes slow, so the trains seem to leave before their time.",
    "kimi_vl": "goats found the hidden valley long before any shepherd drew it on a map.",
}
OWN = {"open": "<plan>", "close": "</plan>"}


@pytest.mark.parametrize("family", SPELLINGS)
def test_trace_of_a_named_family_is_split_off(family, tmp_path):
    said = {"content": f"{SPELLINGS[family]}\n{ANSWER}"}
    row = grow_answers(tmp_path, [said], reasoning={"markers": family})[0]
    assert (row["reasoning"], row["text"]) == ("a plan", ANSWER)


def test_trace_in_own_markers_is_split_off(tmp_path):
    row = grow_answers(tmp_path, [{"content": f"<plan>a plan</plan>{ANSWER}"}], reasoning=OWN)[0]
    assert (row["reasoning"], row["text"]) == ("a plan", ANSWER)


def test_trace_that_the_template_opened_or_that_never_ends(tmp_path):
    said = [{"content": f"a plan</think>{ANSWER}"}, {"content": "<think>\na plan without end"}]
    opened = {"markers": "think", "prefilled": True}
    rows = grow_answers(tmp_path, said, reasoning=opened)
    assert (rows[0]["reasoning"], rows[0]["text"]) == ("a plan", ANSWER)
    assert (rows[1]["reason"], rows[1]["reasoning"]) == ("empty", "a plan without end")


def test_trace_that_the_endpoint_told_apart_needs_no_word_in_the_recipe(tmp_path):
    row = grow_answers(tmp_path, [{"reasoning_content": "a plan", "content": ANSWER}])[0]
    assert (row["reasoning"], row["text"]) == ("a plan", ANSWER)


def test_markers_left_in_accepted_texts_are_a_warning_with_a_count(tmp_path, capsys):
    said = [
        {"content": f"{trace} Of {family} {TOLD[family]}"} for family, trace in SPELLINGS.items()
    ]
    rows = grow_answers(tmp_path, [*said, {"content": f"{ANSWER} Nothing is left, I think."}])
    assert all(row["reasoning"] is None for row in rows.values())
    ended = capsys.readouterr().out
    counts = ", ".join(f"{family} 1" for family in sorted(SPELLINGS))
    assert f"gen 1  warning: accepted samples hold markers of reasoning ({counts});" in ended
    assert seedcorn("ledger", tmp_path / "corpus") == 0
    assert "engine.reasoning.markers" in capsys.readouterr().out
    assert seedcorn("verify", tmp_path / "corpus", "--deep") == 0


def test_every_family_has_markers_of_its_own():
    pairs = {(markers.open, markers.close, markers.answer) for markers in FAMILIES.values()}
    assert len(pairs) == len(FAMILIES)
