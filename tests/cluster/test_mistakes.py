"""Planted mistakes: each must fail, by the name of the rule that knows it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import kinds, policy

PLAIN = Path(__file__).parents[2] / "cluster" / "kubernetes" / "plain"
Tree = dict[str, Any]
Change = Callable[[Tree], object]


def job(tree: Tree) -> Tree:
    return tree["spec"].get("jobTemplate", tree["spec"])


def ray(tree: Tree) -> Tree:
    return job(tree)["rayClusterSpec"]


def head(tree: Tree) -> Tree:
    return ray(tree)["headGroupSpec"]["template"]["spec"]


def worker(tree: Tree) -> Tree:
    return ray(tree)["workerGroupSpecs"][0]["template"]["spec"]


def starter(tree: Tree) -> Tree:
    return tree["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def put(place: Tree, **values: object) -> None:
    place.update(values)


RULES = {"policy": "DeleteWorkers", "condition": {"jobStatus": "FAILED", "ttlSeconds": 5}}
EARLY = [
    {"policy": "DeleteCluster", "condition": {"jobStatus": "FAILED", "ttlSeconds": 9}},
    {"policy": "DeleteSelf", "condition": {"jobStatus": "FAILED", "ttlSeconds": 5}},
]
BOTH = [
    {"policy": "DeleteSelf", "condition": {"jobStatus": "FAILED", "jobDeploymentStatus": "Failed"}}
]

KUBERAY: list[tuple[str, str, Change]] = [
    ("misspelt field", "unknown_field", lambda t: put(job(t), ttlSecondAfterFinished=5)),
    ("misspelt field deep inside", "unknown_field", lambda t: put(worker(t), tolerationz=[])),
    ("misspelt metadata", "unknown_field", lambda t: put(t["metadata"], lables={})),
    ("wrong type", "type", lambda t: put(job(t), backoffLimit="3")),
    ("truth for a number", "type", lambda t: put(job(t), backoffLimit=True)),
    ("no such value", "enum", lambda t: put(ray(t)["autoscalerOptions"], version="v3")),
    ("missing template", "required", lambda t: ray(t)["headGroupSpec"].pop("template")),
    ("not a quantity", "pattern", lambda t: put(limits(worker(t)), memory="lots")),
    ("two ports of one name", "duplicate_key", lambda t: double_port(head(t))),
    (
        "TTL without shutdown",
        "ttl_needs_shutdown",
        lambda t: job(t).pop("shutdownAfterJobFinishes"),
    ),
    (
        "suspend without shutdown",
        "suspend_needs_shutdown",
        lambda t: put(job(t), suspend=True, shutdownAfterJobFinishes=False),
    ),
    (
        "suspend of a shared cluster",
        "suspend_needs_own_cluster",
        lambda t: put(job(t), suspend=True, clusterSelector={"ray.io/cluster": "c"}),
    ),
    ("no cluster at all", "one_cluster", lambda t: job(t).pop("rayClusterSpec")),
    ("a nameless cluster", "one_cluster", lambda t: put(job(t), clusterSelector={"app": "c"})),
    (
        "retries on a shared cluster",
        "retries",
        lambda t: put(job(t), clusterSelector={"ray.io/cluster": "c"}),
    ),
    ("retries by hand", "retries", lambda t: put(job(t), submissionMode="InteractiveMode")),
    (
        "sidecar with a submitter",
        "submission_modes",
        lambda t: put(job(t), submissionMode="SidecarMode"),
    ),
    ("unknown submission", "submission_modes", lambda t: put(job(t), submissionMode="Carrier")),
    ("deadline of nothing", "deadlines", lambda t: put(job(t), activeDeadlineSeconds=0)),
    (
        "rules beside shutdown",
        "deletion",
        lambda t: put(job(t), deletionStrategy={"deletionRules": EARLY}),
    ),
    (
        "workers deleted under the autoscaler",
        "deletion",
        lambda t: put(job(t), deletionStrategy={"deletionRules": [RULES]}),
    ),
    (
        "job deleted before its cluster",
        "deletion",
        lambda t: put(
            job(t), shutdownAfterJobFinishes=False, deletionStrategy={"deletionRules": EARLY}
        ),
    ),
    (
        "two conditions in one",
        "deletion",
        lambda t: put(job(t), deletionStrategy={"deletionRules": BOTH}),
    ),
    (
        "half a strategy",
        "deletion",
        lambda t: put(job(t), deletionStrategy={"onSuccess": {"policy": "DeleteSelf"}}),
    ),
    ("no container", "containers_exist", lambda t: worker(t).update(containers=[])),
    (
        "resources said twice",
        "group_resources",
        lambda t: put(ray(t)["headGroupSpec"], resources={"CPU": "1"}),
    ),
    (
        "more workers at least than at most",
        "group_sizes",
        lambda t: put(ray(t)["workerGroupSpecs"][0], minReplicas=9),
    ),
    (
        "pods that restart under autoscaler v2",
        "autoscaler",
        lambda t: put(worker(t), restartPolicy="Always"),
    ),
    (
        "autoscaler version said twice",
        "autoscaler",
        lambda t: env(head(t)).append({"name": "RAY_enable_autoscaler_v2", "value": "1"}),
    ),
    ("token for an old Ray", "tokens", lambda t: put(ray(t), rayVersion="2.40.0")),
    ("token for a Ray unknown", "tokens", lambda t: ray(t).pop("rayVersion")),
    (
        "Kubernetes' own tokens",
        "tokens",
        lambda t: put(ray(t)["authOptions"], enableK8sTokenAuth=True),
    ),
    (
        "Redis by environment",
        "fault_tolerance",
        lambda t: env(head(t)).append({"name": "RAY_REDIS_ADDRESS", "value": "r"}),
    ),
    (
        "runtime environment that is no YAML",
        "runtime_env",
        lambda t: put(job(t), runtimeEnvYAML="a: ["),
    ),
    ("managed by a stranger", "managed_by", lambda t: put(job(t), managedBy="someone")),
    ("name with a dot", "dns_1035", lambda t: put(t["metadata"], name="seed.corn")),
    ("name too long", "name_length", lambda t: put(t["metadata"], name="s" * 48)),
]

OURS: list[tuple[str, str, str, Change]] = [
    ("missing resources", "resources", "RayJob", lambda t: containers(worker(t))[0].pop("resources")),
    ("no limits", "resources", "RayJob", lambda t: containers(head(t))[0]["resources"].pop("limits")),
    ("autoscaler without limits", "resources", "RayJob", lambda t: ray(t)["autoscalerOptions"].pop("resources")),
    ("root user", "root", "RayJob", lambda t: put(worker(t)["securityContext"], runAsUser=0)),
    ("root container", "root", "RayJob", lambda t: put(confinement(head(t)), runAsUser=0)),
    ("root by silence", "root", "CronJob", lambda t: starter(t).pop("securityContext")),
    ("privileged", "root", "RayJob", lambda t: put(confinement(worker(t)), privileged=True)),
    ("capabilities kept", "root", "RayJob", lambda t: confinement(head(t)).pop("capabilities")),
    ("host network", "root", "RayJob", lambda t: put(head(t), hostNetwork=True)),
    ("host path", "root", "RayJob", lambda t: worker(t)["volumes"].append({"name": "h", "hostPath": {"path": "/"}})),
    ("secret in plain text", "secret_in_plain_text", "RayJob", lambda t: env(head(t)).append({"name": "AWS_SECRET_ACCESS_KEY", "value": "x"})),
    ("secret in the runtime environment", "secret_in_plain_text", "RayJob", lambda t: put(job(t), runtimeEnvYAML=job(t)["runtimeEnvYAML"] + "  HF_TOKEN: x\n")),
    ("key in the corpus' address", "secret_in_plain_text", "RayJob", lambda t: put(job(t), entrypoint="seedcorn grow a.yaml corpus=s3://key:word@b/c")),
    ("listening address", "listening_address", "RayJob", lambda t: put(ray(t)["headGroupSpec"]["rayStartParams"], **{"dashboard-host": "0.0.0.0"})),
    ("listening load balancer", "listening_address", "RayJob", lambda t: put(ray(t)["headGroupSpec"], serviceType="LoadBalancer")),
    ("port of the host", "listening_address", "RayJob", lambda t: put(containers(head(t))[0]["ports"][0], hostPort=6379)),
    ("image latest", "image_tag", "RayJob", lambda t: put(containers(worker(t))[0], image="registry.example:5000/seedcorn:latest")),
    ("image without a tag", "image_tag", "CronJob", lambda t: put(containers(starter(t))[0], image="registry.example:5000/seedcorn")),
    ("grace period shorter than the drain", "grace", "RayJob", lambda t: put(worker(t), terminationGracePeriodSeconds=60)),
    ("grace period unsaid", "grace", "RayJob", lambda t: head(t).pop("terminationGracePeriodSeconds")),
    ("job stop of three seconds", "grace", "RayJob", lambda t: job(t).pop("runtimeEnvYAML")),
    ("no token", "token", "RayJob", lambda t: put(ray(t), authOptions={"mode": "disabled"})),
    ("service account in a worker", "account_token", "RayJob", lambda t: worker(t).pop("automountServiceAccountToken")),
    ("cluster that outlives its job", "cluster_ends", "RayJob", lambda t: job(t).pop("shutdownAfterJobFinishes")),
    ("no retry", "cluster_ends", "RayJob", lambda t: put(job(t), backoffLimit=0)),
    ("quotes between two shells", "entrypoint", "RayJob", lambda t: put(job(t), entrypoint="bash -c 'seedcorn night a.yaml || true'")),
    ("another command", "entrypoint", "RayJob", lambda t: put(job(t), entrypoint="python train.py")),
    ("night that fails when busy", "entrypoint", "RayJob", lambda t: put(job(t), entrypoint="seedcorn night a.yaml corpus=b")),
    ("concurrencyPolicy Allow", "cron", "CronJob", lambda t: put(t["spec"], concurrencyPolicy="Allow")),
    ("night with too long a name", "cron", "CronJob", lambda t: put(t["metadata"], name="n" * 40)),
    ("zone unsaid", "cron", "CronJob", lambda t: t["spec"].pop("timeZone")),
    ("template that runs by itself", "cron", "RayJob", lambda t: job(t).pop("suspend")),
    ("Job shorter than its night", "cron", "CronJob", lambda t: put(t["spec"]["jobTemplate"]["spec"], activeDeadlineSeconds=60)),
    ("RBAC for all verbs", "rbac", "Role", lambda t: put(t["rules"][0], verbs=["*"])),
    ("RBAC for secrets", "rbac", "Role", lambda t: t["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})),
    ("RBAC for the whole cluster", "rbac", "RoleBinding", lambda t: put(t["roleRef"], kind="ClusterRole", name="edit")),
    ("RBAC for everybody", "rbac", "RoleBinding", lambda t: t.update(subjects=[{"kind": "Group", "name": "system:authenticated"}])),
    ("pods that no policy holds", "covered", "NetworkPolicy", lambda t: put(t["spec"]["podSelector"], matchLabels={"app": "other"})),
]  # fmt: skip


def containers(pod: Tree) -> list[Tree]:
    return pod["containers"]


def env(pod: Tree) -> list[Tree]:
    return containers(pod)[0]["env"]


def limits(pod: Tree) -> Tree:
    return containers(pod)[0]["resources"]["limits"]


def confinement(pod: Tree) -> Tree:
    return containers(pod)[0]["securityContext"]


def double_port(pod: Tree) -> None:
    ports = containers(pod)[0]["ports"]
    ports.append(dict(ports[0], name="again"))


def shipped(use: str) -> list[Tree]:
    return list(yaml.safe_load_all((PLAIN / f"{use}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("rule", "change"), [c[1:] for c in KUBERAY], ids=[c[0] for c in KUBERAY])
def test_mistake_that_kuberay_refuses_fails_by_name(rule: str, change: Change) -> None:
    tree = next(tree for tree in shipped("gpu") if tree["kind"] == "RayJob")
    assert kinds.problems(tree) == []
    broken = copy.deepcopy(tree)
    change(broken)
    assert rule in {problem.rule for problem in kinds.problems(broken)}


@pytest.mark.parametrize(
    ("rule", "kind", "change"), [c[1:] for c in OURS], ids=[c[0] for c in OURS]
)
def test_mistake_that_we_refuse_fails_by_name_and_alone(
    rule: str, kind: str, change: Change
) -> None:
    trees = shipped("nightly")
    assert policy.problems(trees) == []
    broken = copy.deepcopy(trees)
    change(next(tree for tree in broken if tree["kind"] == kind))
    assert {problem.rule for problem in policy.problems(broken)} == {rule}


@pytest.mark.parametrize("place", ["spec", "jobTemplate", "rules", "subjects"])
def test_misspelt_field_of_other_kinds_fails(place: str) -> None:
    for tree in shipped("nightly"):
        if tree["kind"] in ("CronJob", "Role", "RoleBinding") and place in {
            **tree,
            **tree.get("spec", {}),
        }:
            found = {**tree, **tree.get("spec", {})}[place]
            put(found[0] if isinstance(found, list) else found, verb=["get"])
            assert [p.rule for p in kinds.problems(tree)] == ["unknown_field"]
            return
    pytest.fail(f"no manifest has {place}")


def test_secret_or_cluster_role_among_the_manifests_fails() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "seedcorn"},
    }
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r", "namespace": "seedcorn"},
    }
    found = {problem.rule for problem in policy.problems([*shipped("nightly"), secret, role])}
    assert found == {"secret_in_plain_text", "rbac"}
    assert [p.rule for p in kinds.problems(secret)] == ["kind"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda t: put(t["spec"], schedule="61 1 * * *"), "schedule"),
        (lambda t: put(t["spec"], schedule="1 * * *"), "schedule"),
        (lambda t: put(t["metadata"], name="n" * 40), "name_length"),
        (lambda t: put(t["spec"], concurrencyPolicy="Forbid"), "unknown_field"),
        (lambda t: put(job(t), ttlSecondsAfterFinished=5), "ttl_needs_shutdown"),
        (lambda t: put(job(t), shutdownAfterJobFinishes=True), "deletion"),
    ],
)
def test_mistake_in_a_ray_cron_job_fails_by_name(change: Change, rule: str) -> None:
    tree = shipped("raycronjob")[-1]
    change(tree)
    assert rule in {problem.rule for problem in kinds.problems(tree)}
