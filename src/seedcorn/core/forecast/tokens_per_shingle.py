"""Forecasts in unique tokens: of what is forecast in shingles, by what those were worth so far.

Shingles are what a forecast can count; tokens are what people pay for. Invariant: under rule 1 of
the ledger's unit both are the same, and nothing changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, sqrt

from seedcorn.core.forecast.prospects import ALL, Prospect, prospects_of
from seedcorn.core.intervals import Interval, Z
from seedcorn.core.log.state import GenerationState
from seedcorn.core.rule_numbers import counts_tokens

Sums = Mapping[str, float]
"""See core.sketch.unique_tokens."""


@dataclass(frozen=True, slots=True)
class TokensPerShingle:
    """Unique tokens per unique shingle of a stratum."""

    each: float = 1.0
    spread: float = 0.0
    """Standard deviation of a document's unique tokens about what its shingles are worth."""
    documents: int = 1
    """How many it was seen on."""

    def tokens(self, shingles: Interval, more: int) -> Interval:
        """What `more` documents that are forecast to bring `shingles` bring in unique tokens. The
        interval widens by what documents differ in, those of the past and those to come."""
        centre, low, high = (self.each * end for end in shingles)
        noise = Z * self.spread * sqrt(more + more**2 / max(1, self.documents))
        if noise:
            low = max(0.0, centre - hypot(centre - low, noise))
            high = centre + hypot(high - centre, noise)
        return Interval(centre, low, high)


def tokens_per_shingle(sums: Sums, whole: Sums, unique: float, documents: int) -> TokensPerShingle:
    """Of a stratum with these sums, `unique` shingles and `documents` drawn. One that brought
    nothing so far is taken at what fresh text of the generation (`whole`) is worth."""
    tokens, held = sums.get("tokens", 0.0), sums.get("held", 0.0)
    if not tokens or not held or not unique:
        known = sums if sums.get("positions") else whole
        each = known["own"] / known["positions"] if known.get("positions") else 1.0
        return TokensPerShingle(each, 0.0, documents)
    ratio = tokens / held
    squares = sums["tokens_squared"] - 2 * ratio * sums["tokens_held"]
    squares += ratio**2 * sums["held_squared"]
    spread = sqrt(max(0.0, squares) / max(1, documents))
    return TokensPerShingle(tokens / unique, spread, documents)


def of_generation(generation: GenerationState, stratum: str) -> TokensPerShingle:
    """Of a stratum, or of all (""), by the newest forecast of a generation."""
    if not counts_tokens(generation.rules) or not generation.prospects:
        return TokensPerShingle()
    newest = generation.prospects[-1]
    strata = prospects_of(newest)
    values: Prospect = strata.get(stratum, strata[ALL])
    whole = generation.first_held()
    sums = whole if stratum == ALL else generation.unique.get(stratum, {})
    return tokens_per_shingle(
        sums, whole, values["sampled"] / newest.values["rate"], values["samples"]
    )
