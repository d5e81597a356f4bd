"""`seedcorn stop JOB|CORPUS`: a drain. What is in flight is finished and staged, nothing is lost."""

import argparse
import os
from typing import TYPE_CHECKING

from seedcorn.commands.submit import add_address

if TYPE_CHECKING:
    from seedcorn.core.ops.submitting import Job
    from seedcorn.runtime.jobs.submission import JobServer

MARGIN_S = 30.0
"""Seconds that Ray may need beyond the job's own time before it says that the job has ended."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    parser.add_argument("job", metavar="JOB|CORPUS", help="an id of `seedcorn jobs`, or a corpus")
    add_address(parser)
    parser.add_argument(
        "--now", action="store_true", help="drop what is in flight; what is staged stays"
    )
    parser.add_argument("--no-wait", action="store_true", help="ask for the stop and return")
    parser.epilog = (
        "Ray kills a job that is still draining when the time it was submitted with (--drain-s) "
        "is over; even then everything committed or staged is stored, and submitting again "
        "continues."
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask for the stop and wait until the job has ended; 0 when it has."""
    from seedcorn.commands.views.jobs import note
    from seedcorn.commands.views.output import say
    from seedcorn.core.ops.submitting import RAY_STOP_WAIT_S, chosen, server_address
    from seedcorn.runtime.jobs.submission import JobServer

    server = JobServer(server_address(arguments.address, os.environ))
    job = chosen(server.jobs(), arguments.job, server.address)
    if not job.active:
        say(f"job {job.id} has ended already: {job.status}")
        return 0
    for warning in warnings(job):
        note(f"warning: {warning}")
    server.stop(job)
    if arguments.now:
        server.hurry(server.job(job.id))
    if arguments.no_wait:
        say(f"asked {job.id} to stop")
        return 0
    wait_s = RAY_STOP_WAIT_S if job.stop_wait_s is None else job.stop_wait_s
    note(f"{job.id} is draining, for at most {wait_s:g} s; Ctrl-C stops the waiting, not the job")
    return _ended(server, server.wait(job.id, wait_s + MARGIN_S))


def warnings(job: "Job") -> list[str]:
    """What may cut the drain short."""
    from seedcorn.core.ops.submitting import RAY_STOP_WAIT_S, SHORT_DRAIN_S, STOP_WAIT

    if job.stop_wait_s is None:
        return [
            f"{job.id} was submitted without {STOP_WAIT}: unless the head node's Ray was started "
            f"with it, Ray kills the driver after {RAY_STOP_WAIT_S:g} s; submit with --drain-s, or "
            "set it in env_vars of the job's runtime environment"
        ]
    if job.stop_wait_s < SHORT_DRAIN_S:
        return [
            f"Ray kills the driver of {job.id} {job.stop_wait_s:g} s after the signal, and "
            "requests in flight may take longer; submit with a longer --drain-s"
        ]
    return []


def _ended(server: "JobServer", job: "Job") -> int:
    from seedcorn.commands.views.jobs import message
    from seedcorn.commands.views.output import say
    from seedcorn.core.ops.submitting import ClusterError

    if job.active:
        raise ClusterError(
            f"{server.address}: job {job.id} has not ended, though its time to drain is over; "
            f"see: seedcorn jobs {job.id} --address {server.address}"
        )
    why = f": {message(job)}" if message(job) else ""
    say(f"job {job.id} {job.status}{why}")
    return 0
