"""Where Ray puts an engine: actor options, and a placement group for one of several parallel parts.

A group belongs to the engine it was made for and is removed with it; Ray itself removes it only
when the driver ends, so until then a forgotten one would hold GPUs that nobody uses.
"""

from dataclasses import dataclass
from typing import Any

from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from seedcorn.core.recipe.engine import EngineSpec
from seedcorn.core.scheduling.scaling import Need, need_of, room
from seedcorn.runtime.ray.cluster_view import nodes


@dataclass(slots=True)
class Placement:
    """Resource options of one engine's actor, and the group they lie in, if any."""

    options: dict[str, Any]
    group: PlacementGroup | None = None

    def remove(self) -> None:
        """Give the group's resources back. Idempotent; the actor in it dies."""
        group, self.group = self.group, None
        if group is not None:
            remove_placement_group(group)


def place(spec: EngineSpec) -> Placement:
    """Ask Ray for a place; whatever is put there may have to wait for it."""
    if spec.devices == 1:
        options: dict[str, Any] = {
            "num_cpus": spec.cpus_per_worker,
            "num_gpus": spec.gpus_per_worker or None,
        }
        return Placement(options | _selector(spec))
    need = _preferred(spec)
    labels = dict(need.labels)
    wanted: dict[str, Any] = {"bundle_label_selector": [labels] * len(need.bundles)}
    group = placement_group(
        [dict(bundle) for bundle in need.bundles],
        strategy="PACK" if spec.spans_nodes else "STRICT_PACK",
        **(wanted if labels else {}),
    )
    # Across nodes vLLM starts one process per bundle itself: this one must not hold a GPU.
    gpus = 0 if spec.spans_nodes else need.bundles[0].get("GPU", 0)
    inside = PlacementGroupSchedulingStrategy(group, 0, placement_group_capture_child_tasks=True)
    options = {"num_cpus": spec.cpus_per_worker, "num_gpus": gpus, "scheduling_strategy": inside}
    return Placement(options, group)


def _preferred(spec: EngineSpec) -> Need:
    """What a group asks for: it knows no fallback, so the preferred labels are added only while
    nodes that carry them have room."""
    need = need_of(spec)
    wanted = Need(need.bundles, {**need.labels, **spec.prefer_labels})
    return wanted if spec.prefer_labels and room(nodes(), wanted) else need


def _selector(spec: EngineSpec) -> dict[str, Any]:
    """Labels of a single actor: Ray itself falls back from the preferred ones."""
    needed, preferred = dict(spec.node_labels), dict(spec.prefer_labels)
    if not preferred:
        return {"label_selector": needed} if needed else {}
    return {
        "label_selector": needed | preferred,
        "fallback_strategy": [{"label_selector": needed}],
    }
