"""Following a job's log: from its first character to its last, once each, over any lost connection.

Ray streams a log from its beginning at every connection, so what was written already is skipped by
count. A connection that says nothing is not believed: the job is asked for in between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import aiohttp

from seedcorn.core.ops.submitting import (
    ClusterError,
    ClusterRefused,
    ClusterUnreachable,
    Job,
    follow_command,
)
from seedcorn.runtime.event_loop import run_to_end

SILENCE_S = 15.0
"""Seconds without a line after which the job itself is looked at."""
GIVE_UP_S = 120.0
"""Seconds without any contact after which following ends; the job may well go on."""
PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
LAST_TRIES = 3
"""Connections made for the rest of an ended job's log before doing without it."""
_LOST = (OSError, RuntimeError, aiohttp.ClientError, asyncio.TimeoutError)

Connect = Callable[[], AsyncIterator[str]]
Write = Callable[[str], object]


def follow(
    connect: Connect, address: str, look: Callable[[], Job], write: Write, note: Write
) -> Job:
    """See `JobServer.follow`. `connect` reads the log from its beginning, `look` asks the cluster
    for the job; raises ClusterUnreachable."""
    return run_to_end(_Follower(connect, address, look, write, note).run())


class _Follower:
    """One follower: how much was written, and how long nobody has answered."""

    def __init__(
        self,
        connect: Connect,
        address: str,
        look: Callable[[], Job],
        write: Write,
        note: Write,
    ) -> None:
        self._connect, self._address, self._look = connect, address, look
        self._write, self._note = write, note
        self._written = 0
        self._contact = time.monotonic()
        self._status = ""

    async def run(self) -> Job:
        """Until the job has ended and its log is read."""
        job = await self._job()
        tries, pause = 0, PAUSE_S
        while True:
            before = self._written
            whole = await self._stream(job)
            job = await self._job()
            if not job.active and whole:
                return job
            tries = 0 if job.active or self._written > before else tries + 1
            if tries >= LAST_TRIES:
                self._note(f"the rest of the log of {job.id} cannot be read")
                return job
            pause = PAUSE_S if self._written > before else min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _stream(self, job: Job) -> bool:
        """Write what is new; True when Ray closed the stream, False when it broke."""
        lines = self._connect()
        passed = 0
        try:
            while (text := await self._next(lines)) is not None:
                self._contact = time.monotonic()
                fresh = text[max(0, self._written - passed) :]
                passed += len(text)
                if fresh:
                    self._written += len(fresh)
                    self._write(fresh)
        except _LOST as error:
            if job.active:
                self._note(f"lost the log of {job.id} ({error or type(error).__name__}); retrying")
            return False
        finally:
            await _closed(lines)
        return True

    async def _next(self, lines: AsyncIterator[str]) -> str | None:
        """The next chunk, None at the end; a TimeoutError when the job has ended in silence."""
        waiting = asyncio.ensure_future(anext(lines, None))
        ended = False
        try:
            while not (await asyncio.wait({waiting}, timeout=SILENCE_S))[0]:
                if ended:
                    raise TimeoutError("the connection went silent")
                ended = not (await self._job()).active
            return waiting.result()
        finally:
            if not waiting.done():
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)

    async def _job(self) -> Job:
        """The job as it is, however often the server must be asked within GIVE_UP_S."""
        pause = PAUSE_S
        while True:
            try:
                job = await asyncio.to_thread(self._look)
            except ClusterRefused:
                raise
            except ClusterError as error:
                if time.monotonic() - self._contact > GIVE_UP_S:
                    raise self._given_up(error) from error
                self._note(f"{error}; retrying")
                pause = min(2 * pause, LONGEST_PAUSE_S)
                await asyncio.sleep(pause)
                continue
            self._contact = time.monotonic()
            self._announce(job)
            return job

    def _announce(self, job: Job) -> None:
        if job.status == "PENDING" and self._status != job.status:
            self._note(f"job {job.id} waits for its environment and a place to run")
        self._status = job.status

    def _given_up(self, error: ClusterError) -> ClusterUnreachable:
        return ClusterUnreachable(
            f"stopped following after {GIVE_UP_S:g} s without an answer ({error}); the job may "
            f"still run, see: {follow_command('JOB', self._address)}"
        )


async def _closed(lines: AsyncIterator[str]) -> None:
    close = getattr(lines, "aclose", None)
    if close is not None:
        await close()
