"""Awaiting a call to another process: its typed errors come back as themselves, its death as `Lost`.

Ray says at once when a process dies, but takes some ten seconds to notice that a whole node is
gone; until then the actor is only *unavailable*, and nobody knows which of the two it is.
"""

from collections.abc import Awaitable
from typing import TypeVar

from ray.exceptions import (
    ActorUnavailableError,
    NodeDiedError,
    RayActorError,
    RayError,
    RayTaskError,
)

from seedcorn.core.errors import SeedcornError
from seedcorn.runtime.driver.ports import Lost, NodeLost, innermost

T = TypeVar("T")
NODE_DIED = "node has died"
"""In Ray's own words of an actor that went with its node; only for a task has it a type."""


class Unavailable(Lost):
    """No answer, and no verdict yet on why."""


async def settled(call: Awaitable[T], what: str) -> T:
    """Await a remote call; raises its own typed error, else NodeLost, Unavailable or Lost."""
    try:
        return await call
    except RayTaskError as error:
        cause = innermost(error.cause)
        if isinstance(cause, RayActorError):
            raise _lost(cause, what) from error
        if isinstance(cause, SeedcornError):
            raise cause from error
        raise Lost(f"the {what} failed: {type(cause).__name__}: {_first_line(cause)}") from error
    except RayError as error:
        raise _lost(error, what) from error


def _lost(error: RayError, what: str) -> Lost:
    if isinstance(error, ActorUnavailableError):
        return Unavailable(f"the {what} does not answer: {_first_line(error)}")
    preempted = isinstance(error, RayActorError) and error.preempted
    if preempted or isinstance(error, NodeDiedError) or NODE_DIED in str(error):
        return NodeLost(f"the {what} went with its node")
    return Lost(f"the {what} died: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
