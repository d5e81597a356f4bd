"""A submission as a value: which job grows which corpus, under which id, by which command.

At most one job of a corpus is active on a cluster. The id is a function of corpus, generation and
attempt, so that of two submissions at the same moment the cluster itself refuses one. Nothing here
ever carries a credential: what could hold one is refused or redacted by name.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from posixpath import normpath
from typing import Any

from seedcorn.core.errors import INTERRUPTED, CorpusBusy, RecipeError, SeedcornError
from seedcorn.core.identity import digest
from seedcorn.core.recipe import Recipe
from seedcorn.core.recipe.secrets import holds_credentials, redacted

STOP_WAIT = "RAY_JOB_STOP_WAIT_TIME_S"
"""Seconds between Ray's SIGTERM and SIGKILL. Ray's job supervisor reads it from its own
environment, which is the job's runtime environment over that of the head node's Ray."""
RAY_STOP_WAIT_S = 3.0
"""What Ray waits where nobody says otherwise: too short for any drain."""
DRAIN_S = 600.0
"""What a submitted job is given to finish what is in flight, at most."""
SHORT_DRAIN_S = 60.0
"""Below this, `seedcorn stop` warns: requests in flight are longer than that."""
SUCCEEDED, STOPPED, FAILED = "SUCCEEDED", "STOPPED", "FAILED"
ENDED = (SUCCEEDED, STOPPED, FAILED)
_MARK = "seedcorn"


class ClusterError(SeedcornError):
    """The cluster's job server refused a request or could not do it."""


class ClusterUnreachable(ClusterError):
    """Nothing that speaks Ray's job interface answered at an address, in time."""


class ClusterRefused(ClusterError):
    """The cluster wants a token and did not get the right one."""


class ClusterUnsuitable(ClusterError):
    """The cluster runs a Ray that this seedcorn does not work with."""

    exit_code = 2


class JobUnknown(SeedcornError):
    """No seedcorn job goes by that id or corpus, or several do."""

    exit_code = 2


class AlreadySubmitted(CorpusBusy):
    """An active job grows the corpus."""

    def __init__(self, job: "Job", address: str) -> None:
        """`job` is the active one, at `address`."""
        super().__init__(
            f"job {job.id} grows {job.corpus} already (generation {job.generation}, {job.status}); "
            f"follow it with: {follow_command(job.id, address)}; or submit with --attach --follow"
        )
        self.job = job


@dataclass(frozen=True, slots=True)
class Job:
    """One submitted job, as the cluster tells it. Times are Unix milliseconds."""

    id: str
    corpus: str
    generation: int
    """The generation up to which it grows."""
    attempt: int
    recipe: str
    status: str
    """PENDING, RUNNING, SUCCEEDED, STOPPED or FAILED."""
    started: int | None = None
    ended: int | None = None
    message: str = ""
    driver_exit: int | None = None
    stop_wait_s: float | None = None
    """Its own time to drain; None: what the head node's Ray was started with, or 3 s."""
    node: str = ""
    pid: str = ""
    """Process id of the driver on node `node`, once it has joined the cluster."""

    @property
    def active(self) -> bool:
        """Not ended yet."""
        return self.status not in ENDED

    @property
    def exit_code(self) -> int:
        """What a process that follows this job ends with."""
        if self.status == SUCCEEDED:
            return 0
        if self.status == STOPPED:
            return INTERRUPTED
        code = self.driver_exit
        if not code:
            return 1
        return 128 - code if code < 0 else code

    @property
    def reason(self) -> str:
        """The message in one line: the last line of a driver's log says why it ended."""
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        return redacted(lines[-1]) if lines else ""


def corpus_name(uri: str) -> str:
    """One spelling per corpus: no trailing slash, `file://` for folders, no credentials."""
    plain = redacted(uri.strip())
    if plain.startswith("file://"):
        plain = "/" + plain.removeprefix("file://").removeprefix("localhost").lstrip("/")
    if "://" not in plain:
        return "file://" + normpath(plain) if plain.startswith("/") else plain
    return plain.rstrip("/")


def submission_id(corpus: str, endpoint: str, generation: int, attempt: int) -> str:
    """`seedcorn-NAME-HASH-gGENERATION[-ATTEMPT]`; equal for equal arguments."""
    name = corpus_name(corpus)
    tail = re.sub(r"[^a-z0-9]+", "-", name.rsplit("/", 1)[-1].lower()).strip("-")[:24]
    key = digest("submission", name, endpoint, size=5).hex()
    words = ["seedcorn", tail, key, f"g{generation:04d}", str(attempt) if attempt > 1 else ""]
    return "-".join(filter(None, words))


def next_attempt(jobs: Iterable[Job], corpus: str, generations: int) -> Job | int:
    """The active job of the corpus, or the number of the attempt to grow so many generations that
    may start.

    An active job counts whatever generation it grows up to: one corpus has one writer.
    """
    name = corpus_name(corpus)
    attempts = 0
    for job in jobs:
        if job.corpus != name:
            continue
        if job.active:
            return job
        if job.generation == generations:
            attempts = max(attempts, job.attempt)
    return attempts + 1


