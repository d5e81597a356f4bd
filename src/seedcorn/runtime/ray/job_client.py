"""Ray's job server over HTTP, one call a method. The only user of ray.job_submission.

Every request ends within a stated time, and goes to the address it was given, whatever Ray finds in
the environment. Errors are Python's own (OSError where nothing answers, RuntimeError for what the
server refuses), and `Unauthorised`.
"""

import logging
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import ray
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobSubmissionClient, JobType
from ray.runtime_env import RuntimeEnv

from seedcorn.core.ops.submitting import STOP_WAIT, Job, job_of

VERSION = ray.__version__
CONNECT_S, GREETING_S, ANSWER_S = 5.0, 10.0, 60.0
"""Seconds to reach the server, for its first answer, and between two bytes of any later one."""
_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


class Unauthorised(Exception):
    """The server wants a token and did not get the right one."""


class JobClient:
    """A connection to the job server at one address."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        """Connect; `headers` go with every request."""
        logging.getLogger("ray").setLevel(logging.WARNING)
        for name in ("modules.dashboard_sdk", "modules.job.sdk"):
            logging.getLogger(f"ray.dashboard.{name}").setLevel(logging.WARNING)
        self._ray = _connected(address, headers)
        self._ray.patience_s = ANSWER_S

    @property
    def version(self) -> str | None:
        """The Ray that the server runs, where it says so."""
        return getattr(self._ray, "_server_ray_version", None)

    def jobs(self) -> list[Job]:
        """Every seedcorn job the cluster remembers."""
        found = [_job(details) for details in self._ray.list_jobs()]
        return [job for job in found if job is not None]

    def submit(self, entrypoint: str, **options: Any) -> str:
        """Submit a job, with the options of Ray's client; returns its id."""
        return self._ray.submit_job(entrypoint=entrypoint, **options)

    def stop(self, job_id: str) -> None:
        """Ask for its end."""
        self._ray.stop_job(job_id)

    def ended(self, job_id: str) -> bool:
        """Whether it has ended, by whatever name."""
        return self._ray.get_job_status(job_id).is_terminal()

    def log(self, job_id: str) -> AsyncIterator[str]:
        """Its log from the beginning, until it ends or the connection breaks."""
        return self._ray.tail_job_logs(job_id)


def check_environment(runtime_env: Mapping[str, Any]) -> None:
    """Ray's own judgement on a runtime environment; raises TypeError or ValueError."""
    RuntimeEnv(**runtime_env)


class _Client(JobSubmissionClient):
    """Ray's client, which by itself waits for ever."""

    patience_s = GREETING_S

    def _do_request(self, method: str, endpoint: str, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", (CONNECT_S, self.patience_s))
        try:
            return super()._do_request(method, endpoint, **kwargs)
        except AuthenticationError as error:
            raise Unauthorised(str(error)) from error


def _connected(address: str, headers: Mapping[str, str]) -> _Client:
    """Ray's client prefers the environment to its argument; here the argument counts."""
    hidden = {name: os.environ.pop(name) for name in _ADDRESSES if name in os.environ}
    try:
        return _Client(address, headers=dict(headers))
    finally:
        os.environ.update(hidden)


def _job(details: JobDetails) -> Job | None:
    if details.type != JobType.SUBMISSION or not details.submission_id:
        return None
    driver = details.driver_info
    variables = (details.runtime_env or {}).get("env_vars") or {}
    return job_of(
        details.submission_id,
        str(details.status),
        details.metadata or {},
        started=details.start_time,
        ended=details.end_time,
        message=details.message or "",
        driver_exit=details.driver_exit_code,
        stop_wait_s=_seconds(variables.get(STOP_WAIT)),
        node=details.driver_node_id or "",
        pid=driver.pid if driver is not None else "",
    )


def _seconds(text: str | None) -> float | None:
    """Ray reads a whole number and nothing else."""
    return float(text) if text is not None and text.strip().isdecimal() else None
