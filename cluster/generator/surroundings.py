"""What a namespace needs before the first job: itself, and who may talk to Ray in it."""

from cluster.generator.containers import LABELS, Tree
from cluster.generator.settings import Settings

METRICS_PORT = 8080


def namespace(settings: Settings) -> Tree:
    """Kubernetes refuses privileged pods here, and warns about any that is not `restricted`."""
    level = "pod-security.kubernetes.io"
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "labels": {f"{level}/enforce": "baseline", f"{level}/warn": "restricted"},
            "name": settings.namespace,
        },
    }


def network_policy(settings: Settings) -> Tree:
    """Ray trusts whoever reaches its ports with the token: only its own pods and the operator do.

    Metrics are open to the cluster, because nothing says where your Prometheus lives.
    """
    operator = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "seedcorn", "namespace": settings.namespace},
        "spec": {
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": dict(LABELS)}}, operator]},
                {"ports": [{"port": METRICS_PORT, "protocol": "TCP"}]},
            ],
            "podSelector": {"matchLabels": dict(LABELS)},
            "policyTypes": ["Ingress"],
        },
    }


def everywhere(settings: Settings) -> list[Tree]:
    """Both."""
    return [namespace(settings), network_policy(settings)]
