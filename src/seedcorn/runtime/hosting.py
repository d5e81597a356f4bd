"""Picks where the processes of a run live, and imports only what that takes."""

from contextlib import AbstractContextManager

from seedcorn.core.recipe import EngineSpec, RunSpec
from seedcorn.runtime.driver.ports import Cluster


def open_cluster(run: RunSpec, engine: EngineSpec) -> AbstractContextManager[Cluster]:
    """The `Host` that a recipe names: Ray, or this process.

    Entering it raises RunStopped where Ray cannot be reached or has no room.
    """
    if run.on_ray:
        from seedcorn.runtime.ray.actors import ray_cluster

        return ray_cluster(run, engine)
    from seedcorn.runtime.local.cluster import local_cluster

    return local_cluster(run, engine)
