"""`seedcorn submit RECIPE`: the same recipe as a job on a Ray cluster that is already there."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from seedcorn.commands.arguments import add_recipe, positive

if TYPE_CHECKING:
    from seedcorn.core.ops.submitting import Job
    from seedcorn.core.recipe import LoadedRecipe
    from seedcorn.runtime.jobs.submission import JobServer

REPEATED = (
    *("working-dir", "cluster-recipe", "runtime-env", "drain-s", "python"),
    *("entrypoint-num-cpus", "entrypoint-memory"),
    *("entrypoint-resources", "entrypoint-label-selector"),
)
"""Options that a later attempt needs as well."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_recipe(parser)
    add_address(parser)
    parser.add_argument("--follow", action="store_true", help="print the log until the job ends")
    parser.add_argument(
        "--attach",
        action="store_true",
        help="use the job that already grows this corpus, if there is one",
    )
    files = parser.add_argument_group(
        "what travels", "by default the recipe file, and files that its relative paths name"
    )
    files.add_argument("--working-dir", metavar="DIR", default="", help="this folder, recipe in it")
    files.add_argument(
        "--cluster-recipe",
        metavar="PATH",
        default="",
        help="ship nothing: the recipe is at this path on the cluster (RECIPE is still read here)",
    )
    files.add_argument(
        "--runtime-env",
        metavar="FILE|JSON",
        default="",
        help="Ray's runtime environment: pip, uv, image_uri, env_vars; none by default",
    )
    _configure_driver(parser)
    parser.epilog = (
        "Ctrl-C while following leaves the job alone. The token is taken from where Ray looks: "
        "RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token; RAY_JOB_HEADERS adds headers."
    )


def _configure_driver(parser: argparse.ArgumentParser) -> None:
    driver = parser.add_argument_group(
        "the driver", "it runs on the head node, without resources, unless some are asked for"
    )
    driver.add_argument(
        "--drain-s",
        type=positive,
        metavar="S",
        help="seconds that `seedcorn stop` leaves it before Ray kills it (600)",
    )
    driver.add_argument(
        "--python", metavar="PATH", help="the cluster's interpreter (default python)"
    )
    driver.add_argument("--entrypoint-num-cpus", type=positive, metavar="N")
    driver.add_argument("--entrypoint-memory", type=positive, metavar="BYTES")
    driver.add_argument("--entrypoint-resources", metavar="JSON", help='such as {"disk": 1}')
    driver.add_argument("--entrypoint-label-selector", metavar="JSON", help='such as {"zone": "a"}')


