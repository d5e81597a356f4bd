"""Pods as Kubernetes wants them. Invariant: none runs as root, each says what it needs, a secret is
named and never written."""

from typing import Any

from cluster.generator.settings import Settings

Tree = dict[str, Any]
USER = 1000
"""User and group in the image."""
HOME = "/home/seedcorn"
RECIPES = "/etc/seedcorn"
"""Where recipes of your own appear: the optional ConfigMap `seedcorn-recipes`."""
LABELS = {"app": "seedcorn"}


def locked_down() -> Tree:
    """The security context of every container: what Pod Security calls `restricted`."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def pod_security() -> Tree:
    """The security context of every pod."""
    return {
        "fsGroup": USER,
        "runAsGroup": USER,
        "runAsNonRoot": True,
        "runAsUser": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(cpus: int | str, memory: str, gpus: int = 0) -> Tree:
    """Requests equal limits, so that nothing is evicted for what it was promised."""
    wanted: Tree = {"cpu": str(cpus), "memory": memory}
    if gpus:
        wanted["nvidia.com/gpu"] = gpus
    return {"limits": dict(wanted), "requests": dict(wanted)}


def environment(settings: Settings) -> list[Tree]:
    """What every Ray node is told. The drain is Ray's, and shorter than the pod's grace period."""
    told = {
        "HF_HOME": f"{HOME}/huggingface",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": str(settings.drain_s),
        "RAY_USAGE_STATS_ENABLED": "0",
        "VLLM_NO_USAGE_STATS": "1",
    }
    return [{"name": name, "value": value} for name, value in told.items()]


def secrets(settings: Settings) -> list[Tree]:
    """Credentials, by reference."""
    return [
        {"secretRef": {"name": settings.s3_secret}},
        {"secretRef": {"name": settings.hub_secret, "optional": True}},
    ]


def ray_pod(settings: Settings, name: str, image: str, needs: Tree) -> Tree:
    """The template of a head or worker pod; `needs` are its container's resources."""
    container: Tree = {
        "env": environment(settings),
        "envFrom": secrets(settings),
        "image": image,
        "name": name,
        "resources": needs,
        "securityContext": locked_down(),
        "volumeMounts": [
            {"mountPath": HOME, "name": "home"},
            {"mountPath": RECIPES, "name": "recipes", "readOnly": True},
        ],
    }
    spec: Tree = {
        "containers": [container],
        "securityContext": pod_security(),
        "terminationGracePeriodSeconds": settings.grace_s,
        "volumes": [
            # Models, Ray's session and compiled kernels; a claim here keeps models between jobs.
            {"emptyDir": {}, "name": "home"},
            {"configMap": {"name": "seedcorn-recipes", "optional": True}, "name": "recipes"},
        ],
    }
    return {"metadata": {"labels": dict(LABELS)}, "spec": spec}


def head_pod(settings: Settings, image: str) -> Tree:
    """Driver, dashboard and autoscaler. The autoscaler needs the API, hence a token."""
    pod = ray_pod(settings, "ray-head", image, resources(settings.head_cpus, settings.head_memory))
    pod["spec"]["containers"][0]["ports"] = [
        {"containerPort": 6379, "name": "gcs-server"},
        {"containerPort": 8265, "name": "dashboard"},
        {"containerPort": 10001, "name": "client"},
        {"containerPort": 8080, "name": "metrics"},
    ]
    return pod


def worker_pod(settings: Settings, image: str, needs: Tree) -> Tree:
    """One engine worker. It has no business with the Kubernetes API."""
    pod = ray_pod(settings, "ray-worker", image, needs)
    pod["spec"]["automountServiceAccountToken"] = False
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "name": "metrics"}]
    return pod


def submitter_pod(image: str) -> Tree:
    """Hands the job to the cluster and streams its log to stdout: `kubectl logs -f job/…`."""
    return {
        "metadata": {"labels": dict(LABELS)},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "image": image,
                    "name": "ray-job-submitter",
                    "resources": resources("500m", "1Gi"),
                    "securityContext": locked_down(),
                }
            ],
            "restartPolicy": "Never",
            "securityContext": pod_security(),
        },
    }
