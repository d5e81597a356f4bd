"""An answer that mentions the markers of a trace keeps its first half."""

import pytest

from tests.cases.serving import grow_answers

LITERAL = [
    "In such prompts, close the block with </think> before you answer, said the manual, and we nodded.",
    "The word <think> opens a block and the word </think> ends it, as the guide explains at length.",
    "Write `</think>` where the trace ends; what follows is the answer that everybody reads.",
    "First the brackets, then [THINK] in capitals, and last of all [/THINK], so the table says.",
    "```xml\n<think>\na plan\n</think>\n```\nThis is how a trace looks in the raw file of a chat.",
]
TRACED = "<think>\nThe tag </thinking> is another one.\n</think>\nThe tag </think> ends a trace."


@pytest.fixture(scope="module", params=["auto", "think", "none"])
def rows(request, tmp_path_factory):
    """What becomes of the answers, whatever the recipe says of the model's reasoning."""
    folder = tmp_path_factory.mktemp(request.param)
    messages = [{"content": text} for text in LITERAL]
    return grow_answers(folder, messages, reasoning={"markers": request.param})


@pytest.mark.parametrize("number", range(len(LITERAL)))
def test_answer_that_writes_about_markers_is_left_whole(rows, number):
    assert (rows[number]["text"], rows[number]["reasoning"]) == (LITERAL[number], None)


def test_answer_behind_a_trace_may_write_about_markers_too(tmp_path):
    apart = {"reasoning_content": "hm", "content": LITERAL[0]}
    found = grow_answers(tmp_path, [{"content": TRACED}, apart], reasoning={"markers": "think"})
    assert found[0]["reasoning"] == "The tag </thinking> is another one."
    assert found[0]["text"] == "The tag </think> ends a trace."
    assert (found[1]["reasoning"], found[1]["text"]) == ("hm", LITERAL[0])
