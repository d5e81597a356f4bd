"""Following a job's log: lines for machines, the live table for people."""

import io
import sys

from rich.console import Console

from seedcorn.commands.views.follow import FollowTable, following
from seedcorn.core.ops.progress_lines import Progress
from seedcorn.core.sample import OUTCOMES

EARLY = Progress(1, 600, 64, "88 tokens/s, ETA 5 s")
LATER = Progress(1, 600, 600, "0 tokens/s", dict.fromkeys(OUTCOMES, 150), "12.3 k", "uat")
NEXT = Progress(2, 600, 10, "7 tokens/s", dict.fromkeys(OUTCOMES, 2), "1.1 k", "uat")
ERASE = "\x1b[2K"
LOG = "\n".join(["start", EARLY.line(), "batch \x1b[2J", LATER.line(), NEXT.line(), "the end"])


def drawn(renderable):
    paper = io.StringIO()
    Console(file=paper, width=100).print(renderable)
    return paper.getvalue()


def rows_of(picture):
    return [line.split() for line in picture.splitlines() if line[:2] in ("1 ", "2 ")]


def test_table_holds_the_latest_of_every_generation_whatever_the_pieces():
    for size in (1, 7, len(LOG)):
        said, pictures = [], []
        table = FollowTable(said.append, pictures.append)
        for start in range(0, len(LOG), size):
            table.take(LOG[start : start + size])
        assert said == ["start", "batch \ufffd[2J"]
        table.end()
        assert said[-1] == "the end"
        first, *_, last = map(drawn, pictures)
        assert len(pictures) == 3
        assert rows_of(first) == [["1", "600", "64"]]
        rows = rows_of(last)
        assert rows[0] == ["1", "600", "600", "150", "150", "150", "150", "12.3", "k"]
        assert rows[1][:4] == ["2", "600", "10", "2"]
        assert "7 tokens/s" in last
        assert "88 tokens/s" not in last


def test_following_without_a_terminal_writes_the_log_as_it_is(capsys):
    with following(Console(file=sys.stdout)) as write:
        write("start\r\n" + EARLY.line()[:20])
        write(EARLY.line()[20:] + "\n")
    assert capsys.readouterr().out == f"start\n{EARLY.line()}\n"


def test_following_in_a_terminal_draws_the_table_and_erases_it_at_the_end():
    paper = io.StringIO()
    with following(Console(file=paper, force_terminal=True, width=100)) as write:
        write(LOG)
    text = paper.getvalue()
    assert "start" in text
    assert "12.3 k" in text
    assert text.rindex("the end") < text.rindex(ERASE)
    assert text.rindex("12.3 k") < text.rindex(ERASE)
    assert "\x1b[2J" not in text
