"""Lineage: who exists so far, in rank order, hence what parents and witnesses may name."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.rules import reads_names
from seedcorn.core.log.state import Source
from seedcorn.core.row_names import row_of
from seedcorn.core.rule_numbers import ROW_NAMES, number_of
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.verify.proofs import BatchRows, Terms

_DROPPED_OUTCOMES = {*OUTCOMES} - {"accepted"}
_ROLES = {"seed": "seed", "heldout": "seed", "reference": "reference"}
"""Role of the source that a relation names a row of."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Rows of the seed that are held back: by their ordinals, and as lineage would name them."""

    ordinals: Set[int] = frozenset()
    names: Set[str] = frozenset()


NOTHING = HeldBack()


class Family:
    """Who exists so far, in rank order: what parents and witnesses may name. About 100 bytes per
    accepted sample."""

    def __init__(self, rules: Mapping[str, int], held: HeldBack = NOTHING) -> None:
        """`rules` are those of the corpus, by which rows are named."""
        self._rules, self._held = rules, held
        self._accepted: set[bytes] = set()
        self._passing: set[bytes] = set()
        """Those of the abandoned generation that is read: nothing else may name them."""
        self._sources: dict[tuple[str, str], range] = {}
        """The ordinals of each one's rows."""

    def __contains__(self, name: str) -> bool:
        """Whether an accepted sample has this id."""
        return _key(name) in self._accepted or _key(name) in self._passing

    def end_generation(self) -> None:
        """What comes next is of another generation."""
        self._passing.clear()

    def add_source(self, source: Source) -> None:
        """Documents that entered the corpus' history now."""
        rows = range(source.ordinal, source.ordinal + source.rows)
        self._sources[source.role, source.name] = rows

    def add(self, rows: BatchRows, sequence: int, terms: Terms) -> int:
        """Check a batch row by row in rank order, then know its accepted samples; returns how many
        names were resolved."""
        resolved = 0
        columns = (rows.sample_id, rows.outcome, rows.reason, rows.duplicate_of, rows.stratum)
        fresh: set[bytes] = set()
        for name, outcome, reason, of, stratum in zip(*columns, strict=True):
            where = f"log entry {sequence}: sample {name}"
            if stratum not in terms.strata:
                raise CorruptCorpus(f"{where} is of stratum {stratum!r}, which its recipe lacks")
            if outcome == "accepted":
                fresh.add(_key(name))
                continue
            if outcome not in _DROPPED_OUTCOMES or not reason:
                raise CorruptCorpus(f"{where} was dropped as {outcome!r} for reason {reason!r}")
            if (outcome == "duplicate") != bool(of) or (of and not self._ranks(of, reason, fresh)):
                raise CorruptCorpus(
                    f"{where} ({outcome}, {reason}) repeats {of!r}, which is no document before it"
                )
            resolved += bool(of)
        resolved += self._check_parents(rows, sequence)
        if terms.stands:
            self._accepted |= fresh
        else:
            self._passing |= fresh
        return resolved

    def _ranks(self, of: str, reason: str, fresh: set[bytes]) -> bool:
        """Whether `of` is what the reason `<exact|near>:<relation>` says it is."""
        relation = reason.partition(":")[2]
        if relation in _ROLES:
            if not reads_names(self._rules):
                return True
            place = row_of(of, self._rules)
            rows = self._sources.get((_ROLES[relation], place[0]), range(0)) if place else range(0)
            if place is None or place[1] >= len(rows):
                return False
            return (rows[place[1]] in self._held.ordinals) == (relation == "heldout")
        return _key(of) in fresh or of in self

    def _check_parents(self, rows: BatchRows, sequence: int) -> int:
        for name, parents in zip(rows.sample_id, rows.parents, strict=True):
            for parent in parents:
                if not self._is_seed(parent) and parent not in self:
                    raise CorruptCorpus(
                        f"log entry {sequence}: sample {name} has the parent {parent!r}, which is "
                        "neither a seed document nor a sample accepted before"
                    )
                if parent in self._held.names:
                    raise CorruptCorpus(
                        f"log entry {sequence}: sample {name} has the parent {parent!r}, which is "
                        "held back from the seed"
                    )
        return sum(map(len, rows.parents))

    def _is_seed(self, parent: str) -> bool:
        """Whether it names a row of a seed; a number must be one of its rows, unless it may be an
        id of digits."""
        rows = self._sources.get(("seed", parent.partition(":")[0]))
        place = row_of(parent, self._rules) if number_of(self._rules, ROW_NAMES) == 2 else None
        return rows is not None and (place is None or place[1] < len(rows))


def _key(name: str) -> bytes:
    """An id in half the memory; what is no id matches nothing."""
    try:
        return bytes.fromhex(name)
    except ValueError:
        return name.encode("utf-8", "surrogatepass")
