"""What runs where there is no Kubernetes: Slurm, systemd, cron, `ray up`. Nothing is installed."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import ray
import yaml
from cluster.generator.files import files
from cluster.generator.settings import Settings, SettingsError, load

CLUSTER = Path(__file__).parents[2] / "cluster"
SBATCH = CLUSTER / "slurm" / "seedcorn.sbatch"
SCRIPTS = [SBATCH, CLUSTER / "image" / "unless-busy"]
SYMMETRIC = Path(ray.__file__).parent / "scripts" / "symmetric_run.py"


@pytest.fixture
def settings() -> Settings:
    return load(CLUSTER / "settings.yaml")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse_and_stop_at_errors(script: Path) -> None:
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", script], capture_output=True, check=False).stderr == b""
    if shell == "bash":
        assert "set -euo pipefail" in script.read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_satisfy_shellcheck(script: Path) -> None:
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_slurm_variables_are_quoted() -> None:
    """Unquoted expansions are what shellcheck finds most; arithmetic and assignments need none."""
    code = re.sub(r"^\s*#.*", "", SBATCH.read_text(), flags=re.MULTILINE)
    code = re.sub(r"'[^']*'", "''", code)
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', code)
    code = re.sub(r"\$\(\(.*?\)\)", "0", code)
    assert re.findall(r"(?<!=)\$\w+", code) == []


SRUN = """#!/bin/sh
# A cluster of one node without Ray: what follows `--` of symmetric-run runs, the rest is told.
shift
printf '%s\\n' "$@" > "$TOLD"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
SCONTROL = """#!/bin/sh
if [ "$1" = show ]; then printf 'localhost\\nother\\n'; else echo "$@" >> "$TOLD.requeue"; fi
"""


@pytest.mark.parametrize(
    ("code", "told", "requeued"), [(0, 0, False), (75, 0, False), (3, 3, False), (124, 0, True)]
)
def test_slurm_script_tells_busy_from_failure_and_resumes_when_time_is_up(
    tmp_path: Path, settings: Settings, code: int, told: int, requeued: bool
) -> None:
    home = tmp_path / "home"
    commands = {"srun": SRUN, "scontrol": SCONTROL, "seedcorn": f"#!/bin/sh\nexit {code}\n"}
    (home / ".venv" / "bin").mkdir(parents=True)
    for name, text in commands.items():
        (home / ".venv" / "bin" / name).write_text(text)
        (home / ".venv" / "bin" / name).chmod(0o755)
    made = files(dataclasses.replace(settings, machine_home=str(home)))
    environment = {
        "PATH": "/usr/bin:/bin",
        "SLURM_JOB_ID": "12345",
        "SLURM_JOB_NODELIST": "x",
        "SLURM_CPUS_PER_TASK": "16",
        "TOLD": str(tmp_path / "told"),
    }
    done = subprocess.run(
        ["bash"],
        input=made["slurm/seedcorn.sbatch"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == told, done.stderr
    words = (tmp_path / "told").read_text().split("\n")
    assert words[:4] == ["ray", "symmetric-run", "--address", "127.0.0.1:22345"]
    assert 'run.ray_address="127.0.0.1:22345"'.replace('"', "") in words
    assert f"{home}/pipelines/rephrase.yaml" in words
    assert (tmp_path / "told.requeue").exists() is requeued


def test_slurm_script_uses_symmetric_run_as_this_ray_has_it() -> None:
    source = SYMMETRIC.read_text(encoding="utf-8")
    line = SBATCH.read_text().replace("\\\n", " ")
    run = re.search(r"ray symmetric-run (.*?) -- (.*)", line)
    assert run is not None
    own = {option for option in re.findall(r"--[a-z-]+", run[1]) if f'"{option}"' in source}
    assert {"--address", "--min-nodes"} <= own
    assert not own & {"--head", "--port", "--block", "--node-ip-address"}
    assert "seedcorn grow" in run[2]


def test_slurm_drains_before_the_time_limit(settings: Settings) -> None:
    hours = int(settings.slurm_time.split(":")[0])
    assert 0 < settings.slurm_limit_s < hours * 3600 - settings.grace_s


def test_ray_up_example_satisfies_rays_own_schema() -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    tree = yaml.safe_load((CLUSTER / "vms" / "ray-up.yaml").read_text())
    jsonschema.validate(tree, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**tree, "max_wrokers": 3}, schema)


def test_no_script_listens_to_the_world_or_holds_a_secret(settings: Settings) -> None:
    for name, text in files(settings).items():
        assert "0.0.0.0" not in text, name
        assert not re.search(r"AKIA[0-9A-Z]{16}|hf_\w{20}", text), name
        assert not re.search(r"(?:SECRET_ACCESS_KEY|AUTH_TOKEN)=[^\"\s$]", text), name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_service_and_timer(tmp_path: Path, settings: Settings) -> None:
    home = str(CLUSTER.parent)
    made = files(dataclasses.replace(settings, machine_home=home, machine_user="root"))
    names = ["seedcorn-night.service", "seedcorn-night.timer"]
    for name in names:
        (tmp_path / name).write_text(made[f"machine/{name}"])
    verify = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if "seedcorn" in line] == []
    calendar = re.search(r"OnCalendar=(.*)", made["machine/seedcorn-night.timer"])
    assert calendar is not None
    subprocess.run(["systemd-analyze", "calendar", calendar[1]], capture_output=True, check=True)
    broken = made["machine/seedcorn-night.service"].replace("KillMode=mixed", "KilMode=mixed")
    (tmp_path / names[0]).write_text(broken)
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert "KilMode" in done.stderr


def test_systemd_lets_the_driver_drain(settings: Settings) -> None:
    service = files(settings)["machine/seedcorn-night.service"]
    assert "KillMode=mixed\n" in service
    assert "SuccessExitStatus=75\n" in service
    stop = re.search(r"TimeoutStopSec=(\d+)", service)
    assert stop is not None
    assert int(stop[1]) > settings.drain_s
    assert "Persistent=true\n" in files(settings)["machine/seedcorn-night.timer"]


@pytest.mark.parametrize("schedule", ["15 1 * * 1", "*/5 1 * * *", "15 1"])
def test_schedule_that_systemd_cannot_say_is_refused(settings: Settings, schedule: str) -> None:
    with pytest.raises((SettingsError, ValueError)):
        files(dataclasses.replace(settings, schedule=schedule))


def test_crontab_has_one_line_of_seven_parts_and_no_percent_sign(settings: Settings) -> None:
    lines = files(settings)["machine/crontab"].splitlines()
    [line] = [line for line in lines if not re.match(r"#|[A-Z]+=", line)]
    assert line.startswith(f"{settings.schedule} {settings.machine_user} ")
    assert "%" not in line  # cron would read it as a line break
    assert "unless-busy .venv/bin/seedcorn night" in line
