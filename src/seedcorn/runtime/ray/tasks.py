"""Pieces of work as Ray tasks, as many at once as the cluster has cores."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from seedcorn.runtime.driver.ports import Lost

logger = logging.getLogger(__name__)
Shared = TypeVar("Shared")
Piece = TypeVar("Piece")
Answer = TypeVar("Answer")
TRIES = 3
"""Of a piece whose process or node goes away under it."""


class RayTasks:
    """`Tasks` on the cluster that this process is connected to, be it a driver or a task itself.

    The tasks ask Ray for no core: engines hold all of them between two generations, and the work
    would wait for ever. A single piece is done here, for a process takes seconds to start.
    """

    def merged(
        self,
        work: Callable[[Shared, Piece], Answer],
        shared: Shared,
        pieces: Sequence[Piece],
        merge: Callable[[Answer, Answer], Answer],
    ) -> Answer:
        """See `Tasks`."""
        if len(pieces) == 1:
            return work(shared, pieces[0])
        remote: Any = ray.remote(num_cpus=0, max_retries=TRIES, scheduling_strategy="SPREAD")(work)
        try:
            return _gathered(remote, ray.put(shared), pieces, merge)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            raise Lost(f"a piece of the work was lost: {error}") from error


def _gathered(remote: Any, shared: Any, pieces: Sequence[Any], merge: Callable[..., Any]) -> Any:
    """Answers are merged as they come, so that only those in flight are held."""
    width = max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting, flying = list(reversed(pieces)), list[Any]()
    merged, some = None, False
    while waiting or flying:
        while waiting and len(flying) < width:
            flying.append(remote.remote(shared, waiting.pop()))
        done, flying = ray.wait(flying)
        answer = ray.get(done[0])
        merged, some = (merge(merged, answer) if some else answer), True
    return merged
