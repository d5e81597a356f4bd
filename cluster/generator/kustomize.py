"""A kustomize base and an overlay per use. Invariant: what an overlay builds is what `plain/` holds.

Each overlay has one file for people, `settings.yaml`: values of their own type that kustomize puts
where they belong and leaves out of what it sends.
"""

from cluster.generator.containers import Tree
from cluster.generator.nightly import access, cronjob, template
from cluster.generator.rayjob import cpu_job, gpu_job, without
from cluster.generator.settings import Settings
from cluster.generator.surroundings import everywhere

KIND = "Settings"
CONTAINERS = "template.spec.containers"
CLUSTER = "spec.rayClusterSpec"
IMAGES = [
    f"{CLUSTER}.headGroupSpec.{CONTAINERS}.0.image",
    f"{CLUSTER}.workerGroupSpecs.*.{CONTAINERS}.0.image",
    "spec.submitterPodTemplate.spec.containers.0.image",
]
GPU = "nvidia\\.com/gpu"
HEADER = "# Made by `python -m cluster.generate` from cluster/settings.yaml.\n"
EDIT = "# The one file to edit. Then: kubectl apply -k {folder}\n"


def plain(settings: Settings) -> dict[str, list[Tree]]:
    """Whole manifests by name of the use."""
    shared = everywhere(settings)
    nightly = [template(settings), *access(settings), cronjob(settings)]
    return {
        "gpu": [*shared, gpu_job(settings)],
        "cpu": [*shared, cpu_job(settings)],
        "nightly": [*shared, *nightly],
    }


def base(settings: Settings) -> dict[str, list[Tree]]:
    """Files of the base: a job that has no workers and nothing to do until an overlay says so."""
    job = gpu_job(settings)
    job["spec"] = without(job["spec"], "entrypoint")
    job["spec"]["rayClusterSpec"] = without(job["spec"]["rayClusterSpec"], "workerGroupSpecs")
    files = {"rayjob.yaml": [job], "surroundings.yaml": everywhere(settings)}
    return {**files, "kustomization.yaml": [_kustomization({"resources": sorted(files)})]}


def overlay(settings: Settings, use: str) -> dict[str, list[Tree]]:
    """Files of one overlay."""
    job = {"gpu": gpu_job, "cpu": cpu_job, "nightly": template}[use](settings)
    resources = ["../../base", "settings.yaml"]
    files: dict[str, list[Tree]] = {"settings.yaml": [_values(settings, use, job)]}
    if use == "nightly":
        files["schedule.yaml"] = [*access(settings), cronjob(settings)]
        resources.append("schedule.yaml")
    tree = {
        "patches": [
            {
                "options": {"allowNameChange": True},
                "path": "job.yaml",
                "target": {"kind": "RayJob"},
            }
        ],
        "replacements": _replacements(use),
        "resources": resources,
    }
    return {**files, "job.yaml": _patch(job), "kustomization.yaml": [_kustomization(tree)]}


def _kustomization(tree: Tree) -> Tree:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **tree}


def _values(settings: Settings, use: str, job: Tree) -> Tree:
    spec: Tree = {"image": settings.image, "entrypoint": job["spec"]["entrypoint"]}
    if use == "cpu":
        spec |= {"image": settings.cpu_image, "workers": settings.cpu_workers}
    else:
        spec |= {"workers": settings.workers, "gpusPerWorker": settings.gpus_per_worker}
    if use == "nightly":
        spec |= {"schedule": settings.schedule, "timeZone": settings.time_zone}
    return {
        "apiVersion": "seedcorn/v1",
        "kind": KIND,
        "metadata": {
            "annotations": {"config.kubernetes.io/local-config": "true"},
            "name": "settings",
        },
        "spec": spec,
    }


def _patch(job: Tree) -> list[Tree]:
    """What this use adds to the base's job, as one JSON patch."""
    spec = job["spec"]
    added = {
        "/metadata/name": job["metadata"]["name"],
        "/spec/entrypoint": spec["entrypoint"],
        "/spec/rayClusterSpec/workerGroupSpecs": spec["rayClusterSpec"]["workerGroupSpecs"],
    }
    for name in ("activeDeadlineSeconds", "suspend"):
        if name in spec:
            added[f"/spec/{name}"] = spec[name]
    return [{"op": "add", "path": path, "value": value} for path, value in added.items()]


def _replacements(use: str) -> list[Tree]:
    """Which value goes where."""
    group = f"{CLUSTER}.workerGroupSpecs.[groupName={'cpu' if use == 'cpu' else 'gpu'}]"
    needs = f"{group}.{CONTAINERS}.0.resources"
    places = {
        "image": {"RayJob": IMAGES},
        "entrypoint": {"RayJob": ["spec.entrypoint"]},
        "workers": {"RayJob": [f"{group}.maxReplicas"]},
    }
    if use != "cpu":
        places["gpusPerWorker"] = {
            "RayJob": [f"{needs}.{end}.{GPU}" for end in ("limits", "requests")]
        }
    if use == "nightly":
        places["image"]["CronJob"] = ["spec.jobTemplate.spec.template.spec.containers.0.image"]
        places["schedule"] = {"CronJob": ["spec.schedule"]}
        places["timeZone"] = {"CronJob": ["spec.timeZone"]}
    return [
        {
            "source": {"fieldPath": f"spec.{value}", "kind": KIND},
            "targets": [
                {"fieldPaths": paths, "select": {"kind": kind}} for kind, paths in kinds.items()
            ],
        }
        for value, kinds in places.items()
    ]
