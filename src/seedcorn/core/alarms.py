"""Collapse of form: jumps that mean a template took over or a source was wiped out.

Each batch is held against the earlier batches of its own stratum and generation, never against an
average that hides it. Invariant: alarms are a function of the batch entries alone, and a binomial
interval stands between a small batch and an alarm.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from seedcorn.core.diversity import compression_ratio, opening_share
from seedcorn.core.entries import BatchCommitted
from seedcorn.core.intervals import clopper_pearson

T = TypeVar("T")
FORM_DOCUMENTS = 16
"""Texts whose compression ratio is taken: a fixed number, because the ratio grows with it."""
FORM_CHARS = 600
"""Characters of each that count, so that longer texts do not look more alike."""
OPENINGS = 64
"""Texts whose openings are compared."""
COMPRESSION_JUMP = 1.5
"""Times the usual ratio. Real text of one source stays within about a tenth of its mean."""
SHARE_JUMP = 0.25
"""By how much a share must exceed the usual one, at the lower end of its interval."""
ABSORBED = 0.5
"""Share of a batch's verified samples that one document may absorb as its duplicates."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A jump in one stratum of one batch; `text` says it in a sentence."""

    batch: int
    stratum: str
    name: str
    """compression_ratio | openings | duplicates | drops | one_document"""
    value: float
    usual: float
    text: str


def form_of(texts: Sequence[str], verified: int, absorbed: int) -> dict[str, float]:
    """How alike the `verified` texts of one stratum and batch are, from `spaced` ones of them.

    `absorbed`: how many were dropped as duplicates of one and the same document. The compression
    ratio is absent where there are fewer than 16 texts.
    """
    form = {
        "verified": float(verified),
        "absorbed": float(absorbed),
        "opened": float(len(texts)),
        "openings": opening_share(texts),
    }
    if len(texts) >= FORM_DOCUMENTS:
        cut = [text[:FORM_CHARS] for text in spaced(texts, FORM_DOCUMENTS)]
        form["compression_ratio"] = compression_ratio(cut)
    return form


@dataclass(slots=True)
class AlarmWatch:
    """The fold over one generation's batches."""

    alarms: list[Alarm] = field(default_factory=list)
    _counts: dict[str, Counter[str]] = field(default_factory=dict)
    _ratios: dict[str, list[float]] = field(default_factory=dict)

    def apply(self, batch: BatchCommitted) -> list[Alarm]:
        """What this batch raises, by stratum; remembered in `alarms` too."""
        raised = [
            alarm
            for stratum, counts in sorted(batch.strata.items())
            for alarm in self._stratum(batch, stratum, Counter(counts))
        ]
        self.alarms += raised
        return raised

    def _stratum(self, batch: BatchCommitted, stratum: str, counts: Counter[str]) -> list[Alarm]:
        form = batch.form.get(stratum, {})
        before = self._counts.setdefault(stratum, Counter())
        generated = sum(counts[name] for name in ("accepted", "duplicate", "rejected", "failed"))
        verified = counts["accepted"] + counts["duplicate"]
        alike = round(form.get("openings", 0.0) * form.get("opened", 0.0))
        seen = Counter(
            generated=generated,
            verified=verified,
            duplicates=counts["duplicate"],
            dropped=counts["rejected"] + counts["failed"],
            opened=int(form.get("opened", 0)),
            alike=alike,
        )
        found = [
            _jump(
                "openings",
                "of the texts open with words that another one opens with",
                "alike",
                "opened",
                seen,
                before,
            ),
            _jump(
                "duplicates",
                "of the verified samples are duplicates",
                "duplicates",
                "verified",
                seen,
                before,
            ),
            _jump(
                "drops",
                "of the samples are rejected or failed",
                "dropped",
                "generated",
                seen,
                before,
            ),
            _absorbed(form),
            self._ratio(stratum, form),
        ]
        before.update(seen)
        return [Alarm(batch.batch, stratum, *one) for one in found if one is not None]

    def _ratio(self, stratum: str, form: dict[str, float]) -> "_Found | None":
        ratio = form.get("compression_ratio")
        if ratio is None:
            return None
        before = self._ratios.setdefault(stratum, [])
        usual = sum(before) / len(before) if before else 0.0
        before.append(ratio)
        if not usual or ratio <= COMPRESSION_JUMP * usual:
            return None
        text = f"texts compress {ratio:.1f} times, {ratio / usual:.1f} times as well as before"
        return "compression_ratio", ratio, usual, text


_Found = tuple[str, float, float, str]


def _jump(
    name: str, what: str, part: str, whole: str, seen: Counter[str], before: Counter[str]
) -> _Found | None:
    """A share that lies well above the usual one, even at the lower end of its interval.

    A first batch has no usual: only more than half of it counts as a jump, drops aside, which
    a recipe may set as low as it likes.
    """
    if not seen[whole]:
        return None
    usual = before[part] / before[whole] if before[whole] else 0.0
    if not before[whole]:
        if part == "dropped":
            return None
        usual = 0.5 - SHARE_JUMP
    share = seen[part] / seen[whole]
    if clopper_pearson(seen[part], seen[whole]).low <= usual + SHARE_JUMP:
        return None
    then = f"{usual:.0%} before" if before[whole] else "in the first batch"
    return name, share, usual, f"{share:.0%} {what}, {then}"


def _absorbed(form: dict[str, float]) -> _Found | None:
    verified, absorbed = int(form.get("verified", 0)), int(form.get("absorbed", 0))
    if not verified or clopper_pearson(absorbed, verified).low <= ABSORBED:
        return None
    share = absorbed / verified
    return "one_document", share, 0.0, f"one document absorbs {share:.0%} of them as its duplicates"


def spaced(items: Sequence[T], count: int = OPENINGS) -> list[T]:
    """At most `count` items, evenly spaced over the sequence."""
    if len(items) <= count:
        return list(items)
    return [items[number * len(items) // count] for number in range(count)]
