"""The recipe's part about nights: one generation a night, on a schedule that nobody watches.

All of it is operational: when and how long a corpus grows changes no text.
"""

from dataclasses import dataclass, field

from seedcorn.core.recipe.fields import operational


@dataclass(frozen=True)
class NightBudgetSpec:
    """What one night is to bring; 0: no limit. `stop.budget` limits what it may cost."""

    unique: int = operational(0, at_least=0)
    """Unique tokens (the headline U) of the night's generation."""
    accepted: int = operational(0, at_least=0)
    """Accepted samples of the night's generation."""


@dataclass(frozen=True)
class NightlySpec:
    """A night appends one generation to the corpus. It is called after the date of the evening it
    began on, so that a start after midnight, or a second one, is still the same night."""

    enabled: bool = operational(False)
    """Whether `seedcorn grow` grows one night, as `seedcorn night` does."""
    key: str = operational("")
    """The night, as YYYY-MM-DD: to make up for a missed one. Empty: by the clock."""
    timezone: str = operational("UTC")
    """IANA name of the zone in which the times below are meant."""
    begins: str = operational("12:00")
    """When one night ends and the next one begins, as HH:MM."""
    deadline: str = operational("")
    """Time, as HH:MM, from which nothing more is opened; empty: none."""
    budget: NightBudgetSpec = field(default_factory=NightBudgetSpec)
    settle_s: float = operational(300.0, at_least=0)
    """A new seed file that changed less than so many seconds ago may still be being written: it
    waits for the next night. Object stores show whole files only, so there nothing waits."""
    webhook_env: str = operational("")
    """Environment variable that holds the URL to which the night's summary is sent; empty: none."""