def add_address(parser: argparse.ArgumentParser) -> None:
    """--address URL."""
    parser.add_argument(
        "--address",
        metavar="URL",
        help="the cluster's dashboard, such as http://HEAD:8265 ($RAY_API_SERVER_ADDRESS)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Submit, or attach; print how to go on, or follow."""
    from seedcorn.commands.views.jobs import follow
    from seedcorn.commands.views.output import say
    from seedcorn.config import load_recipe
    from seedcorn.core.ops.submitting import (
        AlreadySubmitted,
        follow_command,
        require_reachable,
        server_address,
    )
    from seedcorn.core.recipe.secrets import refuse_secrets
    from seedcorn.core.scheduling.leasing import require_window
    from seedcorn.runtime.jobs.submission import JobServer

    refuse_secrets(arguments.overrides)
    loaded = load_recipe(arguments.recipe, arguments.overrides)
    recipe = loaded.recipe
    require_reachable(recipe.corpus)
    require_window(recipe.engine, recipe.units, recipe.samples)
    server = JobServer(server_address(arguments.address, os.environ))
    try:
        job_id = _submit(server, loaded, arguments)
        say(f"submitted {job_id} to {server.address}")
    except AlreadySubmitted as busy:
        if not arguments.attach:
            raise
        job_id = busy.job.id
        say(f"attached to {describe(busy.job)}")
    if arguments.follow:
        return follow(server, job_id, again=resubmission(arguments, server.address))
    say(f"follow it with: {follow_command(job_id, server.address)}")
    say(f"drain and stop it with: seedcorn stop {job_id} --address {server.address}")
    return 0


def describe(job: "Job") -> str:
    """A job in half a line."""
    return f"{job.id}: {job.status}, grows {job.corpus} up to generation {job.generation}"


def resubmission(arguments: argparse.Namespace, address: str) -> str:
    """The command that goes on after a stop; a takeover is not repeated."""
    import shlex

    kept = [item for item in arguments.overrides if item.partition("=")[0] != "takeover"]
    given = {name: getattr(arguments, name.replace("-", "_")) for name in REPEATED}
    options = [word for name, value in given.items() if value for word in (f"--{name}", f"{value}")]
    return shlex.join(
        ["seedcorn", "submit", arguments.recipe, *kept, "--address", address, *options]
    )


def _submit(server: "JobServer", loaded: "LoadedRecipe", arguments: argparse.Namespace) -> str:
    """Submit the next attempt; raises AlreadySubmitted where a job of the corpus is active."""
    from seedcorn import __version__
    from seedcorn.core.ops.submitting import (
        AlreadySubmitted,
        Job,
        entrypoint,
        metadata,
        next_attempt,
        submission_id,
    )
    from seedcorn.runtime.jobs.files import read_runtime_env, shipment
    from seedcorn.runtime.jobs.submission import Request

    recipe = loaded.recipe
    env = read_runtime_env(arguments.runtime_env)
    _warn_of_secrets(env)
    resources = _resources(arguments)
    attempt = next_attempt(server.jobs(), recipe.corpus, recipe.generations)
    if isinstance(attempt, Job):
        raise AlreadySubmitted(attempt, server.address)
    job_id = submission_id(recipe.corpus, recipe.store.endpoint, recipe.generations, attempt)
    elsewhere = bool(recipe.run.ray_address)
    with shipment(
        loaded, env, arguments.working_dir, arguments.cluster_recipe, arguments.drain_s
    ) as shipped:
        command = entrypoint(
            arguments.python or "python", shipped.recipe, arguments.overrides, elsewhere
        )
        stored = metadata(recipe, arguments.recipe, attempt, __version__)
        server.submit(Request(job_id, command, stored, shipped.runtime_env, resources))
    return job_id


def _resources(arguments: argparse.Namespace) -> dict[str, Any]:
    """The entrypoint's resources that were asked for, by the names of Ray's client."""
    asked = {
        "entrypoint_num_cpus": arguments.entrypoint_num_cpus,
        "entrypoint_memory": arguments.entrypoint_memory and int(arguments.entrypoint_memory),
        "entrypoint_resources": _json("entrypoint-resources", arguments.entrypoint_resources),
        "entrypoint_label_selector": _json(
            "entrypoint-label-selector", arguments.entrypoint_label_selector
        ),
    }
    return {name: value for name, value in asked.items() if value}


def _json(option: str, text: str | None) -> dict[str, Any]:
    import json

    from seedcorn.core.errors import RecipeError

    try:
        read = json.loads(text) if text else {}
    except ValueError as error:
        raise RecipeError(f"--{option}: not JSON: {error}") from error
    if not isinstance(read, dict):
        raise RecipeError(f'--{option}: must be a JSON object, such as {{"name": 1}}')
    return read


def _warn_of_secrets(env: dict[str, Any]) -> None:
    from seedcorn.core.recipe.secrets import secret_names

    variables = env.get("env_vars")
    named = secret_names(variables) if isinstance(variables, dict) else []
    if named:
        sys.stderr.write(
            f"seedcorn: warning: everyone who may list jobs reads {', '.join(named)} in the "
            "runtime environment; set them in the environment of the cluster's nodes instead\n"
        )
