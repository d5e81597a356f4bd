"""This machine's part of `seedcorn doctor`: versions, and variables that open doors."""

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from seedcorn.core.errors import RecipeError
from seedcorn.core.ops.security_floors import FLOORS, below, complaints
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Finding

DANGEROUS = {
    "RAY_DATA_AUTOLOAD_CLOUDPICKLE_TENSOR_METADATA": "lets a Parquet file run code",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "lets a message run code",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "lets a client load weights",
}
"""Variables that must not be set, and what they do."""
_OFF = {"", "0", "false", "no"}


def versions(installed: Mapping[str, str] | None = None) -> list[Finding]:
    """One finding per package with a floor that is here; `installed` is what is, by default."""
    present = _installed() if installed is None else installed
    missed = {floor.package: (floor, version) for floor, version in below(present)}
    findings = []
    for floor in FLOORS:
        if floor.package not in present:
            continue
        name = f"{floor.package} is {floor.version} or newer"
        if floor.package in missed:
            advice = f"install {floor.package}>={floor.version}: {floor.why}"
            findings.append(Finding(name, FAILS, present[floor.package], advice))
        else:
            findings.append(Finding(name, OK, present[floor.package]))
    return findings


def lock_file(path: str) -> list[Finding]:
    """One finding per pin below its floor, or one that says that there is none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as a lock file: {error}") from error
    found = list(complaints(text))
    if not found:
        return [Finding("every pinned version meets its security floor", OK)]
    return [Finding("a pinned version is too old", FAILS, line, "raise it") for line in found]


def environment(
    variables: Mapping[str, str] | None = None, optimised: int = sys.flags.optimize
) -> list[Finding]:
    """Variables that open doors, and assertions that are switched off."""
    given = os.environ if variables is None else variables
    return [*_variables(given), _assertions(optimised)]


def _variables(given: Mapping[str, str]) -> Iterator[Finding]:
    for name, does in DANGEROUS.items():
        value = given.get(name, "")
        if value.strip().lower() in _OFF:
            yield Finding(f"{name} is not set", OK)
        else:
            yield Finding(f"{name} is not set", FAILS, f"it is {value!r}: {does}", f"unset {name}")


def _assertions(optimised: int) -> Finding:
    name = "Python runs with assertions"
    if not optimised:
        return Finding(name, OK)
    detail = "python -O drops checks that vLLM's safety depends on (CVE-2026-41523)"
    return Finding(name, WARNING, detail, "start Python without -O and PYTHONOPTIMIZE")


def _installed() -> dict[str, str]:
    found = {}
    for floor in FLOORS:
        try:
            found[floor.package] = metadata.version(floor.package)
        except metadata.PackageNotFoundError:
            continue
    return found
