"""What KubeRay 1.7 refuses: its definitions, made closed, and the rules its controller adds.

The rules are those of `ValidateRayJobSpec`, `ValidateRayClusterSpec`, `ValidateRayCronJobSpec` and of
the definitions' CEL expressions, told again; each has a name, so that a planted mistake fails by it.
"""

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.structure import Problem, Schema, structural

CRDS = Path(__file__).parent / "crds"
FILES = {"RayJob": "ray.io_rayjobs.yaml", "RayCronJob": "ray.io_raycronjobs.yaml"}
DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST_NAME = 47
TICK = "-00000000"
"""What RayCronJob, and a CronJob's Job, append to a name."""
DELETIONS = ("DeleteWorkers", "DeleteCluster", "DeleteSelf")
"""In the order in which they may happen."""
RAY_WITH_TOKENS = (2, 52)
Tree = dict[str, Any]


@functools.cache
def schema(kind: str) -> Schema:
    """The v1 schema of a KubeRay kind."""
    text = (CRDS / FILES[kind]).read_bytes()
    definition = yaml.load(text, Loader=yaml.CSafeLoader)
    versions = {item["name"]: item for item in definition["spec"]["versions"]}
    return versions["v1"]["schema"]["openAPIV3Schema"]


def problems(tree: Tree) -> list[Problem]:
    """All that KubeRay would refuse, or drop, of a RayJob or RayCronJob."""
    found = list(structural(schema(tree["kind"]), tree))
    if found:  # The rules below read what the schema promises.
        return found
    name, suffix = tree["metadata"]["name"], ""
    spec = tree["spec"]
    if tree["kind"] == "RayCronJob":
        spec, suffix = spec["jobTemplate"], TICK
        found += _schedule(tree["spec"]["schedule"])
    if not DNS_1035.fullmatch(name):
        found.append(Problem("dns_1035", "metadata.name", f"{name!r} is not a DNS-1035 label"))
    if len(name + suffix) > LONGEST_NAME:
        found.append(Problem("name_length", "metadata.name", f"{name!r} is too long"))
    return found + [
        Problem(rule.__name__, "spec", text) for rule in JOB_RULES for text in rule(spec)
    ]


def _schedule(schedule: str) -> Iterator[Problem]:
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    parts = schedule.split()
    if len(parts) != len(bounds):
        yield Problem("schedule", "spec.schedule", f"{schedule!r} has not five fields")
        return
    for part, (low, high) in zip(parts, bounds, strict=True):
        if not all(low <= int(number) <= high for number in re.findall(r"\d+", part)):
            yield Problem("schedule", "spec.schedule", f"{part!r} is not in {low} to {high}")


Rule = Callable[[Tree], Iterator[str]]


def suspend_needs_shutdown(spec: Tree) -> Iterator[str]:
    """A suspended job gives its cluster back, so it must be allowed to."""
    if spec.get("suspend") and not spec.get("shutdownAfterJobFinishes"):
        yield "suspend without shutdownAfterJobFinishes"


def suspend_needs_own_cluster(spec: Tree) -> Iterator[str]:
    """A chosen cluster belongs to others."""
    if spec.get("suspend") and spec.get("clusterSelector"):
        yield "suspend with clusterSelector"


def ttl_needs_shutdown(spec: Tree) -> Iterator[str]:
    """A time to live of nothing."""
    if spec.get("ttlSecondsAfterFinished", 0) < 0:
        yield "ttlSecondsAfterFinished is negative"
    if spec.get("ttlSecondsAfterFinished", 0) > 0 and not spec.get("shutdownAfterJobFinishes"):
        yield "ttlSecondsAfterFinished without shutdownAfterJobFinishes"


def one_cluster(spec: Tree) -> Iterator[str]:
    """A cluster of its own or a chosen one, with a name."""
    selector = spec.get("clusterSelector")
    if not selector and "rayClusterSpec" not in spec:
        yield "neither rayClusterSpec nor clusterSelector"
    if selector and not selector.get("ray.io/cluster"):
        yield "clusterSelector names no ray.io/cluster"


