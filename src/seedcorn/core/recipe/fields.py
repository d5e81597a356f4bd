"""What is said of a recipe's key beside its type: whether it is operational, and its bounds.

Both stand in the dataclass beside the key, so that a new key is one line.
"""

from dataclasses import MISSING, Field, dataclass, field
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which values a number makes sense. None: no bound on that side."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None

    def problem(self, value: float) -> str:
        """What is wrong with a value, as a sentence without its subject; empty: nothing."""
        low, high = self.at_least, self.at_most
        if self.above is not None and not value > self.above:
            wanted = f"more than {self.above:g}"
        elif low is not None and not value >= low:
            wanted = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
        elif high is not None and not value <= high:
            wanted = f"at most {high:g}" if low is None else f"between {low:g} and {high:g}"
        elif not isfinite(value):
            wanted = "a finite number"
        else:
            return ""
        return f"must be {wanted}, got {value}"


def semantic(default: Any = MISSING, *, factory: Any = MISSING, **bounds: float) -> Any:
    """A key that changes texts or verdicts; `bounds` are those of `Bounds`."""
    return _field(default, factory, {"bounds": Bounds(**bounds)})


def operational(default: Any = MISSING, *, factory: Any = MISSING, **bounds: float) -> Any:
    """A key that changes neither texts nor verdicts, hence not the fingerprint."""
    return _field(default, factory, {"operational": True, "bounds": Bounds(**bounds)})


def is_operational(item: Field[Any]) -> bool:
    """Whether the key stays out of the fingerprint."""
    return bool(item.metadata.get("operational"))


def bounds_of(item: Field[Any]) -> Bounds | None:
    """The key's bounds, where it has any."""
    found = item.metadata.get("bounds")
    return found if found != Bounds() else None


def _field(default: Any, factory: Any, metadata: dict[str, Any]) -> Any:
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is not MISSING:
        return field(default=default, metadata=metadata)
    return field(metadata=metadata)
