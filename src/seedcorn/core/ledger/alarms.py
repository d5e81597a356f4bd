"""Collapse of form: jumps that mean a template took over or a source was wiped out.

Each batch is held against the earlier batches of its own stratum and generation, never against an
average that hides it. Invariant: alarms are a function of the batch entries alone, and two binomial
intervals, that of the batch and that of the usual, stand between few samples and an alarm. On
honest text less than one batch in a thousand raises one, at any size of batch.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import ceil
from typing import NamedTuple, TypeVar

from seedcorn.core.companions.diversity import compression_ratio, opening_share
from seedcorn.core.intervals import clopper_pearson
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.text.words import TextRule

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
"""By how much a share must exceed the usual one, lower end of its interval above upper end."""
RECENT = 4
"""Batches that say how many duplicates are usual."""
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


def form_of(texts: Sequence[str], verified: int, absorbed: int, rule: TextRule) -> dict[str, float]:
    """How alike the `verified` texts of one stratum and batch are, from `spaced` ones of them.

    `absorbed`: how many were dropped as duplicates of one and the same document. The compression
    ratio is absent where there are fewer than 16 texts.
    """
    form = {
        "verified": float(verified),
        "absorbed": float(absorbed),
        "opened": float(len(texts)),
        "openings": opening_share(texts, rule),
    }
    if len(texts) >= FORM_DOCUMENTS:
        cut = [text[:FORM_CHARS] for text in spaced(texts, FORM_DOCUMENTS)]
        form["compression_ratio"] = compression_ratio(cut)
    return form


@dataclass(slots=True)
class AlarmWatch:
    """The fold over one generation's batches."""

    alarms: list[Alarm] = field(default_factory=list)
    _usual: dict[str, "_Usual"] = field(default_factory=dict)

    def apply(self, batch: BatchCommitted) -> list[Alarm]:
        """What this batch raises, by stratum; remembered in `alarms` too."""
        raised = [
            Alarm(batch.batch, stratum, *found)
            for stratum, counts in sorted(batch.strata.items())
            for found in self._stratum(stratum, counts, batch.form.get(stratum, {}))
        ]
        self.alarms += raised
        return raised

    def _stratum(
        self, stratum: str, counts: Mapping[str, int], form: Mapping[str, float]
    ) -> list["_Found"]:
        usual, seen = self._usual.setdefault(stratum, _Usual()), _shares(counts, form)
        ratio = form.get("compression_ratio")
        found = [
            _jump(SHARES["openings"], seen["openings"], usual.openings(seen["openings"].whole)),
            _jump(SHARES["duplicates"], seen["duplicates"], usual.recent("duplicates")),
            _jump(SHARES["drops"], seen["drops"], usual.ever("drops")),
            _absorbed(form),
            _compresses(ratio, usual.ratios),
        ]
        usual.add(seen, ratio)
        return [one for one in found if one is not None]


_Found = tuple[str, float, float, str]
"""Name, value, usual value and sentence of an alarm."""


class _Count(NamedTuple):
    part: int
    whole: int

    @property
    def share(self) -> float:
        return self.part / self.whole if self.whole else 0.0

    def plus(self, other: "_Count") -> "_Count":
        return _Count(self.part + other.part, self.whole + other.whole)


class _Share(NamedTuple):
    name: str
    what: str
    at_first: float
    """Taken for the highest usual share where no batch came before; 1 raises nothing."""


SHARES = {
    share.name: share
    for share in (
        _Share("openings", "of the texts open with words that another one opens with", 0.25),
        _Share("duplicates", "of the verified samples are duplicates", 0.25),
        # A recipe may set its checks as low as it likes: only a change tells something.
        _Share("drops", "of the samples are rejected or failed", 1.0),
    )
}


