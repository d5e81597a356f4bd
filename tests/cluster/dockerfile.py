"""A small linter for Dockerfiles: the rules of hadolint that matter here, under its numbers.

`# hadolint ignore=DL…` above an instruction silences it there, and needs a comment that says why.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple


class Instruction(NamedTuple):
    """One instruction with its continuation lines joined, and the comments above it."""

    name: str
    text: str
    comments: str


def instructions(source: str) -> list[Instruction]:
    """The file as instructions."""
    found, comments, parts = [], "", ""
    for line in source.splitlines():
        if not parts and line.startswith("#"):
            comments += line + "\n"
        elif not parts and not line.strip():
            comments = ""
        else:
            parts += line.removesuffix("\\").strip() + " "
            if not line.endswith("\\"):
                name, _, text = parts.strip().partition(" ")
                found.append(Instruction(name.upper(), text.strip(), comments))
                comments, parts = "", ""
    return found


def lint(source: str) -> list[str]:
    """Rules that are broken, once per place."""
    found = instructions(source)
    broken = [
        rule
        for number, item in enumerate(found)
        for rule in _line(item, found[:number])
        if not _ignored(rule, item)
    ]
    return broken + list(_whole(found))


def _ignored(rule: str, item: Instruction) -> bool:
    told = re.search(r"# hadolint ignore=(\S+)", item.comments)
    reason = re.sub(r"# hadolint .*", "", item.comments).strip("# \n")
    return told is not None and rule in told[1].split(",") and bool(reason)


def _line(item: Instruction, before: list[Instruction]) -> Iterator[str]:
    if item.name == "FROM":
        yield from _base(item, before)
    elif item.name == "RUN":
        yield from (rule for rule, broken in _run(item.text, before).items() if broken)
    elif item.name == "WORKDIR" and not item.text.startswith(("/", "$")):
        yield "DL3000"
    elif item.name == "ADD":
        yield "DL3020"
    elif item.name in ("CMD", "ENTRYPOINT") and not item.text.startswith("["):
        yield "DL3025"
    elif item.name == "MAINTAINER":
        yield "DL4000"


def _base(item: Instruction, before: list[Instruction]) -> Iterator[str]:
    image = item.text.split()[0]
    for argument in before:  # ARG NAME=value before the first FROM
        name, _, value = argument.text.partition("=")
        if argument.name == "ARG":
            image = image.replace(f"${{{name}}}", value)
    tag = image.rpartition("/")[2].partition(":")[2]
    if "@sha256:" in image or image == "scratch":
        return
    if not tag:
        yield "DL3006"
    elif tag == "latest":
        yield "DL3007"
    elif not re.match(r"\d+\.\d+\.\d+", tag):
        yield "exact_tag"


def _run(text: str, before: list[Instruction]) -> dict[str, bool]:
    """Rules for a shell line. A pipe in one needs pipefail, said by SHELL in the same stage."""
    shells = [item for item in before if item.name in ("FROM", "SHELL")]
    safe = bool(shells) and shells[-1].name == "SHELL" and "pipefail" in shells[-1].text
    install = "apt-get install" in text
    packages = re.findall(r"apt-get install ([^&;|]*)", text)
    words = [word for part in packages for word in part.split() if not word.startswith("-")]
    pip = re.findall(r"(?<!uv )pip install ([^&;|]*)", text)
    return {
        "DL3003": re.match(r"cd ", text) is not None,
        "DL3004": re.search(r"\bsudo\b", text) is not None,
        "DL3008": any("=" not in word for word in words),
        "DL3009": install and "rm -rf /var/lib/apt/lists" not in text,
        "DL3013": any(not re.search(r"==|-r |--requirement|\. *$", part) for part in pip),
        "DL3014": install and not re.search(r"install [^&]*(-y|--yes)\b", text),
        "DL3015": install and "--no-install-recommends" not in text,
        "DL3027": re.search(r"\bapt (install|update)\b", text) is not None,
        "DL3042": any("--no-cache-dir" not in part for part in pip),
        "DL4006": re.search(r"[^|]\|[^|]", text) is not None and not safe,
    }


def _whole(found: list[Instruction]) -> Iterator[str]:
    """The last user is somebody, by number; nothing secret is handed in."""
    last = max(number for number, item in enumerate(found) if item.name == "FROM")
    users = [item.text for item in found[last:] if item.name == "USER"]
    if not users or users[-1].partition(":")[0] in ("root", "0"):
        yield "DL3002"
    elif not re.match(r"[1-9]\d*", users[-1]):
        yield "numeric_user"  # Kubernetes cannot tell that a name is not root.
    for item in found:
        secret = re.search(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY", item.text)
        if item.name in ("ARG", "ENV") and secret:
            yield "secret"
    for first, second in pairwise(found):
        if first.name == second.name == "RUN" and not second.comments:
            yield "DL3059"
