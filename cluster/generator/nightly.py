"""Nights on Kubernetes: a CronJob that starts a copy of a suspended RayJob and waits for it.

Invariant: one tick is one RayJob, named after the tick's Job, so a pod that is started twice finds
the RayJob of the first. What must not overlap is the corpus, and its log sees to that; `Forbid` only
saves the price of a second cluster.
"""

from cluster.generator.containers import LABELS, Tree, locked_down, pod_security, resources
from cluster.generator.rayjob import API, gpu_groups, rayjob, spec, without
from cluster.generator.settings import MARGIN_S, Settings

NAME = "seedcorn-night"
LATE_S = 3600
"""A tick that could not start for longer than this is a missed night, not a late one."""
HISTORY = 7
DAY_S = 86_400


def command(settings: Settings) -> str:
    """A busy corpus is no failure: without the wrapper KubeRay would build cluster after cluster."""
    return f"unless-busy {settings.night()}"


def template(settings: Settings) -> Tree:
    """The RayJob that nights are copies of. Suspended, it costs nothing."""
    made = rayjob(settings, NAME, settings.image, command(settings), gpu_groups(settings))
    made["spec"]["activeDeadlineSeconds"] = settings.night_s
    made["spec"]["suspend"] = True
    return made


def cronjob(settings: Settings) -> Tree:
    """The clock. Its Job lasts as long as the night, and ends as the night ended."""
    # Each RayJob belongs to its Job, so history limits remove both.
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": NAME, "namespace": settings.namespace},
        "spec": {
            "concurrencyPolicy": "Forbid",
            "failedJobsHistoryLimit": HISTORY,
            "jobTemplate": {"spec": _job(settings)},
            "schedule": settings.schedule,
            "startingDeadlineSeconds": LATE_S,
            "successfulJobsHistoryLimit": HISTORY,
            "timeZone": settings.time_zone,
        },
    }


def _job(settings: Settings) -> Tree:
    failed = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}
    return {
        "activeDeadlineSeconds": settings.night_s + settings.grace_s + 10 * MARGIN_S,
        # An evicted pod starts again and goes on waiting; a failed night is not asked twice.
        "backoffLimit": 6,
        "podFailurePolicy": {"rules": [failed]},
        "template": {
            "metadata": {"labels": dict(LABELS)},
            "spec": {
                "containers": [_starter(settings)],
                "restartPolicy": "Never",
                "securityContext": pod_security(),
                "serviceAccountName": NAME,
            },
        },
    }


def _starter(settings: Settings) -> Tree:
    job = "metadata.labels['batch.kubernetes.io/job-name']"
    uid = "metadata.labels['batch.kubernetes.io/controller-uid']"
    paths = {"JOB_NAME": job, "JOB_UID": uid, "NAMESPACE": "metadata.namespace"}
    return {
        "args": [
            "--owner",
            "$(JOB_NAME)",
            "--uid",
            "$(JOB_UID)",
            "--namespace",
            "$(NAMESPACE)",
            NAME,
        ],
        "command": ["start-night"],
        "env": [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in paths.items()
        ],
        "image": settings.image,
        "name": "start-night",
        "resources": resources("100m", "128Mi"),
        "securityContext": {**locked_down(), "readOnlyRootFilesystem": True},
    }


def access(settings: Settings) -> list[Tree]:
    """What the CronJob's pod may do: read and create RayJobs in its namespace, nothing else."""
    where = {"name": NAME, "namespace": settings.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": dict(where)},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": dict(where),
            "rules": [
                {"apiGroups": ["ray.io"], "resources": ["rayjobs"], "verbs": ["create", "get"]}
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": dict(where),
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **where}],
        },
    ]


def raycronjob(settings: Settings) -> Tree:
    """The same by KubeRay's own clock (alpha). It prunes nothing itself, so jobs delete themselves."""
    job = spec(settings, settings.image, command(settings), gpu_groups(settings))
    job = without(job, "shutdownAfterJobFinishes", "ttlSecondsAfterFinished")
    job["activeDeadlineSeconds"] = settings.night_s
    job["deletionStrategy"] = {
        "deletionRules": [
            rule
            for status in ("SUCCEEDED", "FAILED")
            for rule in (
                _deletion("DeleteCluster", status, settings.keep_s),
                _deletion("DeleteSelf", status, HISTORY * DAY_S),
            )
        ]
    }
    return {
        "apiVersion": API,
        "kind": "RayCronJob",
        "metadata": {"name": NAME, "namespace": settings.namespace},
        "spec": {
            "jobTemplate": job,
            "schedule": settings.schedule,
            "timeZone": settings.time_zone,
        },
    }


def _deletion(policy: str, status: str, seconds: int) -> Tree:
    return {"condition": {"jobStatus": status, "ttlSeconds": seconds}, "policy": policy}
