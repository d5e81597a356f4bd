"""What one generation's unique tokens rest on: sums over its documents, by stratum."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.forecast.tokens_per_shingle import TokensPerShingle, tokens_per_shingle
from seedcorn.core.intervals import Interval
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.sample import Outcome
from seedcorn.core.sketch.unique_tokens import added, interval_of


@dataclass(slots=True)
class FirstHeldBooks:
    """Sums over the documents of one generation by stratum (core.sketch.unique_tokens)."""

    whole: dict[str, dict[str, float]] = field(default_factory=dict)
    estimated: dict[str, dict[str, float]] = field(default_factory=dict)
    """The part of batches whose shingles were sampled."""
    rate: float = 1.0
    """The lowest that they were sampled at."""
    withdrawn: dict[str, float] = field(default_factory=dict)
    """Unique tokens that withdrawn samples had brought."""

    def commit(self, sequence: int, batch: BatchCommitted) -> None:
        """Add a batch; every stratum with an accepted sample must have its sums."""
        drawn = {name for name, row in batch.strata.items() if row.get(Outcome.ACCEPTED, 0)}
        if drawn != batch.unique.keys():
            raise CorruptCorpus(
                f"log entry {sequence} (batch_committed) does not balance: it has unique tokens of "
                f"{sorted(batch.unique)}, and accepted samples of {sorted(drawn)}"
            )
        self.rate = min(self.rate, batch.sketch_rate)
        for name, sums in batch.unique.items():
            self.whole[name] = added(self.whole.get(name, {}), sums)
            if batch.sketch_rate < 1:
                self.estimated[name] = added(self.estimated.get(name, {}), sums)

    def withdraw(self, gone: Mapping[str, float]) -> None:
        """Take out what withdrawn samples had brought, by stratum."""
        self.withdrawn = added(self.withdrawn, gone)

    def sums(self, stratum: str | None = None) -> dict[str, float]:
        """Of one stratum, or of all."""
        return added(*self.whole.values()) if stratum is None else self.whole.get(stratum, {})

    def unique(self, stratum: str | None = None) -> Interval:
        """Unique tokens of one stratum, or of all."""
        estimated = (
            added(*self.estimated.values()) if stratum is None else self.estimated.get(stratum, {})
        )
        return interval_of(self.sums(stratum), estimated, self.rate)

    def per_shingle(
        self, unique: float, documents: int, stratum: str | None = None
    ) -> TokensPerShingle:
        """What forecasts of one stratum, or of all, are turned into unique tokens by, where it has
        so many `unique` shingles after `documents` were drawn."""
        return tokens_per_shingle(self.sums(stratum), self.sums(), unique, documents)

    def net(self, stratum: str | None = None) -> Interval:
        """Without what withdrawn samples had brought, which was counted with the same error."""
        gone = sum(self.withdrawn.values()) if stratum is None else self.withdrawn.get(stratum, 0.0)
        return Interval(*(max(0.0, end - gone) for end in self.unique(stratum)))