def retries(spec: Tree) -> Iterator[str]:
    """A retry is a new cluster."""
    limit = spec.get("backoffLimit", 0)
    if limit < 0:
        yield "backoffLimit is negative"
    if limit and spec.get("clusterSelector"):
        yield "backoffLimit with clusterSelector"
    if limit and spec.get("submissionMode") == "InteractiveMode":
        yield "backoffLimit with InteractiveMode"


def submission_modes(spec: Tree) -> Iterator[str]:
    """The values are not in the schema; the sidecar brings its own submitter."""
    mode = spec.get("submissionMode", "K8sJobMode")
    if mode not in ("K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode"):
        yield f"no submissionMode {mode!r}"
    if mode != "SidecarMode":
        return
    for name in ("clusterSelector", "submitterPodTemplate", "submitterConfig"):
        if spec.get(name):
            yield f"SidecarMode with {name}"
    for pod in _pods(spec)[:1]:
        if pod.get("restartPolicy", "Never") != "Never":
            yield "SidecarMode with a head that restarts"


def deadlines(spec: Tree) -> Iterator[str]:
    """Both count from now on."""
    for name in ("activeDeadlineSeconds", "preRunningDeadlineSeconds"):
        if spec.get(name, 1) <= 0:
            yield f"{name} is not positive"


def deletion(spec: Tree) -> Iterator[str]:
    """Rules or the older pair, never beside shutdown, in the order workers, cluster, job."""
    strategy = spec.get("deletionStrategy")
    if strategy is None:
        return
    rules, legacy = strategy.get("deletionRules"), {"onSuccess", "onFailure"} & strategy.keys()
    if rules and legacy:
        yield "deletionRules beside onSuccess or onFailure"
    if not rules and len(legacy) < 2:
        yield "deletionStrategy needs deletionRules, or both onSuccess and onFailure"
    if rules and spec.get("shutdownAfterJobFinishes"):
        yield "deletionRules with shutdownAfterJobFinishes"
    yield from _deletion_rules(spec, rules or [])


def _deletion_rules(spec: Tree, rules: list[Tree]) -> Iterator[str]:
    seconds: dict[tuple[str, str], int] = {}
    for rule in rules:
        policy, condition = rule["policy"], rule["condition"]
        if ("jobStatus" in condition) == ("jobDeploymentStatus" in condition):
            yield f"{policy}: one of jobStatus and jobDeploymentStatus"
        status = condition.get("jobStatus") or condition.get("jobDeploymentStatus", "")
        if policy == "DeleteWorkers" and _autoscaled(spec):
            yield "DeleteWorkers with the autoscaler"
        if policy in ("DeleteWorkers", "DeleteCluster") and spec.get("clusterSelector"):
            yield f"{policy} with clusterSelector"
        if (status, policy) in seconds:
            yield f"{policy} twice for {status}"
        seconds[status, policy] = condition.get("ttlSeconds", 0)
    for status in {status for status, _ in seconds}:
        times = [seconds[status, name] for name in DELETIONS if (status, name) in seconds]
        if times != sorted(times):
            yield f"{status}: the job would be deleted before its cluster"


def containers_exist(spec: Tree) -> Iterator[str]:
    """Each group has a Ray container, its first."""
    if any(not pod["containers"] for pod in _pods(spec)):
        yield "a group without a container"


def group_resources(spec: Tree) -> Iterator[str]:
    """Ray's resources are said in one place."""
    for group in _groups(spec):
        params = group.get("rayStartParams", {})
        if group.get("resources") and params.keys() & {
            "num-cpus",
            "num-gpus",
            "memory",
            "resources",
        }:
            yield "resources both in rayStartParams and in the group"
        if "labels" in params:
            yield "rayStartParams.labels; use the group's labels"


def group_sizes(spec: Tree) -> Iterator[str]:
    """The autoscaler moves within bounds."""
    for group in _groups(spec)[1:]:
        if not group["minReplicas"] <= group.get("replicas", 0) <= group["maxReplicas"]:
            yield f"{group['groupName']}: minReplicas ≤ replicas ≤ maxReplicas does not hold"


