"""Picks where the processes of a run live."""

from contextlib import AbstractContextManager

from seedcorn.core.recipe import Recipe
from seedcorn.runtime.driver.ports import Cluster


def open_cluster(recipe: Recipe) -> AbstractContextManager[Cluster]:
    """The cluster that the recipe names, connected to inside the `with`; raises RunStopped."""
    from seedcorn.runtime.ray.actors import ray_cluster

    return ray_cluster(recipe)
