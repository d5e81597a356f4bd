"""One look at a running generation as one log line, and back.

Who follows a job on a cluster sees nothing of it but its log. The line is written for people; that
it can be read back makes the same table out of it that `grow` shows in a terminal. Invariant:
`read(p.line()) == p`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from seedcorn.core.sample import OUTCOMES

_COUNT = r"[\d,]+"
_LINE = re.compile(
    rf"generation (?P<generation>\d+): (?P<generated>{_COUNT}) of (?P<planned>{_COUNT}) generated; "
    + "(?:"
    + ", ".join(rf"(?P<{name}>{_COUNT}) {name}" for name in OUTCOMES)
    + r"; (?P<unique>[^;]+) unique (?P<unit>u[av]t); )?(?P<activity>[^;\n]*)"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """A generation as it grows. `counts` is by outcome and empty before the first commit; `unique`
    is U as it is shown, of `unit` uat or uvt; `activity` is what happens now, in words."""

    generation: int
    planned: int
    generated: int
    activity: str
    counts: Mapping[str, int] = field(default_factory=dict)
    unique: str = ""
    unit: str = ""

    def line(self) -> str:
        """The log line."""
        parts = [f"generation {self.generation}: {self.generated:,} of {self.planned:,} generated"]
        if self.counts:
            parts.append(", ".join(f"{self.counts[name]:,} {name}" for name in OUTCOMES))
            parts.append(f"{self.unique} unique {self.unit}")
        return "; ".join([*parts, self.activity])


def read(line: str) -> Progress | None:
    """The progress that a log line tells, plain or JSON, whatever stands before it; None for any
    other line."""
    found = _LINE.search(message_of(line))
    if found is None:
        return None
    fields = found.groupdict()
    counts = {name: _number(fields[name]) for name in OUTCOMES if fields[name] is not None}
    return Progress(
        generation=int(fields["generation"]),
        planned=_number(fields["planned"]),
        generated=_number(fields["generated"]),
        activity=fields["activity"],
        counts=counts,
        unique=fields["unique"] or "",
        unit=fields["unit"] or "",
    )


def message_of(line: str) -> str:
    """What a JSON log line says, with its time of day; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        fields = json.loads(line)
        return f"{fields['at'][11:19]} {fields['message']}"
    except (ValueError, KeyError, TypeError):
        return line


def _number(text: str) -> int:
    return int(text.replace(",", ""))
