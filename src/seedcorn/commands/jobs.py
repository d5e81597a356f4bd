"""`seedcorn jobs`: what seedcorn has running, and has had, on a cluster."""

import argparse
import os

from seedcorn.commands.submit import add_address


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    parser.add_argument(
        "job", nargs="?", metavar="JOB|CORPUS", help="only this job; for a corpus, its newest one"
    )
    add_address(parser)
    parser.add_argument("--follow", action="store_true", help="print the job's log until it ends")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.epilog = (
        "A cluster remembers its jobs only while it runs; what they did to a corpus is in its log."
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table, or follow one job and end with its exit code."""
    from seedcorn.commands.views.jobs import follow, jobs_json, jobs_table
    from seedcorn.commands.views.output import console, say
    from seedcorn.core.errors import RecipeError
    from seedcorn.core.ops.submitting import chosen, server_address
    from seedcorn.runtime.jobs.submission import JobServer

    if arguments.follow and not arguments.job:
        raise RecipeError("--follow needs the job: seedcorn jobs JOB --follow")
    server = JobServer(server_address(arguments.address, os.environ))
    jobs = server.jobs()
    if arguments.job:
        jobs = [chosen(jobs, arguments.job, server.address)]
    if arguments.follow:
        return follow(server, jobs[0].id)
    if arguments.json:
        say(jobs_json(jobs))
    elif jobs:
        console().print(jobs_table(jobs))
    else:
        say(f"{server.address} has no seedcorn jobs")
    return 0
