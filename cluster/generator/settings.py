"""What a cluster is told, read from one YAML file. Every key is known, or refused by name."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

IMAGE_HOME = "/opt/seedcorn"
"""Where the image keeps the shipped recipes."""
MARGIN_S = 60
"""Beyond the drain, before anything is killed: Ray's own shutdown and a last upload."""


class SettingsError(Exception):
    """A settings file with an unknown key, a missing one or a value of the wrong type."""


@dataclass(frozen=True)
class Settings:
    """See `settings.yaml` for what each means. Times are seconds, memory a Kubernetes quantity."""

    recipe: str
    corpus: str
    seed_path: str
    image: str
    cpu_image: str
    workers: int
    gpus_per_worker: int
    worker_cpus: int
    worker_memory: str
    spot_workers: int
    spot_node_label: str
    cpu_workers: int
    cpu_worker_cpus: int
    cpu_worker_memory: str
    head_cpus: int
    head_memory: str
    drain_s: int
    idle_s: int
    keep_s: int
    night_s: int
    retries: int
    schedule: str
    time_zone: str
    namespace: str
    s3_secret: str
    hub_secret: str
    gpu_toleration: str
    ray_version: str
    python_image: str
    uv_version: str
    machine_home: str
    machine_user: str
    slurm_nodes: int
    slurm_time: str
    slurm_gpus_per_node: int
    slurm_cpus_per_node: int
    slurm_partition: str
    arguments: tuple[str, ...] = field(default=())
    night_arguments: tuple[str, ...] = field(default=())

    @property
    def grace_s(self) -> int:
        """How long a pod or a service may take to end."""
        return self.drain_s + MARGIN_S

    @property
    def slurm_limit_s(self) -> int:
        """When a Slurm job is asked to drain, so that it ends before its time limit."""
        hours, minutes, seconds = (int(part) for part in self.slurm_time.split(":"))
        return hours * 3600 + minutes * 60 + seconds - self.grace_s - MARGIN_S

    @property
    def slurm_workers(self) -> int:
        """Engine workers that a Slurm allocation holds."""
        return self.slurm_nodes * max(1, self.slurm_gpus_per_node // self.gpus_per_worker)

    @property
    def calendar(self) -> str:
        """The schedule as systemd writes it; minute and hour are numbers, the days are all days."""
        minute, hour, *days = self.schedule.split()
        if days != ["*"] * 3 or not (minute.isdigit() and hour.isdigit()):
            raise SettingsError(f"schedule: {self.schedule!r} is not MINUTE HOUR * * *")
        return f"*-*-* {int(hour):02}:{int(minute):02}:00 {self.time_zone}"

    @property
    def local_recipe(self) -> str:
        """The recipe where a clone, and no image, is."""
        return self.recipe.replace(IMAGE_HOME, self.machine_home, 1)

    def grow(self) -> str:
        """The command that grows; the same wherever it runs."""
        return self._command("grow", self.recipe, self.workers, self.arguments)

    def night(self) -> str:
        """The command that grows one night more."""
        words = (*self.arguments, *self.night_arguments)
        return self._command("night", self.recipe, self.workers, words)

    def grow_on_slurm(self) -> str:
        """The same on the nodes of an allocation, whose Ray listens at `$address:$port`."""
        words = ('run.ray_address="$address:$port"', *self.arguments)
        return self._command("grow", self.local_recipe, self.slurm_workers, words)

    def night_on_one_machine(self) -> str:
        """The same with one engine and a Ray of its own."""
        words = (*self.arguments, *self.night_arguments)
        return self._command("night", self.local_recipe, 1, words)

    def first_job(self) -> str:
        """The command of a first job without a model: simulated engines, everything else real."""
        where = self.recipe.rpartition("/")[0]
        corpus = f"{self.corpus.rstrip('/')}-first-job"
        return f"seedcorn grow {where}/simulated.yaml corpus={corpus} engine.workers={self.cpu_workers}"

    def _command(self, name: str, recipe: str, workers: int, words: tuple[str, ...]) -> str:
        keys = [
            f"corpus={self.corpus}",
            f"seed.0.path={self.seed_path}",
            f"engine.workers={workers}",
        ]
        return " ".join(["seedcorn", name, recipe, *keys, *words])


def load(path: Path) -> Settings:
    """Read a settings file; SettingsError names the key that is wrong."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: expected keys and values")
    known = {item.name: item for item in fields(Settings)}
    if unknown := sorted(found.keys() - known.keys()):
        raise SettingsError(f"{path}: unknown keys: {', '.join(unknown)}")
    if missing := sorted(known.keys() - found.keys() - {"arguments", "night_arguments"}):
        raise SettingsError(f"{path}: missing keys: {', '.join(missing)}")
    return Settings(**{name: _typed(path, name, value) for name, value in found.items()})


def _typed(path: Path, name: str, value: Any) -> Any:
    """The value as its field wants it; YAML's lists become tuples."""
    kind = Settings.__annotations__[name]
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise SettingsError(f"{path}: {name}: expected {kind}, found {value!r}")
