"""The one shipped Unicode version: classes, orders, mappings, as the table beside this file has them.

The interpreter's own data differs from one Python to the next; what a corpus calls a duplicate must
not. The table is read once, in about 10 ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

TABLE = "unicode-15.0.0.txt"
DIGEST = "b5d61ecdc95f07bb13fe5e2aba451ed0c7ca474db27decf875da11e19965b7ab"
"""Of the file: another one would make other duplicates, silently."""
CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True)
class UnicodeData:
    """Ranges are (first, last, value), ascending; mappings go from one code point to a few."""

    classes: Sequence[tuple[int, int, str]]
    """L letters, M marks, N other numbers, D decimal digits, S symbols, I invisible, W white
    space; what is not listed is punctuation, control, unassigned or private."""
    orders: Sequence[tuple[int, int, int]]
    """Canonical combining class, where it is not 0."""
    compose: dict[int, tuple[int, ...]]
    """Canonical decompositions into two that composition undoes."""
    decompose: dict[int, tuple[int, ...]]
    """Canonical decompositions that stay."""
    fold: dict[int, tuple[int, ...]]
    """Full case folding."""
    width: dict[int, tuple[int, ...]]
    """Full-width and half-width forms to the usual ones."""


@cache
def unicode_data() -> UnicodeData:
    """The table, read from the package; raises ValueError if it is not the one that was shipped."""
    return parsed(resources.files(__package__ or "").joinpath(TABLE).read_bytes())


def parsed(table: bytes) -> UnicodeData:
    """What a table file holds; raises ValueError for any other than the shipped one."""
    if sha256(table).hexdigest() != DIGEST:
        raise ValueError(
            f"{TABLE} is cut off or has been changed: install seedcorn again, texts would be read by "
            "another rule than the corpus names"
        )
    lines = table.decode().splitlines()
    parts: dict[str, list[list[str]]] = {}
    for line in lines:
        if line.startswith("["):
            parts[line.strip("[]")] = []
        elif not line.startswith("#"):
            parts[next(reversed(parts))].append(line.split())
    mappings = {name: dict(_mapped(parts[name])) for name in parts if name not in _RANGES}
    return UnicodeData(
        [(first, last, value) for first, last, value in _ranges(parts["class"])],
        [(first, last, int(value)) for first, last, value in _ranges(parts["order"])],
        **mappings,
    )


_RANGES = ("class", "order")


def _ranges(rows: list[list[str]]) -> Iterator[tuple[int, int, str]]:
    for first, *last, value in rows:
        yield int(first, 16), int(last[0] if last else first, 16), value


def _mapped(rows: list[list[str]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for code, *to in rows:
        yield int(code, 16), tuple(int(point, 16) for point in to)
