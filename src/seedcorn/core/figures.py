"""Counts as a person reads them: `1 generation`, `2 generations`, `12,000 samples`."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """The count with its noun, in the plural unless it is one; `plural` where it is not `noun`s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
