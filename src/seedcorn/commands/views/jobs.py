"""Jobs as a table and as a followed log."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from seedcorn.commands.views.follow import following
from seedcorn.commands.views.output import console, figures, harmless
from seedcorn.core.errors import INTERRUPTED
from seedcorn.core.ops.submitting import STOPPED, Job, follow_command

if TYPE_CHECKING:
    from seedcorn.runtime.jobs.submission import JobServer

_UNSHOWN = ("node", "pid")


def jobs_table(jobs: Sequence[Job]) -> Table:
    """One line per job, in the order given."""
    table = figures("job", "corpus", "generation", "status", "since", "message", left=6)
    for job in jobs:
        cells = (job.id, job.corpus, str(job.generation), job.status, since(job), message(job))
        table.add_row(*map(harmless, cells))
    return table


def jobs_json(jobs: Sequence[Job]) -> str:
    """The same for programs, times as Unix milliseconds."""
    rows = []
    for job in jobs:
        row = asdict(job) | {"message": message(job), "active": job.active}
        rows.append({name: value for name, value in row.items() if name not in _UNSHOWN})
    return json.dumps(rows, indent=1)


def since(job: Job) -> str:
    """When the job entered the state it is in, in local time."""
    moment = job.started if job.active else job.ended or job.started
    if moment is None:
        return "-"
    return datetime.fromtimestamp(moment / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def message(job: Job) -> str:
    """Why it ended as it did; nothing while all is well."""
    return "" if job.status in ("RUNNING", "SUCCEEDED") else job.reason


def follow(server: "JobServer", job_id: str, again: str = "") -> int:
    """Print a job's log until it ends, in a terminal with the live table; the exit code is the job's.

    `again`: the command that goes on after a stop.
    """
    try:
        with following(console()) as write:
            job = server.follow(job_id, write, note)
    except KeyboardInterrupt:
        note(f"stopped following; {job_id} keeps running: {follow_command(job_id, server.address)}")
        return INTERRUPTED
    note(f"job {job.id} {job.status}" + (f": {message(job)}" if message(job) else ""))
    if job.status == STOPPED and again:
        note(f"continue with: {again}")
    return job.exit_code


def note(text: str) -> None:
    """One line beside the log."""
    sys.stderr.write(f"seedcorn: {harmless(text)}\n")
    sys.stderr.flush()
