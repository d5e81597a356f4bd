"""Every generated file as text. Invariant: a pure function of the settings and the templates."""

from pathlib import Path

import jinja2
import yaml

from cluster.generator.containers import HOME, USER, Tree
from cluster.generator.kustomize import EDIT, HEADER, base, overlay, plain
from cluster.generator.nightly import raycronjob
from cluster.generator.settings import Settings
from cluster.generator.surroundings import everywhere

TEMPLATES = Path(__file__).parent / "templates"
WRITTEN = {
    "Dockerfile": "Dockerfile",
    "Dockerfile.dockerignore": "Dockerfile.dockerignore",
    "crontab": "machine/crontab",
    "ray-up.yaml": "vms/ray-up.yaml",
    "seedcorn-night.service": "machine/seedcorn-night.service",
    "seedcorn-night.timer": "machine/seedcorn-night.timer",
    "seedcorn.sbatch": "slurm/seedcorn.sbatch",
}
"""Template without its `.j2`, and where the text goes."""


def files(settings: Settings) -> dict[str, str]:
    """Text by path below `cluster/`."""
    made = {where: _text(settings, name) for name, where in WRITTEN.items()}
    for use, trees in plain(settings).items():
        made[f"kubernetes/plain/{use}.yaml"] = _yaml(trees)
        folder = f"kubernetes/overlays/{use}"
        for name, found in overlay(settings, use).items():
            made[f"{folder}/{name}"] = _file(name, found, f"cluster/{folder}")
    cron = [*everywhere(settings), raycronjob(settings)]
    made["kubernetes/plain/raycronjob.yaml"] = _yaml(cron)
    for name, found in base(settings).items():
        made[f"kubernetes/base/{name}"] = _file(name, found, "")
    return made


def _file(name: str, trees: list[Tree], folder: str) -> str:
    if name == "job.yaml":  # A JSON patch is one list, not several documents.
        return HEADER + _dump(trees)
    edit = EDIT.format(folder=folder) if name == "settings.yaml" else ""
    return edit + _yaml(trees)


def _yaml(trees: list[Tree]) -> str:
    return HEADER + "---\n".join(_dump(tree) for tree in trees)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: equal parts are written out."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def _dump(tree: Tree | list[Tree]) -> str:
    return yaml.dump(tree, Dumper=_Plain, sort_keys=True, width=1000, default_flow_style=False)


def _text(settings: Settings, name: str) -> str:
    loader = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return loader.get_template(f"{name}.j2").render(s=settings, home=HOME, user=USER)
