"""Awaiting work in this process as if it were done by another: an error that nobody named is the
loss of whoever did it."""

from collections.abc import Awaitable
from typing import TypeVar

from pyarrow import ArrowException

from seedcorn.core.errors import SeedcornError
from seedcorn.runtime.driver.ports import Lost, innermost

T = TypeVar("T")
UNTYPED = (BaseExceptionGroup, OSError, ValueError, RuntimeError, ArrowException)
"""What a disk, a library or a bad value can raise; everything else is a bug and ends the run."""


async def settled(call: Awaitable[T], what: str) -> T:
    """Await work; raises its own typed error, else Lost."""
    try:
        return await call
    except UNTYPED as raised:
        error = innermost(raised)
        if isinstance(error, SeedcornError):
            raise error from raised
        if not isinstance(error, UNTYPED):
            raise
        raise Lost(f"the {what} failed: {type(error).__name__}: {error}") from raised
