"""What `seedcorn doctor` prints: a line per check, and what to do below those that do not hold."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from seedcorn.commands.views.output import harmless, say
from seedcorn.storage.conformance.probe import FAILS, OK, Finding

Group = tuple[str, Sequence[Finding]]
"""What was checked, and the findings."""
_SIGNS = {OK: "ok     ", FAILS: "FAILS  "}


def print_group(group: Group) -> None:
    """One group as text."""
    name, findings = group
    say(harmless(name))
    for finding in findings:
        sign = _SIGNS.get(finding.level, "warning")
        detail = f": {finding.detail}" if finding.detail else ""
        key = f"{finding.key}: " if finding.key else ""
        say(harmless(f"  {sign}  {key}{finding.check}{detail}"))
        if finding.level != OK and finding.advice:
            say(harmless(f"           → {finding.advice}"))


def as_json(groups: Sequence[Group]) -> str:
    """All groups, with `ok` for the whole."""
    plain = {
        "ok": all(finding.ok for _, findings in groups for finding in findings),
        "groups": [
            {"name": name, "findings": [asdict(finding) for finding in findings]}
            for name, findings in groups
        ],
    }
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False)
