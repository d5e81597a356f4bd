"""The shape of the source tree: size of files, purity of the core, a test for every module's sake."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "seedcorn"
TESTS = REPOSITORY / "tests"
LONGEST = 350
MOST_MODULES = 14
IMPURE = ("ray", "vllm", "torch", "pyarrow", "fsspec", "s3fs", "omegaconf", "aiohttp", "rich")

ACROSS_MODULES = {
    "cluster/test_image.py": "the container image's file",
    "cluster/test_machines.py": "units, scripts and crontabs for machines",
    "cluster/test_manifests.py": "the Kubernetes manifests",
    "cluster/test_mistakes.py": "planted mistakes in manifests",
    "cluster/test_runbook.py": "the runbook against the code",
    "commands/test_commands_on_a_corpus.py": "several commands on one corpus",
    "commands/report/test_report_browser.py": "the report in headless Chromium",
    "commands/night/test_night_browser.py": "pages of nights in headless Chromium",
    "core/dedup/test_index_machine.py": "the index against a dict, any order of calls",
    "core/ledger/test_ledger_abandoned.py": "the ledger of a generation that was given up",
    "core/text/test_kernels.py": "compiled code against plain Python, in several modules",
    "core/dedup/test_planted_scripts.py": "copies planted in many scripts, fingerprints to verdicts",
    "truths/test_planted_corpus.py": "copies planted in many scripts, through the whole line",
    "core/text/test_scripts.py": "text rule 2 on text of nearly thirty scripts",
    "engines/test_contract.py": "one contract, every engine",
    "engines/test_vllm_engine_templates.py": "vLLM started on chat templates of its own",
    "runtime/ray/test_cluster_nodes.py": "nodes whose raylet is killed",
    "test_first_minutes.py": "what a person reads in the first ten minutes",
    "faults/test_drivers_race.py": "three driver processes at once on one corpus",
    "faults/test_messages.py": "messages that come twice, late, or after their successor's",
    "faults/test_processes.py": "real driver processes under faults, a spread of the campaign",
    "faults/test_simulation.py": "the protocol simulated, one seed one schedule",
    "faults/test_simulation_mutants.py": "the simulated protocol, broken on purpose",
    "fuzz/test_fuzz.py": "a short run of the fuzzers",
    "runtime/ray/test_cluster_faults.py": "processes of a real cluster that die or freeze at chosen moments",
    "runtime/test_drivers.py": "two drivers on one corpus",
    "runtime/test_goodput.py": "engine time in the ledger of real runs",
    "runtime/test_kills.py": "kill -9 of every process",
    "runtime/test_large_seed.py": "fifty million rows through seeds, plan and grow",
    "runtime/ray/test_prometheus.py": "Prometheus scrapes a run",
    "runtime/ray/test_processes.py": "actors are found in this session of tests, not in another",
    "runtime/test_s3_line.py": "the whole line on S3",
    "runtime/ray/test_scaling.py": "workers that follow a real cluster",
    "runtime/test_sketch_rate.py": "a decision and a crash, through the whole runtime",
    "runtime/test_stopping.py": "the stop rule through the whole runtime",
    "runtime/ray/test_supervision.py": "engines that die, through the whole runtime",
    "runtime/test_vllm_line.py": "the whole line with vLLM",
    "storage/log/test_log_machine.py": "two writers, readers, lost requests, crashes on one log",
    "security/test_canaries.py": "secrets through a whole corpus on S3",
    "security/test_model_outputs.py": "garbage from a model, through the whole line",
    "security/test_permissions.py": "keys with few rights on S3",
    "security/test_secret_rules.py": "which texts hold a secret, and everyone who must know",
    "security/test_seeds.py": "seeds from an adversary",
    "security/test_source.py": "what the source must not call",
    "security/test_templates.py": "templates from an adversary",
    "security/test_threats.py": "the threat table against the tests",
    "storage/stores/test_object_store_faults.py": "an object store behind a faulty proxy",
    "storage/seeds/test_seeds_reading.py": "reading, over all seed modules",
    "storage/seeds/test_seeds_sources.py": "finding and converting, over all seed modules",
    "storage/stores/test_stores.py": "one contract, every store",
    "storage/verify/test_verification_mutations.py": "random damage to all objects of a corpus",
    "truths/test_closed_loops.py": "the closed forms that the ledger's truths rest on",
    "truths/test_constructed.py": "a constructed task through the whole line",
    "test_docs.py": "the documents: examples, links, and what they name",
    "truths/test_forecast_coverage.py": "forecasts on real text, over all modules they need",
    "test_golden_corpus.py": "a stored corpus that commit 4aa3d63 grew, read and grown on",
    "test_golden_identities.py": "fingerprints, ids, seeds and plans of commit 4aa3d63",
    "test_layout.py": "this file",
    "test_stored_names.py": "names that corpora and scripts use",
    "truths/test_ledger_fakes.py": "the adversarial table",
    "truths/test_ledger_truths.py": "the rows with exact answers of the ledger's design",
    "test_pipelines.py": "the shipped recipes",
    "test_ten_nights.py": "ten nights on one corpus, the time injected",
    "truths/test_prices.py": "prices and tokens against an endpoint that knows what it spent",
    "truths/test_stop_rule.py": "the stop rule over whole corpora, without Ray",
}
"""Test files that mirror no module, and what they are about."""
CASE = re.compile(r"cases/test_row_\d\d_\w+\.py")
"""One file a row of the cases; its docstring says what it is about."""


def python_files(folder: Path) -> list[Path]:
    """All Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def test_files_of_source_and_tests_are_at_most_350_lines_long() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*python_files(SOURCE), *python_files(TESTS)]
    }
    assert len(lengths) > 50
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_folders_but_those_of_the_verbs_and_the_cases_hold_at_most_14_modules() -> None:
    folders = {path.parent for role in (SOURCE, TESTS) for path in python_files(role)}
    verbs = {SOURCE / "commands", TESTS / "commands"}
    many = {*verbs, TESTS / "cases"}
    held = {
        str(folder.relative_to(REPOSITORY)): len(
            set(folder.glob("*.py")) - {folder / "__init__.py"}
        )
        for folder in folders - many
    }
    assert len(held) > 40
    assert {name: modules for name, modules in held.items() if modules > MOST_MODULES} == {}


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(path.relative_to(SOURCE))
        for path in python_files(SOURCE)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_test_files_mirror_a_module_or_are_listed_with_what_they_are_about() -> None:
    found = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    modules = {path.relative_to(SOURCE).as_posix() for path in python_files(SOURCE)}
    packages = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*") if path.is_dir()}
    homeless = [
        name
        for name in sorted(found - ACROSS_MODULES.keys())
        if not CASE.fullmatch(name)
        and (module := name.replace("test_", "", 1)) not in modules
        and module.removesuffix(".py") not in packages
    ]
    assert homeless == []


def test_core_imported_as_a_whole_leaves_the_outside_world_alone() -> None:
    modules = [
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for path in python_files(SOURCE / "core")
    ]
    assert "seedcorn.core.pipeline" in modules
    program = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(*sorted(set({IMPURE!r}) & sys.modules.keys()))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() == ""


@pytest.mark.parametrize("role", ["src", "tests"])
def test_no_module_is_a_drawer_for_anything(role: str) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    names = {path.stem for path in python_files(REPOSITORY / role)}
    assert names & drawers == set()
