"""How many engine workers a cluster holds: room on its nodes, and when to follow a change.

Pure: nodes come in as values, decisions go out as numbers. What is free on a node already leaves out
whatever others use, so an engine is started only where it can live. Growing waits until two looks
agree, because what Ray reports lags behind what was just placed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, inf

from seedcorn.core.figures import counted
from seedcorn.core.recipe.engine import EngineSpec

GRACE_S = 60.0
"""How long a worker may wait for a place that nobody has before `auto` takes it back."""
TINY = 1e-6
"""Below Ray's own granularity of 1/10,000: ten times a tenth of a GPU fits into one."""
MOST = 10_000
"""Engines counted at most; a recipe that keeps more busy does not exist."""


@dataclass(frozen=True, slots=True)
class Node:
    """One living node as the cluster reports it."""

    id: str
    free: Mapping[str, float] = field(default_factory=dict)
    """Resources nobody holds, in Ray's units: `CPU`, `GPU`."""
    total: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    leaves_in: float | None = None
    """Seconds until a draining node goes, infinite without a deadline; None: it stays."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one engine asks for: bundles of resources, each within one node."""

    bundles: tuple[Mapping[str, float], ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that its nodes must carry, in Ray's selector syntax."""

    @property
    def whole(self) -> dict[str, float]:
        """All bundles together."""
        names = {name for bundle in self.bundles for name in bundle}
        return {name: sum(bundle.get(name, 0) for bundle in self.bundles) for name in names}


@dataclass(frozen=True, slots=True)
class Look:
    """What a crew looks like beside the cluster, at one moment."""

    room: int
    """Further engines that what is free now would hold."""
    placed: int
    """Workers that have a place."""
    waiting: int
    """Workers that do not, back-off included."""
    stuck: int = 0
    """Those among `waiting` that have asked for longer than `GRACE_S`."""
    given_up: int = 0
    """Places on which an engine failed for good; they are free, and of no use."""


@dataclass(slots=True)
class Scaler:
    """Follows the cluster for `workers: auto`."""

    most: int
    """Workers that the recipe's window keeps busy."""
    _before: int | None = None

    def change(self, look: Look) -> int:
        """Workers to start, or as a negative number waiting ones to take back.

        One worker is asked for even where there is no room: an autoscaler adds nodes for what
        waits, and someone has to say what is missing.
        """
        before, self._before = self._before, look.room
        room = look.room if before is None else min(before, look.room)
        current = look.placed + look.waiting
        fresh = min(room - look.waiting - look.given_up, self.most - current)
        if fresh > 0:
            return fresh
        if current == 0:
            return 1
        return -min(max(0, look.stuck - look.room), current - 1)


def need_of(spec: EngineSpec) -> Need:
    """What Ray is asked for, for one engine of this recipe."""
    one: dict[str, float] = {"CPU": spec.cpus_per_worker, "GPU": spec.gpus_per_worker}
    if not spec.spans_nodes:
        one["GPU"] *= spec.devices
        return Need((_asked(one),), spec.node_labels)
    # vLLM wants one GPU per bundle; its engine process sits in the first and takes the cores.
    rest = {"GPU": spec.gpus_per_worker}
    return Need((_asked(one), *([_asked(rest)] * (spec.devices - 1))), spec.node_labels)


def room(nodes: Sequence[Node], need: Need) -> int:
    """Engines that fit into what is free on nodes that stay and carry the labels; at most MOST."""
    usable = [
        node for node in nodes if node.leaves_in is None and matches(node.labels, need.labels)
    ]
    if len(need.bundles) == 1:
        return min(MOST, sum(_times(node.free, need.bundles[0]) for node in usable))
    free = [dict(node.free) for node in usable]
    count = 0
    while count < MOST and _take(free, need.bundles):
        count += 1
    return count


def missing(nodes: Sequence[Node], need: Need, workers: int) -> str:
    """One sentence for a person about workers that wait: what for, and what there is."""
    fit = [node for node in nodes if matches(node.labels, need.labels)]
    staying = [node for node in fit if node.leaves_in is None]
    who = "1 worker waits" if workers == 1 else f"{workers} workers wait"
    each = " each" if workers > 1 else ""
    where = _labelled(need.labels)
    has = " and ".join(
        f"{_sum(staying, name, 'free'):g} of {_amount(name, _sum(staying, name, 'total'))} free"
        for name in sorted(need.whole, reverse=True)
    )
    text = (
        f"{who} for {amounts(need.whole)}{each}{where}: the cluster has {has or 'nothing'} on "
        f"{counted(len(staying), 'node')}"
    )
    if where:
        text += f" with such labels, of {len(nodes)}"
    if leaving := len(fit) - len(staying):
        text += f" ({counted(leaving, 'node')} draining)"
    empty = [Node(n.id, n.total, n.total, n.labels, n.leaves_in) for n in staying]
    if room(empty, need) == 0:
        return text + "; it would not fit even if nothing else ran"
    return text + "; the rest is taken, or a process still starts there"


def matches(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether a node's labels satisfy a selector: `v`, `!v`, `in(a,b)`, `!in(a,b)` per key."""
    return all(_accepts(labels.get(key), wanted) for key, wanted in selector.items())


def amounts(resources: Mapping[str, float]) -> str:
    """Resources for a person, the scarcest kind first: `1 GPU and 4 CPUs`."""
    parts = [_amount(name, resources[name]) for name in sorted(resources, reverse=True)]
    return " and ".join(parts) or "nothing"


def _accepts(value: str | None, wanted: str) -> bool:
    if wanted.startswith("!"):
        return value is None or not _accepts(value, wanted[1:])
    if wanted.startswith("in(") and wanted.endswith(")"):
        return value in [item.strip() for item in wanted[3:-1].split(",")]
    return value == wanted


def _asked(resources: Mapping[str, float]) -> dict[str, float]:
    return {name: amount for name, amount in resources.items() if amount > 0}


def _times(free: Mapping[str, float], bundle: Mapping[str, float]) -> int:
    """How often a bundle fits into what is free."""
    least = min((free.get(name, 0.0) / amount for name, amount in bundle.items()), default=inf)
    return MOST if least >= MOST else floor(least + TINY)


def _take(free: list[dict[str, float]], bundles: Sequence[Mapping[str, float]]) -> bool:
    """Take one engine out of what is free, on as few nodes as first fit finds; False: no room."""
    left = [dict(node) for node in free]
    for bundle in bundles:
        place = next((node for node in left if _times(node, bundle) > 0), None)
        if place is None:
            return False
        for name, amount in bundle.items():
            place[name] -= amount
    free[:] = left
    return True


def _sum(nodes: Sequence[Node], name: str, what: str) -> float:
    return sum(getattr(node, what).get(name, 0.0) for node in nodes)


def _amount(name: str, amount: float) -> str:
    return f"{amount:g} {name}" + ("" if amount <= 1 and amount else "s")


def _labelled(labels: Mapping[str, str]) -> str:
    shown = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return f" on nodes labelled {shown}" if shown else ""
