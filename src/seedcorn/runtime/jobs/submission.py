"""A cluster's job server as seedcorn uses it: submit, list, stop, follow.

Every request ends within a stated time, and whatever Ray, its HTTP client or the network raise
comes out as a ClusterError that names the address and what to do.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedcorn.core.errors import RecipeError
from seedcorn.core.ops.submitting import (
    AlreadySubmitted,
    ClusterError,
    ClusterRefused,
    ClusterUnreachable,
    ClusterUnsuitable,
    Job,
    JobUnknown,
    hurry_command,
)
from seedcorn.core.recipe.secrets import redacted
from seedcorn.runtime.jobs.logs import follow
from seedcorn.runtime.ray.job_client import VERSION, JobClient, Unauthorised

POLL_S = 1.0
AGENT_S = 30.0
"""Seconds that a young cluster is given to bring up the agent that starts jobs."""
NO_AGENT = "No available agent"
"""What Ray 2.60 answers until then (dashboard/modules/job/job_head.py)."""
HURRY_S = 30.0
"""Seconds within which a second SIGTERM must have been sent."""
TOKEN_PLACES = "RAY_AUTH_TOKEN, a file named by RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What is submitted."""

    id: str
    entrypoint: str
    metadata: Mapping[str, str]
    runtime_env: Mapping[str, Any]
    resources: Mapping[str, Any] = field(default_factory=dict)
    """`entrypoint_num_cpus`, `entrypoint_memory` and so on, by the names of Ray's client."""


class JobServer:
    """The job server at one address. Raises ClusterError from every method."""

    def __init__(self, address: str) -> None:
        """Connect, and check that it is a Ray of the version this seedcorn works with."""
        self.address = address
        with self._asking("say which Ray it runs"):
            self._client = JobClient(address, _headers())
        self._require_version(self._client.version)

    def jobs(self) -> list[Job]:
        """Every seedcorn job the cluster remembers, newest first."""
        with self._asking("list jobs"):
            listed = self._client.jobs()
        return sorted(listed, key=lambda job: (job.started or 0, job.id), reverse=True)

    def job(self, job_id: str) -> Job:
        """One job; raises JobUnknown."""
        for job in self.jobs():
            if job.id == job_id:
                return job
        raise JobUnknown(f"{self.address} knows no seedcorn job {job_id}; its cluster may be new")

    def submit(self, request: Request) -> None:
        """Submit; raises AlreadySubmitted where another submission took the id just before.

        A head node answers before the agent that starts jobs is up, and refuses without having
        taken the job: that is asked again for a while, under the same id.
        """
        try:
            with self._asking("submit the job"):
                self._submit(request)
        except ClusterUnreachable:
            raise
        except ClusterError as error:
            if "already exists" not in str(error):
                raise
            raise AlreadySubmitted(self.job(request.id), self.address) from error

    def _submit(self, request: Request) -> None:
        until = time.monotonic() + AGENT_S
        while True:
            try:
                self._client.submit(
                    request.entrypoint,
                    submission_id=request.id,
                    metadata=dict(request.metadata),
                    runtime_env=dict(request.runtime_env),
                    **request.resources,
                )
                return
            except RuntimeError as error:
                if NO_AGENT not in str(error) or time.monotonic() > until:
                    raise
                logger.warning("%s has no agent for jobs yet; asking again", self.address)
            time.sleep(POLL_S)

    def stop(self, job: Job) -> None:
        """Ask Ray to end it: SIGTERM, then SIGKILL after the job's `stop_wait_s`."""
        with self._asking("stop the job"):
            self._client.stop(job.id)

    def hurry(self, job: Job) -> bool:
        """A second SIGTERM for a draining driver, which makes it stop at once; False where it has
        no driver yet, and the first one suffices.

        Ray passes on only one request to stop, so a job of its own carries the signal to the node.
        """
        if not job.pid.isdecimal() or not job.node:
            return False
        with self._asking("send the second signal"):
            helper = self._client.submit(
                hurry_command(job),
                metadata={"stops": job.id},
                entrypoint_label_selector={"ray.io/node-id": job.node},
            )
            until = time.monotonic() + HURRY_S
            while time.monotonic() < until:
                if self._client.ended(helper):
                    return True
                time.sleep(POLL_S)
        raise ClusterError(f"{self.address}: job {helper} has not sent the signal in {HURRY_S:g} s")

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job when it has ended, or as it is after so many seconds."""
        until = time.monotonic() + seconds
        while (job := self.job(job_id)).active and time.monotonic() < until:
            time.sleep(POLL_S)
        return job

    def follow(
        self, job_id: str, write: Callable[[str], object], note: Callable[[str], object]
    ) -> Job:
        """Write the job's log from its beginning until it ends; returns the ended job.

        `note` hears of waiting and of lost connections, which are made again.
        """
        return follow(
            lambda: self._client.log(job_id), self.address, lambda: self.job(job_id), write, note
        )

    def _require_version(self, version: str | None) -> None:
        series = VERSION.rsplit(".", 1)[0]
        if version and version.rsplit(".", 1)[0] != series:
            raise ClusterUnsuitable(
                f"{self.address} runs Ray {version}, and seedcorn here is made for {series}: "
                f"use a cluster image with ray=={series}.*, or the seedcorn made for that Ray"
            )

    @contextlib.contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except Unauthorised as error:
            raise ClusterRefused(self._refusal(str(error))) from error
        except OSError as error:
            raise ClusterUnreachable(
                f"cannot reach Ray's job server at {self.address} ({_cause(error)}): is the "
                "cluster up, and is this its dashboard's port (8265 unless changed; not 6379 or "
                "10001)?"
            ) from error
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise ClusterError(self._problem(what, error)) from error

    def _refusal(self, text: str) -> str:
        wrong = "invalid" in text.lower()
        found = "does not accept this token" if wrong else "asks for a token, and none was found"
        return f"{self.address} {found}; put the cluster's own into {TOKEN_PLACES}"

    def _problem(self, what: str, error: Exception) -> str:
        if "Version check returned 404" in str(error):
            return (
                f"{self.address} answers, but is not a Ray dashboard: another server has this port"
            )
        lines = [line.strip() for line in str(error).splitlines() if line.strip(" .'\"")]
        # Ray answers with a traceback; its last line is the error.
        detail = redacted(lines[-1]) if lines else type(error).__name__
        return f"{self.address} could not {what}: {detail}"


def _headers() -> dict[str, str]:
    """The token, unless a header of one's own says who is asking."""
    extra = _extra_headers()
    own = any(name.lower() == "authorization" for name in extra)
    return extra if own else _token_header() | extra


