"""What tells apart the recipe's fields: those that change texts or verdicts, and the operational."""

from dataclasses import field
from typing import Any


def operational(default: Any = None, *, factory: Any = None) -> Any:
    """A field that does not change texts or verdicts, hence not the fingerprint."""
    if factory is not None:
        return field(default_factory=factory, metadata={"operational": True})
    return field(default=default, metadata={"operational": True})
