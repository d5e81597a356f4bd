"""What the Ray cluster looks like: nodes, what is free on them, which of them are leaving.

The one place that asks Ray for it. Draining nodes and free resources per node are known only to
Ray's private state API, which Ray's own libraries read as well.
"""

import time
from math import inf

import ray
from ray._private import state

from seedcorn.core.scheduling.scaling import Node


def nodes() -> list[Node]:
    """Living nodes, as of now; what is free lags by about a second. Blocks for milliseconds."""
    free = state.available_resources_per_node()
    leaving = state.state.get_draining_nodes()
    return [
        Node(
            id=node["NodeID"],
            free=free.get(node["NodeID"], {}),
            total=node["Resources"],
            labels=node["Labels"],
            leaves_in=_seconds_left(leaving.get(node["NodeID"])),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def _seconds_left(deadline_ms: int | None) -> float | None:
    """Seconds until a draining node goes; None for a node that stays."""
    if deadline_ms is None:
        return None
    return max(0.0, deadline_ms / 1000 - time.time()) if deadline_ms else inf