def _extra_headers() -> dict[str, str]:
    """What a proxy before the cluster asks for, from the variable that `ray job` reads."""
    text = os.environ.get("RAY_JOB_HEADERS", "")
    try:
        headers = json.loads(text) if text else {}
    except ValueError as error:
        raise RecipeError(f"RAY_JOB_HEADERS is not JSON: {error}") from error
    if not isinstance(headers, dict):
        raise RecipeError('RAY_JOB_HEADERS must be a JSON object, such as {"name": "value"}')
    return {str(name): str(value) for name, value in headers.items()}


def _token_header() -> dict[str, str]:
    """The token that Ray would find, even where nobody has set RAY_AUTH_MODE=token.

    With the variable set Ray's client does it all by itself, refusing an empty place by name.
    """
    if "RAY_AUTH_MODE" in os.environ:
        return {}
    token = os.environ.get("RAY_AUTH_TOKEN", "")
    place = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    if not token:
        with contextlib.suppress(OSError):
            token = Path(place).read_text(encoding="utf-8")
    return {"Authorization": f"Bearer {token.strip()}"} if token.strip() else {}


def _cause(error: BaseException) -> str:
    """The innermost reason, which is the one a person understands."""
    seen: set[int] = set()
    while (inner := error.__cause__ or error.__context__) is not None and id(inner) not in seen:
        seen.add(id(inner))
        error = inner
    text = redacted(str(error).strip().partition("\n")[0])
    # A port that speaks something other than HTTP answers in bytes.
    return text if text.isprintable() and text else "it does not speak HTTP"