def autoscaler(spec: Tree) -> Iterator[str]:
    """Version 2 replaces pods itself, and its version is said once."""
    cluster = spec.get("rayClusterSpec", {})
    told = any(
        item["name"] == "RAY_enable_autoscaler_v2"
        for pod in _pods(spec)[:1]
        for item in pod["containers"][0].get("env", [])
    )
    if not _autoscaled(spec):
        if told:
            yield "RAY_enable_autoscaler_v2 without enableInTreeAutoscaling"
        return
    if told and cluster.get("autoscalerOptions", {}).get("version"):
        yield "autoscalerOptions.version beside RAY_enable_autoscaler_v2"
    if any(pod.get("restartPolicy", "Never") != "Never" for pod in _pods(spec)):
        yield "autoscaler v2 with pods that restart by themselves"
    if any(group.get("suspend") for group in _groups(spec)):
        yield "a suspended group with the autoscaler"
    v1 = cluster.get("autoscalerOptions", {}).get("version") == "v1"
    if v1 and any("idleTimeoutSeconds" in group for group in _groups(spec)):
        yield "a group's idleTimeoutSeconds needs autoscaler v2"


def tokens(spec: Tree) -> Iterator[str]:
    """Token authentication needs a Ray that knows it; Kubernetes' own tokens do not reach a job."""
    cluster = spec.get("rayClusterSpec", {})
    options = cluster.get("authOptions", {})
    if options.get("enableK8sTokenAuth"):
        yield "enableK8sTokenAuth is not supported for a RayJob"
    if options.get("mode") != "token":
        return
    version = re.match(r"(\d+)\.(\d+)\.", cluster.get("rayVersion", ""))
    if version is None or tuple(map(int, version.groups())) < RAY_WITH_TOKENS:
        yield f"tokens need rayVersion 2.52 or later, not {cluster.get('rayVersion', '')!r}"


def fault_tolerance(spec: Tree) -> Iterator[str]:
    """Redis is switched on by its own options only."""
    cluster = spec.get("rayClusterSpec", {})
    names = {
        item["name"] for pod in _pods(spec)[:1] for item in pod["containers"][0].get("env", [])
    }
    if "RAY_REDIS_ADDRESS" in names or "REDIS_USERNAME" in names:
        yield "Redis by environment; use gcsFaultToleranceOptions"
    if "redis-username" in cluster.get("headGroupSpec", {}).get("rayStartParams", {}):
        yield "rayStartParams.redis-username; use gcsFaultToleranceOptions"


def runtime_env(spec: Tree) -> Iterator[str]:
    """Text that the controller parses."""
    try:
        parsed = yaml.safe_load(spec.get("runtimeEnvYAML", ""))
    except yaml.YAMLError as error:
        yield f"runtimeEnvYAML: {error}"
        return
    if parsed is not None and not isinstance(parsed, dict):
        yield "runtimeEnvYAML is no mapping"


def managed_by(spec: Tree) -> Iterator[str]:
    """KubeRay itself, or Kueue for several clusters."""
    if spec.get("managedBy", "ray.io/kuberay-operator") not in (
        "ray.io/kuberay-operator",
        "kueue.x-k8s.io/multikueue",
    ):
        yield f"managedBy {spec['managedBy']!r}"


JOB_RULES: tuple[Rule, ...] = (
    suspend_needs_shutdown,
    suspend_needs_own_cluster,
    ttl_needs_shutdown,
    one_cluster,
    retries,
    submission_modes,
    deadlines,
    deletion,
    containers_exist,
    group_resources,
    group_sizes,
    autoscaler,
    tokens,
    fault_tolerance,
    runtime_env,
    managed_by,
)


def _groups(spec: Tree) -> list[Tree]:
    """Head first, then the workers' groups."""
    cluster = spec.get("rayClusterSpec")
    return [cluster["headGroupSpec"], *cluster.get("workerGroupSpecs", [])] if cluster else []


def _pods(spec: Tree) -> list[Tree]:
    return [group["template"]["spec"] for group in _groups(spec)]


def _autoscaled(spec: Tree) -> bool:
    return bool(spec.get("rayClusterSpec", {}).get("enableInTreeAutoscaling"))
