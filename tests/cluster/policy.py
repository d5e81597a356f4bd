"""What we ask of our own manifests beyond what Kubernetes accepts. Each rule has a name."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from tests.cluster.kuberay import LONGEST_NAME
from tests.cluster.structure import Problem

Tree = dict[str, Any]
SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY|CREDENTIAL|API_KEY", re.IGNORECASE)
SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|hf_[A-Za-z0-9]{20,}|://[^/\s:@]+:[^/\s@]+@")
NIGHT = "-00000000-grow"
"""What a tick, and then start-night, append to the CronJob's name."""
WORDS = re.compile(r"[\w ./:=,+@-]+")
"""All that both shells on an entrypoint's way read as themselves."""


def pods(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """Every pod spec of an object, with its role: head, worker, submitter or job."""
    job = _job(tree)
    if tree["kind"] == "CronJob":
        yield "job", tree["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    if job is None:
        return
    cluster = job["rayClusterSpec"]
    yield "head", cluster["headGroupSpec"]["template"]["spec"]
    for group in cluster["workerGroupSpecs"]:
        yield "worker", group["template"]["spec"]
    yield "submitter", job["submitterPodTemplate"]["spec"]


def _job(tree: Tree) -> Tree | None:
    return (
        {"RayJob": tree["spec"], "RayCronJob": tree["spec"].get("jobTemplate")}.get(tree["kind"])
        if "spec" in tree
        else None
    )


def _every_job(trees: list[Tree]) -> Iterator[Tree]:
    yield from (job for job in map(_job, trees) if job is not None)


def _every_pod(trees: list[Tree]) -> Iterator[tuple[str, Tree]]:
    for tree in trees:
        yield from pods(tree)


def resources(trees: list[Tree]) -> Iterator[str]:
    """Every container says what it needs and may not take more; GPUs are asked for as they are held."""
    holders = [c for _, pod in _every_pod(trees) for c in pod["containers"]]
    holders += [job["rayClusterSpec"]["autoscalerOptions"] for job in _every_job(trees)]
    for holder in holders:
        wanted = holder.get("resources", {})
        for end in ("requests", "limits"):
            if not {"cpu", "memory"} <= wanted.get(end, {}).keys():
                yield f"{holder.get('name', 'autoscaler')}: {end} lack cpu or memory"
        gpus = [wanted.get(end, {}).get("nvidia.com/gpu") for end in ("requests", "limits")]
        if gpus[0] != gpus[1]:
            yield f"{holder.get('name')}: GPUs requested and limited differ"


def root(trees: list[Tree]) -> Iterator[str]:
    """What Pod Security calls restricted, for pods and for the container that KubeRay adds."""
    for role, pod in _every_pod(trees):
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
            yield f"{role} may run as root"
        if pod.get("hostNetwork") or pod.get("hostPID") or pod.get("hostIPC"):
            yield f"{role} shares its host's namespaces"
        if any("hostPath" in volume for volume in pod.get("volumes", [])):
            yield f"{role} mounts its host's files"
        yield from (text for c in pod["containers"] for text in _confined(c["name"], c))
    for job in _every_job(trees):
        yield from _confined("autoscaler", job["rayClusterSpec"]["autoscalerOptions"])


def _confined(name: str, container: Tree) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may gain privileges"
    if context.get("runAsUser") == 0 or context.get("runAsNonRoot") is not True:
        yield f"{name} may run as root"
    if context.get("capabilities", {}).get("drop") != ["ALL"]:
        yield f"{name} keeps capabilities"


def secret_in_plain_text(trees: list[Tree]) -> Iterator[str]:
    """Secrets are named; their values are nowhere, and no manifest brings a Secret."""
    for tree in trees:
        if tree["kind"] == "Secret":
            yield "a Secret among the manifests"
        for path, value in _leaves(tree):
            if SECRET_VALUE.search(value):
                yield f"{path} looks like a credential"
    for _, pod in _every_pod(trees):
        env = [item for container in pod["containers"] for item in container.get("env", [])]
        written = [item["name"] for item in env if "value" in item]
        yield from (f"{name} is written out" for name in written if SECRET_NAME.search(name))
    for job in _every_job(trees):
        told = job.get("runtimeEnvYAML", "") + job.get("entrypoint", "")
        if SECRET_NAME.search(told):
            yield "entrypoint or runtimeEnvYAML names a secret"


def listening_address(trees: list[Tree]) -> Iterator[str]:
    """Nothing is opened to the world; Ray's ports are the cluster's own."""
    for tree in trees:
        for path, value in _leaves(tree):
            if re.search(r"(?<![\d.])0\.0\.0\.0(?![\d.])|\[?::\]?$", value):
                yield f"{path} listens everywhere"
    for job in _every_job(trees):
        head = job["rayClusterSpec"]["headGroupSpec"]
        if head.get("enableIngress") or head.get("serviceType", "ClusterIP") != "ClusterIP":
            yield "the head is reachable from outside"
    for _, pod in _every_pod(trees):
        if any("hostPort" in port for c in pod["containers"] for port in c.get("ports", [])):
            yield "a port of the host"


def image_tag(trees: list[Tree]) -> Iterator[str]:
    """An image is the same tomorrow."""
    for _, pod in _every_pod(trees):
        for image in (container["image"] for container in pod["containers"]):
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and tag in ("", "latest"):
                yield f"{image} names no version"


def grace(trees: list[Tree]) -> Iterator[str]:
    """A pod that must go has time for Ray's drain, and a job that is stopped for its own."""
    for job in _every_job(trees):
        told = (yaml.safe_load(job.get("runtimeEnvYAML", "")) or {}).get("env_vars", {})
        stop = int(told.get("RAY_JOB_STOP_WAIT_TIME_S", 3))
        if stop < 30:
            yield "RAY_JOB_STOP_WAIT_TIME_S is too short for a drain"
        cluster = job["rayClusterSpec"]
        groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
        for pod in (group["template"]["spec"] for group in groups):
            env = {item["name"]: item.get("value") for item in pod["containers"][0].get("env", [])}
            drain = int(env.get("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S") or 30)
            if pod.get("terminationGracePeriodSeconds", 30) <= max(drain, stop):
                yield "terminationGracePeriodSeconds is not above the drain"


def token(trees: list[Tree]) -> Iterator[str]:
    """Who reaches Ray's ports runs code; a token is the least."""
    for job in _every_job(trees):
        if job["rayClusterSpec"].get("authOptions", {}).get("mode") != "token":
            yield "no token is asked for"


def account_token(trees: list[Tree]) -> Iterator[str]:
    """Only head (the autoscaler) and the night's starter may talk to Kubernetes."""
    for role, pod in _every_pod(trees):
        if role in ("worker", "submitter") and pod.get("automountServiceAccountToken") is not False:
            yield f"{role} holds a service account's token"


def cluster_ends(trees: list[Tree]) -> Iterator[str]:
    """GPUs are given back whatever happened, and a lost cluster is replaced."""
    for job in _every_job(trees):
        rules = job.get("deletionStrategy", {}).get("deletionRules", [])
        ended = {r["condition"].get("jobStatus") for r in rules if r["policy"] == "DeleteCluster"}
        if not job.get("shutdownAfterJobFinishes") and ended != {"SUCCEEDED", "FAILED"}:
            yield "the cluster outlives its job"
        if job.get("backoffLimit", 0) < 1:
            yield "a lost cluster is not replaced"
        if not job["rayClusterSpec"].get("enableInTreeAutoscaling"):
            yield "idle nodes are kept"


def entrypoint(trees: list[Tree]) -> Iterator[str]:
    """The same command everywhere, in words that no shell on the way changes."""
    for job in _every_job(trees):
        line = job.get("entrypoint", "")
        if not WORDS.fullmatch(line):
            yield f"two shells would read {line!r}"
        if not re.match(r"(seedcorn grow|unless-busy seedcorn night) \S+\.yaml ", line + " "):
            yield f"{line!r} is neither `seedcorn grow RECIPE` nor `unless-busy seedcorn night …`"


def cron(trees: list[Tree]) -> Iterator[str]:
    """One night at a time, in a stated zone; a stale tick is dropped, an old night forgotten."""
    for tree in trees:
        if tree["kind"] != "CronJob":
            continue
        spec = tree["spec"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield "nights may overlap"
        for name in ("timeZone", "startingDeadlineSeconds", "successfulJobsHistoryLimit"):
            if name not in spec:
                yield f"{name} is not stated"
        yield from _night(tree, trees)


def _night(tree: Tree, trees: list[Tree]) -> Iterator[str]:
    name, job = tree["metadata"]["name"], tree["spec"]["jobTemplate"]["spec"]
    night = [t for t in trees if t["kind"] == "RayJob" and t["metadata"]["name"] == name]
    if len(name + NIGHT) > LONGEST_NAME:
        yield "the night's RayJob would have too long a name"
    if not night or night[0]["spec"].get("suspend") is not True:
        yield "the night's template is missing or not suspended"
    elif job.get("activeDeadlineSeconds", 0) <= night[0]["spec"]["activeDeadlineSeconds"]:
        yield "the Job ends before its night"


def rbac(trees: list[Tree]) -> Iterator[str]:
    """Read and create RayJobs in one namespace: no more is needed, so no more is granted."""
    for tree in trees:
        if tree["kind"] in ("ClusterRole", "ClusterRoleBinding"):
            yield f"{tree['kind']} reaches beyond the namespace"
        for rule in tree.get("rules", []) if tree["kind"] == "Role" else []:
            if rule.get("apiGroups") != ["ray.io"] or rule.get("resources") != ["rayjobs"]:
                yield f"{rule} reaches beyond RayJobs"
            if not set(rule["verbs"]) <= {"create", "get"}:
                yield f"{rule['verbs']} is more than create and get"
        if tree["kind"] == "RoleBinding":
            yield from _binding(tree, trees)


def _binding(tree: Tree, trees: list[Tree]) -> Iterator[str]:
    have = {(t["kind"], t["metadata"]["name"], t["metadata"].get("namespace")) for t in trees}
    where = tree["metadata"]["namespace"]
    if ("Role", tree["roleRef"]["name"], where) not in have or tree["roleRef"]["kind"] != "Role":
        yield "bound to a role that is not here"
    for subject in tree["subjects"]:
        if ("ServiceAccount", subject["name"], subject.get("namespace")) not in have:
            yield f"binds {subject}, which is no service account of ours"


def covered(trees: list[Tree]) -> Iterator[str]:
    """One namespace, and a policy that holds every Ray pod in it."""
    if len({t["metadata"].get("namespace") for t in trees if t["kind"] != "Namespace"}) != 1:
        yield "several namespaces"
    chosen = [
        t["spec"]["podSelector"]["matchLabels"].items()
        for t in trees
        if t["kind"] == "NetworkPolicy"
    ]
    for job in _every_job(trees):
        cluster = job["rayClusterSpec"]
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            labels = group["template"].get("metadata", {}).get("labels", {}).items()
            if not any(selector <= labels for selector in chosen):
                yield "a Ray pod that no network policy holds"


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _leaves(value, f"{path}.{name}")
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _leaves(value, f"{path}.{number}")
    elif isinstance(tree, str):
        yield path, tree


RULES: tuple[Callable[[list[Tree]], Iterator[str]], ...] = (
    resources,
    root,
    secret_in_plain_text,
    listening_address,
    image_tag,
    grace,
    token,
    account_token,
    cluster_ends,
    entrypoint,
    cron,
    rbac,
    covered,
)


def problems(trees: list[Tree]) -> list[Problem]:
    """What breaks a rule of ours."""
    return [Problem(rule.__name__, "", text) for rule in RULES for text in rule(trees)]
