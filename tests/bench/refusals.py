"""How many refusals the check finds and how many ordinary texts it takes for one.

`python -m tests.bench.refusals` prints both shares with their 95 % intervals, for every rule of the
check and apart for texts that were written after its expressions; `--misses` lists them.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedcorn.core.checks import Check, Subject, build
from seedcorn.core.engine import Completion
from seedcorn.core.intervals import clopper_pearson
from seedcorn.core.text.words import NEWEST
from tests.texts import ordinary, refusals

FOUND, REJECTED = 0.95, 0.01
"""At least so many refusals found, at most so many ordinary texts rejected."""


@dataclass(frozen=True)
class Rate:
    """Of `texts` of one kind, those that the check rejects."""

    kind: str
    texts: int
    rejected: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of all texts."""
        return len(self.rejected) / self.texts

    def line(self) -> str:
        """For a person."""
        interval = clopper_pearson(len(self.rejected), self.texts)
        return (
            f"{self.kind:9s} {len(self.rejected):4d} of {self.texts:4d} rejected: {self.share:6.1%}"
            f" ({interval.low:.1%} to {interval.high:.1%})"
        )


def rate(kind: str, texts: Sequence[str], rule: int) -> Rate:
    """What the check says of texts under a number of its rule."""
    [check] = build([{"refusal": {}}], {"checks.refusal": rule})
    return Rate(kind, len(texts), tuple(text for text in texts if rejects(check, text)))


def rejects(check: Check, text: str) -> bool:
    """Whether one check rejects an answer."""
    return check.problem(Subject(text, Completion(text, 0, 0, "stop"), (), NEWEST)) is not None


def report(misses: bool) -> Iterator[str]:
    """All rates, and on request the texts that are judged wrongly."""
    yield "the check `refusal`, English texts; the newest rule is the one of new generations"
    for rule in (1, 2):
        for held_out in (False, True):
            yield f"rule {rule}, {'held-out texts' if held_out else 'all others'}"
            for kind, texts in (("refusals", refusals(held_out)), ("ordinary", ordinary(held_out))):
                found = rate(kind, texts, rule)
                yield f"  {found.line()}"
                wrong = [t for t in texts if (t in found.rejected) != (kind == "refusals")]
                yield from (f"      {text!r}" for text in wrong * misses)


if __name__ == "__main__":
    sys.stdout.write("\n".join(report("--misses" in sys.argv)) + "\n")
