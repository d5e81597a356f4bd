"""One `grow` as a KubeRay RayJob: a cluster that comes for the job and goes with it.

Invariant: whatever is lost, a new cluster (`backoffLimit`) runs the same command, which resumes.
"""

from typing import Any

from cluster.generator.containers import (
    Tree,
    head_pod,
    locked_down,
    resources,
    submitter_pod,
    worker_pod,
)
from cluster.generator.settings import Settings

API = "ray.io/v1"
MARKET = "ray.io/market-type"
"""Ray's own node label, for recipes: `engine.prefer_labels`."""


def rayjob(settings: Settings, name: str, image: str, entrypoint: str, groups: list[Tree]) -> Tree:
    """A whole RayJob."""
    return {
        "apiVersion": API,
        "kind": "RayJob",
        "metadata": {"name": name, "namespace": settings.namespace},
        "spec": spec(settings, image, entrypoint, groups),
    }


def spec(settings: Settings, image: str, entrypoint: str, groups: list[Tree]) -> Tree:
    """Its spec. `entrypoint` is read by two shells one after the other, so it has no quotes in it."""
    return {
        "backoffLimit": settings.retries,
        "entrypoint": entrypoint,
        "rayClusterSpec": cluster(settings, image, groups),
        # The job's supervisor reads this: SIGTERM, so many seconds, SIGKILL. Ray's default is 3.
        "runtimeEnvYAML": f'env_vars:\n  RAY_JOB_STOP_WAIT_TIME_S: "{settings.drain_s}"\n',
        "shutdownAfterJobFinishes": True,
        "submissionMode": "K8sJobMode",
        "submitterPodTemplate": submitter_pod(image),
        "ttlSecondsAfterFinished": settings.keep_s,
    }


def cluster(settings: Settings, image: str, groups: list[Tree]) -> Tree:
    """A Ray cluster with a token, an autoscaler, and no engine on the head."""
    return {
        "authOptions": {"mode": "token"},
        "autoscalerOptions": {
            "idleTimeoutSeconds": settings.idle_s,
            "resources": resources("500m", "1Gi"),
            "securityContext": locked_down(),
            "upscalingMode": "Default",
            "version": "v2",
        },
        "enableInTreeAutoscaling": True,
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0"},
            "template": head_pod(settings, image),
        },
        "rayVersion": settings.ray_version,
        "workerGroupSpecs": groups,
    }


def gpu_group(settings: Settings) -> Tree:
    """Pods that each hold one engine. None while nothing asks for them."""
    needs = resources(settings.worker_cpus, settings.worker_memory, settings.gpus_per_worker)
    template = worker_pod(settings, settings.image, needs)
    template["spec"]["tolerations"] = [tolerated(settings.gpu_toleration)]
    return {**group("gpu", settings.workers, template), "labels": {MARKET: "on-demand"}}


def spot_group(settings: Settings) -> Tree:
    """The same on nodes that are cheap and may go at any time; engines find them by label."""
    made = gpu_group(settings)
    pod, key = made["template"]["spec"], settings.spot_node_label
    pod["nodeSelector"] = {key: "true"}
    pod["tolerations"].append(tolerated(key))
    named = {"groupName": "gpu-spot", "maxReplicas": settings.spot_workers}
    return {**made, **named, "labels": {MARKET: "spot"}}


def tolerated(key: str) -> Tree:
    """A pod that may run where others may not."""
    return {"effect": "NoSchedule", "key": key, "operator": "Exists"}


def cpu_group(settings: Settings, image: str, workers: int) -> Tree:
    """Pods without a GPU: engines on the CPU or simulated ones, the index, measurements."""
    needs = resources(settings.cpu_worker_cpus, settings.cpu_worker_memory)
    return group("cpu", workers, worker_pod(settings, image, needs))


def group(name: str, most: int, template: Tree) -> Tree:
    """A worker group that grows from nothing to `most` pods."""
    return {
        "groupName": name,
        "maxReplicas": most,
        "minReplicas": 0,
        "rayStartParams": {},
        "replicas": 0,
        "template": template,
    }


def gpu_groups(settings: Settings) -> list[Tree]:
    """Engines on GPUs; the CPU group takes what asks for no GPU, one pod unless you raise it."""
    spot = [spot_group(settings)] if settings.spot_workers else []
    return [gpu_group(settings), *spot, cpu_group(settings, settings.image, 1)]


def gpu_job(settings: Settings) -> Tree:
    """The job that most people want."""
    return rayjob(settings, "seedcorn", settings.image, settings.grow(), gpu_groups(settings))


def cpu_job(settings: Settings) -> Tree:
    """A first job without a GPU."""
    groups = [cpu_group(settings, settings.cpu_image, settings.cpu_workers)]
    return rayjob(settings, "seedcorn", settings.cpu_image, settings.first_job(), groups)


def without(tree: Tree, *keys: str) -> dict[str, Any]:
    """A shallow copy that lacks these keys."""
    return {key: value for key, value in tree.items() if key not in keys}