def _shares(counts: Mapping[str, int], form: Mapping[str, float]) -> dict[str, _Count]:
    """The batch's counts, by name of the share."""
    accepted, duplicate, rejected, failed = (
        counts.get(name, 0) for name in ("accepted", "duplicate", "rejected", "failed")
    )
    opened = int(form.get("opened", 0))
    return {
        "openings": _Count(round(form.get("openings", 0.0) * opened), opened),
        "duplicates": _Count(duplicate, accepted + duplicate),
        "drops": _Count(rejected + failed, accepted + duplicate + rejected + failed),
    }


@dataclass(slots=True)
class _Usual:
    """What the earlier batches of one stratum showed."""

    ratios: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Compression ratios: how many, and their sum."""
    _sums: dict[str, _Count] = field(default_factory=dict)
    _batches: int = 0
    """Those with texts whose openings were compared."""
    _recent: deque[dict[str, _Count]] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, seen: dict[str, _Count], ratio: float | None) -> None:
        for name, count in seen.items():
            self._sums[name] = self.ever(name).plus(count)
        self._recent.append(seen)
        self._batches += seen["openings"].whole > 0
        if ratio is not None:
            self.ratios = [self.ratios[0] + 1, self.ratios[1] + ratio]

    def ever(self, name: str) -> _Count:
        """Over all batches: what one policy gives has no reason to drift."""
        return self._sums.get(name, _Count(0, 0))

    def recent(self, name: str) -> _Count:
        """Over the newest batches: duplicates grow more as a source is used up, which is what
        forecasts see, and no jump."""
        return reduce(_Count.plus, (seen[name] for seen in self._recent), _Count(0, 0))

    def openings(self, texts: int) -> _Count:
        """As if so many `texts` had been compared each time: among more, more meet their like.

        With a chance q that two texts open alike, a share 1 - (1 - q)^(n - 1) of n do, where all
        openings are equally likely; where they are not it grows less, so this is its upper end.
        """
        overall = self.ever("openings")
        each = overall.whole / self._batches if self._batches else 0.0
        if not texts or texts <= each or overall.share == 1:
            return overall
        if each <= 1:  # One text alone resembles nobody.
            return _Count(0, 0)
        share = 1 - (1 - overall.share) ** ((texts - 1) / (each - 1))
        return _Count(ceil(share * overall.whole), overall.whole)


def _jump(share: _Share, seen: _Count, usual: _Count) -> _Found | None:
    """A share well above the usual one, the lower end of its interval above the upper end of that.

    A first batch has no usual: more than half of it counts as a jump.
    """
    if seen.share <= usual.share + SHARE_JUMP:  # Saves the intervals, nothing else.
        return None
    most = clopper_pearson(*usual).high if usual.whole else share.at_first
    if clopper_pearson(*seen).low <= most + SHARE_JUMP:
        return None
    then = f"{usual.share:.0%} before" if usual.whole else "in the first batch"
    return share.name, seen.share, usual.share, f"{seen.share:.0%} {share.what}, {then}"


def _absorbed(form: Mapping[str, float]) -> _Found | None:
    count = _Count(int(form.get("absorbed", 0)), int(form.get("verified", 0)))
    if count.share <= ABSORBED or clopper_pearson(*count).low <= ABSORBED:
        return None
    text = f"one document absorbs {count.share:.0%} of the verified samples as its duplicates"
    return "one_document", count.share, 0.0, text


def _compresses(ratio: float | None, before: Sequence[float]) -> _Found | None:
    usual = before[1] / before[0] if before[0] else 0.0
    if ratio is None or not usual or ratio <= COMPRESSION_JUMP * usual:
        return None
    text = f"texts compress {ratio:.1f} times, {ratio / usual:.1f} times as well as before"
    return "compression_ratio", ratio, usual, text


def spaced(items: Sequence[T], count: int = OPENINGS) -> list[T]:
    """At most `count` items, evenly spaced over the sequence."""
    if len(items) <= count:
        return list(items)
    return [items[number * len(items) // count] for number in range(count)]
