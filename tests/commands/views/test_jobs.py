"""Jobs as a table and as JSON."""

import io
import json

from rich.console import Console

from seedcorn.commands.views.jobs import jobs_json, jobs_table, since
from seedcorn.core.ops.submitting import Job

RUNNING = Job("j2", "s3://b/x", 3, 2, "r", "RUNNING", 1_795_404_160_470, message="Running.")
FAILED = Job("j1", "s3://b/x", 3, 1, "r", "FAILED", 1, 2, "log\nseedcorn: \x1b[31mno model", 2)


def test_table_says_why_a_job_failed_and_nothing_of_one_that_runs():
    paper = io.StringIO()
    Console(file=paper, width=160).print(jobs_table([RUNNING, FAILED]))
    first, second = paper.getvalue().splitlines()[2:4]
    assert first.split()[:4] == ["j2", "s3://b/x", "3", "RUNNING"]
    assert "Running." not in first
    assert second.rstrip().endswith("seedcorn: \ufffd[31mno model")


def test_json_has_the_same_and_no_place_of_the_driver():
    running, failed = json.loads(jobs_json([RUNNING, FAILED]))
    assert (running["id"], running["active"], running["message"]) == ("j2", True, "")
    assert (failed["driver_exit"], failed["active"]) == (2, False)
    assert "pid" not in failed


def test_since_is_when_the_job_entered_its_state():
    ended = Job("j", "c", 1, 1, "r", "STOPPED", 1, RUNNING.started)
    assert since(ended) == since(RUNNING)
    assert since(Job("j", "c", 1, 1, "r", "PENDING")) == "-"
