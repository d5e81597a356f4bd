"""The command line as a whole: help without weight, one clear line for every expected error."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedcorn import __version__
from seedcorn.cli import COMMANDS, exhausted, main
from seedcorn.core.errors import Exhausted

HEAVY = [
    "ray",
    "numpy",
    "pyarrow",
    "numba",
    "omegaconf",
    "rich",
    "vllm",
    "jinja2",
    "fsspec",
    "aiohttp",
]
RECIPE = Path(__file__).parent.parent / "pipelines" / "simulated.yaml"
MEASURE = """
import json, sys
from seedcorn.cli import COMMANDS, main
main(["--help"]), main(["--version"])
for command in COMMANDS:
    assert main([command, "--help"]) == 0
print()
print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))
"""


def test_help_of_every_command_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *HEAVY], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"seedcorn {__version__}\n"


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {command} " in text for command in COMMANDS)


def test_nothing_asked_prints_help(capsys):
    assert main([]) == 0
    assert "usage: seedcorn" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["grwo"], ["grow"], ["show", "x", "-n", "-1"], ["gc", "--all"]])
def test_wrong_arguments_exit_2_with_usage(words, capsys):
    assert main(words) == 2
    assert "usage: seedcorn" in capsys.readouterr().err


def test_expected_error_is_one_line_with_its_own_exit_code(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SEEDCORN_DEBUG", raising=False)
    assert main(["plan", str(tmp_path / "no.yaml")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("seedcorn: ")
    assert printed.err.count("\n") == 1
    assert "no.yaml" in printed.err


def test_expected_error_has_a_traceback_when_debugging(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEEDCORN_DEBUG", "1")
    assert main(["plan", str(tmp_path / "no.yaml")]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_reader_that_goes_away_is_no_error():
    words = [sys.executable, "-m", "seedcorn.cli", "plan", str(RECIPE)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (141, b"")


def test_machine_that_runs_out_of_descriptors_or_disk_is_told_by_name():
    for number, remedy in [(errno.EMFILE, "ulimit -n"), (errno.ENOSPC, "TMPDIR")]:
        named = exhausted(OSError(number, os.strerror(number)))
        assert isinstance(named, Exhausted)
        assert named.exit_code == 1
        assert os.strerror(number) in str(named)
        assert remedy in str(named)
    assert exhausted(OSError(errno.ENOENT, "no such file")) is None
