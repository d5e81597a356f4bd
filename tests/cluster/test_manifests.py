"""Every manifest against KubeRay's definitions, its controller's rules and our own."""

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.generate import main
from cluster.generator.files import files
from cluster.generator.settings import SettingsError, load

from seedcorn.config import load_recipe
from tests.cluster import kinds, policy

CLUSTER = Path(__file__).parents[2] / "cluster"
PLAIN = sorted((CLUSTER / "kubernetes" / "plain").glob("*.yaml"))
OVERLAYS = sorted((CLUSTER / "kubernetes" / "overlays").iterdir())
LOCK = CLUSTER.parent / "requirements-cpu.lock"


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a file."""
    return list(yaml.safe_load_all(text))


def by_name(trees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(trees, key=lambda tree: (tree["kind"], tree["metadata"]["name"]))


def test_generated_files_are_what_the_generator_prints() -> None:
    made = files(load(CLUSTER / "settings.yaml"))
    folders = ("kubernetes", "machine", "slurm", "vms")
    found = {
        path.relative_to(CLUSTER).as_posix(): path.read_text(encoding="utf-8")
        for path in CLUSTER.rglob("*")
        if path.is_file()
        and (path.relative_to(CLUSTER).parts[0] in folders or path.name.startswith("Dockerfile"))
        and "generator" not in path.parts
    }
    assert found == made


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_manifests_satisfy_kuberay_kubernetes_and_our_own_rules(path: Path) -> None:
    trees = documents(path.read_text(encoding="utf-8"))
    assert [problem for tree in trees for problem in kinds.problems(tree)] == []
    assert policy.problems(trees) == []


def test_plain_manifests_cover_every_use() -> None:
    assert [path.stem for path in PLAIN] == ["cpu", "gpu", "nightly", "raycronjob"]
    assert [path.name for path in OVERLAYS] == ["cpu", "gpu", "nightly"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_overlays_build_what_the_plain_manifests_hold(overlay: Path) -> None:
    assert by_name(build(overlay)) == by_name(
        documents((CLUSTER / "kubernetes/plain" / f"{overlay.name}.yaml").read_text())
    )


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_overlay_settings_edited_by_a_user_reach_every_place(tmp_path: Path) -> None:
    shutil.copytree(CLUSTER / "kubernetes", tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes/overlays/nightly"
    edited = yaml.safe_load((overlay / "settings.yaml").read_text())
    edited["spec"] |= {"image": "r/i:7", "workers": 9, "gpusPerWorker": 2, "schedule": "5 4 * * *"}
    (overlay / "settings.yaml").write_text(yaml.safe_dump(edited))
    trees = {tree["kind"]: tree for tree in build(overlay)}
    assert "Settings" not in trees
    gpu = trees["RayJob"]["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]
    needs = gpu["template"]["spec"]["containers"][0]["resources"]
    assert gpu["maxReplicas"] == 9
    assert [needs[end]["nvidia.com/gpu"] for end in ("limits", "requests")] == [2, 2]
    assert trees["CronJob"]["spec"]["schedule"] == "5 4 * * *"
    images = {
        c["image"] for tree in trees.values() for _, p in policy.pods(tree) for c in p["containers"]
    }
    assert images == {"r/i:7"}
    assert policy.problems(list(trees.values())) == []


def build(overlay: Path) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send."""
    command = ["kubectl", "kustomize", str(overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return documents(done.stdout)


def test_ray_of_the_manifests_is_the_ray_that_was_tested() -> None:
    assert f"ray=={load(CLUSTER / 'settings.yaml').ray_version}" in LOCK.read_text().splitlines()


def test_every_use_runs_the_same_command() -> None:
    settings = load(CLUSTER / "settings.yaml")
    made = files(settings)
    keys = f"corpus={settings.corpus} seed.0.path={settings.seed_path}"
    told = [name for name, text in made.items() if f"{settings.recipe} {keys}" in text]
    assert {name.partition("/")[0] for name in told} == {"kubernetes", "machine", "slurm", "vms"}


def test_check_names_the_file_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["--check", "--out", str(tmp_path)]) == 0
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert main(["--check", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"differs: {tmp_path / 'Dockerfile'}\n"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"wrokers": 3}, "unknown keys: wrokers"),
        ({"workers": "three"}, "workers: expected"),
        ({"workers": True}, "workers: expected"),
        ({"arguments": "samples=5"}, "arguments: expected"),
    ],
)
def test_settings_with_a_mistake_are_refused_by_name(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    settings = yaml.safe_load((CLUSTER / "settings.yaml").read_text()) | change
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(SettingsError, match=named):
        load(tmp_path / "mine.yaml")


def test_spot_workers_get_a_group_of_their_own_that_recipes_find_by_label() -> None:
    settings = dataclasses.replace(load(CLUSTER / "settings.yaml"), spot_workers=6)
    trees = documents(files(settings)["kubernetes/plain/gpu.yaml"])
    assert [problem for tree in trees for problem in kinds.problems(tree)] == []
    assert policy.problems(trees) == []
    groups = trees[-1]["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert [(g["groupName"], g["maxReplicas"], g.get("labels")) for g in groups] == [
        ("gpu", 4, {"ray.io/market-type": "on-demand"}),
        ("gpu-spot", 6, {"ray.io/market-type": "spot"}),
        ("cpu", 1, None),
    ]


def test_commands_of_the_manifests_are_recipes_that_load() -> None:
    settings = load(CLUSTER / "settings.yaml")
    commands = [settings.grow(), settings.night(), settings.first_job()]
    for command in commands:
        _, _, recipe, *words = command.split()
        loaded = load_recipe(recipe.replace("/opt/seedcorn", str(CLUSTER.parent)), words).recipe
        assert loaded.corpus.startswith("s3://")
        assert loaded.engine.workers in (settings.workers, settings.cpu_workers)