def chosen(jobs: Iterable[Job], wanted: str, address: str) -> Job:
    """The job named by id, or the one of a corpus: the active one, else the newest."""
    known = list(jobs)
    for job in known:
        if job.id == wanted:
            return job
    of_corpus = [job for job in known if job.corpus == corpus_name(wanted)]
    if not of_corpus:
        raise JobUnknown(
            f"{address} knows no seedcorn job {redacted(wanted)!r}, neither as an id nor as a "
            f"corpus; see: seedcorn jobs --address {address}"
        )
    return max(of_corpus, key=lambda job: (job.active, job.started or 0, job.attempt))


def metadata(recipe: Recipe, path: str, attempt: int, version: str) -> dict[str, str]:
    """What is stored with the job, for people and for `job_of`. Strings only, no secrets."""
    return {
        _MARK: version,
        "corpus": corpus_name(recipe.corpus),
        "recipe": f"{recipe.name} ({path})",
        "generation": str(recipe.generations),
        "attempt": str(attempt),
        "fingerprint": recipe.fingerprint,
    }


def job_of(job_id: str, status: str, stored: Mapping[str, str], **rest: Any) -> Job | None:
    """A job from its stored metadata; None for jobs that are not seedcorn's."""
    if _MARK not in stored:
        return None
    return Job(
        id=job_id,
        corpus=stored.get("corpus", ""),
        generation=_number(stored.get("generation", "")),
        attempt=_number(stored.get("attempt", "")) or 1,
        recipe=stored.get("recipe", ""),
        status=status,
        **rest,
    )


def entrypoint(python: str, recipe: str, overrides: Sequence[str], elsewhere: bool) -> str:
    """The shell command of the driver. `exec`: no shell stands between Ray's signals and it.

    `elsewhere`: the recipe names a Ray of its own (`run.ray_address`); in a job the cluster is the
    one the job runs on.
    """
    here = ['run.ray_address=""'] if elsewhere else []
    words = [python, "-m", "seedcorn.cli", "grow", recipe, *overrides, *here]
    return f"exec {shlex.join(words)}"


def hurry_command(job: Job) -> str:
    """The shell command that sends a draining driver its second SIGTERM, on the driver's node.

    The process must still be this job's: pids are used again.
    """
    job_id = shlex.quote(job.id)
    return f"grep -qaF {job_id} /proc/{int(job.pid)}/environ && kill -TERM {int(job.pid)}"


def follow_command(job_id: str, address: str) -> str:
    """How to watch a job."""
    return f"seedcorn jobs {job_id} --follow --address {address}"


def require_reachable(corpus: str) -> None:
    """Refuses a corpus that only the submitting process could find."""
    if not corpus or corpus.startswith("memory:"):
        raise RecipeError("corpus: a job needs a corpus that the cluster reaches, such as s3://…")
    if "://" not in corpus and not corpus.startswith("/"):
        raise RecipeError(
            f"corpus: {corpus} is relative, and a job's own folder is deleted after it; name "
            "a store (s3://bucket/prefix), or an absolute path that all nodes share"
        )


def server_address(option: str | None, environment: Mapping[str, str]) -> str:
    """The URL of the cluster's dashboard, which serves jobs: the option, else the variables Ray's
    own command reads. Raises RecipeError for what cannot be one."""
    text = option or environment.get("RAY_API_SERVER_ADDRESS", "")
    if not text and environment.get("RAY_ADDRESS", "").startswith(("http://", "https://")):
        text = environment["RAY_ADDRESS"]
    text = text.strip().rstrip("/")
    if not text:
        raise RecipeError(
            "which cluster? Give --address http://HEAD:8265 (its dashboard) or set "
            "RAY_API_SERVER_ADDRESS"
        )
    scheme, separator, _ = text.partition("://")
    if text == "auto" or (separator and scheme not in ("http", "https")):
        raise RecipeError(
            f"--address {redacted(text)}: jobs go to the dashboard's URL, such as http://HEAD:8265"
        )
    url = text if separator else f"http://{text}"
    if holds_credentials(url):
        raise RecipeError("--address holds credentials; the token belongs in RAY_AUTH_TOKEN")
    return url


def package_layout(recipe: str, inputs: Sequence[str]) -> tuple[str, list[str]]:
    """Where a recipe file and its inputs lie in a package so that relative paths still hold.

    `inputs` are relative to the recipe's folder and may climb out of it. Returns the recipe's path
    in the package and those of the inputs, in order.
    """
    climbs = [len([part for part in normpath(path).split("/") if part == ".."]) for path in inputs]
    folder = "recipe/" * max(climbs, default=0)
    return f"{folder}{recipe}", [normpath(f"{folder}{path}") for path in inputs]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
