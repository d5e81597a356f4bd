"""What travels with a job: the recipe file and the files its relative paths name, or a folder, or
nothing; and the runtime environment around it.

A recipe reaches the cluster as the file it is, so that a job's command reads like the one typed at
home. Everything larger belongs on a store: what travels is held in the head node's memory.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seedcorn.core.errors import RecipeError
from seedcorn.core.ops.submitting import DRAIN_S, STOP_WAIT, package_layout
from seedcorn.core.recipe import LoadedRecipe, SourceSpec
from seedcorn.runtime.ray.job_client import check_environment
from seedcorn.storage.seeds.files import PACKAGE, Filesystems, find_files

LARGEST_PACKAGE = 100 << 20
"""Bytes of inputs that travel with a recipe; Ray itself refuses packages above 512 MiB."""
_FOLDER = "working_dir"


@dataclass(frozen=True, slots=True)
class Shipment:
    """A runtime environment ready to submit, and where the driver finds the recipe in it."""

    runtime_env: dict[str, Any]
    recipe: str


@contextlib.contextmanager
def shipment(
    loaded: LoadedRecipe,
    runtime_env: dict[str, Any],
    working_dir: str = "",
    cluster_recipe: str = "",
    drain_s: float | None = None,
) -> Iterator[Shipment]:
    """The files exist inside the `with`, which is as long as submitting takes.

    `cluster_recipe`: the recipe lies there already, in the image or in a remote working dir, and
    nothing travels. `working_dir`: that folder travels whole, the recipe in it. Neither: a small
    folder is made. Raises RecipeError, SeedError.
    """
    env = dict(runtime_env)
    folder = working_dir or env.get(_FOLDER, "")
    env["env_vars"] = _variables(env.get("env_vars"), drain_s)
    if cluster_recipe:
        yield Shipment(_checked(env | ({_FOLDER: folder} if folder else {})), cluster_recipe)
    elif folder:
        inside = _inside(loaded, folder)
        yield Shipment(_checked(env | {_FOLDER: str(Path(folder).resolve())}), inside)
    else:
        _refuse_local_model(loaded)
        with tempfile.TemporaryDirectory(prefix="seedcorn-submit-") as package:
            recipe = _pack(loaded, Path(package))
            yield Shipment(_checked(env | {_FOLDER: package}), recipe)


def read_runtime_env(text: str) -> dict[str, Any]:
    """`--runtime-env`: a YAML or JSON file, or JSON itself; raises RecipeError."""
    if not text:
        return {}
    inline = text.lstrip().startswith("{")
    where = "--runtime-env" if inline else f"--runtime-env {text}"
    try:
        read = json.loads(text) if inline else yaml.safe_load(Path(text).read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RecipeError(f"{where}: cannot be read: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(read, dict):
        raise RecipeError(f"{where}: must be keys with values, such as {{pip: [package]}}")
    return read


def _checked(env: dict[str, Any]) -> dict[str, Any]:
    """Ray's own judgement on the keys, before anything is sent."""
    try:
        check_environment(env)
    except (TypeError, ValueError) as error:
        detail = str(error).partition("\n")[0]
        raise RecipeError(f"--runtime-env: Ray does not accept it: {detail}") from error
    return env


def _variables(given: Any, drain_s: float | None) -> dict[str, str]:
    """Environment variables of the job; its time to drain is one of them, read by the supervisor."""
    if given is not None and not isinstance(given, dict):
        raise RecipeError("--runtime-env: env_vars must be names with values")
    variables = dict(given or {})
    if drain_s is not None:
        variables[STOP_WAIT] = str(round(drain_s))
    variables.setdefault(STOP_WAIT, str(round(DRAIN_S)))
    return variables


def _inside(loaded: LoadedRecipe, folder: str) -> str:
    """The recipe's path below a working dir."""
    if "://" in folder:
        raise RecipeError(
            f"working dir {folder} is not read here; say where it holds the recipe: "
            "--cluster-recipe PATH"
        )
    root, recipe = Path(folder).resolve(), Path(loaded.path).resolve()
    if not root.is_dir():
        raise RecipeError(f"--working-dir {folder}: no such folder")
    if not recipe.is_relative_to(root):
        raise RecipeError(
            f"--working-dir {folder} does not hold the recipe {loaded.path}; name a folder that "
            "does, or leave the option out: the recipe then travels alone"
        )
    return recipe.relative_to(root).as_posix()


def _pack(loaded: LoadedRecipe, package: Path) -> str:
    """Copy recipe and inputs below `package`; returns the recipe's path in it."""
    files = [file for spec in _sources(loaded) for file in _found(spec, loaded)]
    total = sum(source.stat().st_size for source, _ in files)
    if total > LARGEST_PACKAGE:
        raise RecipeError(
            f"{loaded.path}: its relative paths name {total / 2**20:,.0f} MiB, too much to travel "
            f"with a job (at most {LARGEST_PACKAGE >> 20} MiB): put them on a store (s3://…) or "
            "on a path that all nodes share"
        )
    name = Path(loaded.path).name
    recipe, inputs = package_layout(name, [relative for _, relative in files])
    places = zip(
        [Path(loaded.path), *(source for source, _ in files)], [recipe, *inputs], strict=True
    )
    for source, place in places:
        target = package / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return recipe


def _sources(loaded: LoadedRecipe) -> Iterator[SourceSpec]:
    """Sources with a path that is relative to the recipe or to where one stands."""
    recipe = loaded.recipe
    groups: Sequence[Sequence[SourceSpec]] = (
        recipe.seed,
        recipe.dedup.against,
        recipe.dedup.evaluations,
        recipe.ledger.anchor,
        recipe.ledger.yardstick,
    )
    for group in groups:
        for spec in group:
            known = "://" in spec.path or spec.path.startswith((PACKAGE, "/"))
            if not known:
                yield spec


def _found(spec: SourceSpec, loaded: LoadedRecipe) -> list[tuple[Path, str]]:
    """(file, its path relative to the recipe's folder) of what a source names."""
    files = find_files(spec, loaded.base, Filesystems(loaded.recipe.store)).files
    # A source is looked for beside the recipe first, then where one stands (storage/seed_files).
    frames = [os.path.abspath(loaded.base), os.getcwd()]
    frame = next(f for f in frames if _matches(files[0].path, spec.path, f))
    return [(Path(file.path), os.path.relpath(file.path, frame)) for file in files]


def _matches(file: str, pattern: str, frame: str) -> bool:
    """Whether the part of `pattern` before any wildcard, seen from `frame`, leads to `file`."""
    plain = pattern
    for mark in "*?[":
        plain = plain.partition(mark)[0]
    start = os.path.normpath(os.path.join(frame, plain))
    return os.path.normpath(file).startswith(start)


def _refuse_local_model(loaded: LoadedRecipe) -> None:
    """A model folder is found from where the driver stands, and no model travels with a job."""
    model = loaded.recipe.engine.model
    if not loaded.recipe.engine.settings.loads_model or model.startswith("/") or "://" in model:
        return
    if model.startswith((".", "~")) or Path(model).is_dir():
        raise RecipeError(
            f"engine.model: {model} is a folder on this machine; give a hub name, or the absolute "
            "path that the model has on every node (engine.model=/path)"
        )
