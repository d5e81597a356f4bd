"""Closed schemas of the other Kubernetes kinds, as far as our manifests use them.

A field that is not here is refused, so whoever adds one has looked it up. Pod templates are those of
KubeRay's definitions, which hold Kubernetes' own in full.
"""

from typing import Any

from tests.cluster import kuberay
from tests.cluster.structure import METADATA, TEXTS, Problem, Schema, structural

TEXT = {"type": "string"}
COUNT = {"type": "integer", "format": "int32", "minimum": 0}
SECONDS = {"type": "integer", "minimum": 0}


def closed(required: str = "", **fields: Any) -> Schema:
    """An object of these fields and no others."""
    return {"type": "object", "properties": fields, "required": required.split()}


def listed(item: Schema) -> Schema:
    """A list of such items."""
    return {"type": "array", "items": item}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(values)}


def top(api: str, kind: str, **fields: Any) -> Schema:
    """A whole object."""
    return closed(
        "apiVersion kind metadata",
        apiVersion=one_of(api),
        kind=one_of(kind),
        metadata=METADATA,
        **fields,
    )


def _job() -> Schema:
    exits = closed(
        "operator values",
        containerName=TEXT,
        operator=one_of("In", "NotIn"),
        values={"type": "array", "minItems": 1, "items": {"type": "integer"}},
    )
    rule = closed(
        "action", action=one_of("FailJob", "Ignore", "Count", "FailIndex"), onExitCodes=exits
    )
    return closed(
        "template",
        activeDeadlineSeconds=SECONDS,
        backoffLimit=COUNT,
        podFailurePolicy=closed("rules", rules=listed(rule)),
        template=kuberay.schema("RayJob")["properties"]["spec"]["properties"][
            "submitterPodTemplate"
        ],
        ttlSecondsAfterFinished=COUNT,
    )


def _network_policy() -> Schema:
    selector = closed(matchLabels=TEXTS)
    peer = closed(namespaceSelector=selector, podSelector=selector)
    port = closed(port={"x-kubernetes-int-or-string": True}, protocol=one_of("TCP", "UDP", "SCTP"))
    return closed(
        "podSelector",
        ingress=listed(closed("", **{"from": listed(peer), "ports": listed(port)})),
        podSelector=selector,
        policyTypes=listed(one_of("Ingress", "Egress")),
    )


def schemas() -> dict[str, Schema]:
    """By kind."""
    rbac = "rbac.authorization.k8s.io/v1"
    cron = closed(
        "jobTemplate schedule",
        concurrencyPolicy=one_of("Allow", "Forbid", "Replace"),
        failedJobsHistoryLimit=COUNT,
        jobTemplate=closed("spec", metadata=METADATA, spec=_job()),
        schedule=TEXT,
        startingDeadlineSeconds=SECONDS,
        successfulJobsHistoryLimit=COUNT,
        suspend={"type": "boolean"},
        timeZone=TEXT,
    )
    rules = closed(
        "verbs",
        apiGroups=listed(TEXT),
        resourceNames=listed(TEXT),
        resources=listed(TEXT),
        verbs=listed(TEXT),
    )
    role = closed(
        "apiGroup kind name", apiGroup=TEXT, kind=one_of("Role", "ClusterRole"), name=TEXT
    )
    subject = closed(
        "kind name",
        apiGroup=TEXT,
        kind=one_of("ServiceAccount", "User", "Group"),
        name=TEXT,
        namespace=TEXT,
    )
    return {
        "CronJob": top("batch/v1", "CronJob", spec=cron),
        "Namespace": top("v1", "Namespace"),
        "NetworkPolicy": top("networking.k8s.io/v1", "NetworkPolicy", spec=_network_policy()),
        "Role": top(rbac, "Role", rules=listed(rules)),
        "RoleBinding": top(rbac, "RoleBinding", roleRef=role, subjects=listed(subject)),
        "ServiceAccount": top(
            "v1", "ServiceAccount", automountServiceAccountToken={"type": "boolean"}
        ),
    }


def problems(tree: dict[str, Any]) -> list[Problem]:
    """What the kind's schema, or KubeRay, refuses."""
    if tree["kind"] in kuberay.FILES:
        return kuberay.problems(tree)
    known = schemas()
    if tree["kind"] not in known:
        return [Problem("kind", "kind", f"{tree['kind']} is none that we need")]
    return list(structural(known[tree["kind"]], tree))
