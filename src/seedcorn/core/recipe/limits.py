"""How large a recipe may be, and become: references to other keys can multiply what they copy.

Pure, on the plain values of a parsed file. Twenty keys that each quote the one before it ten times
over would fill any memory; here they are measured before they are followed.
"""

import re
from collections.abc import Iterator
from typing import Any

from seedcorn.core.errors import RecipeError

MAX_FILE = 1 << 20
"""Bytes of a recipe file."""
MAX_EXPANDED = 4 << 20
"""Characters of all values once references are followed."""
MAX_NUMBER = 2**62
"""Largest whole number, either way."""

_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\$\{(\.*)([\w.\[\]-]*)\}")
_STEP = re.compile(r"[^.\[\]]+")
Path = tuple[str | int, ...]


def check_size(plain: Any, where: str) -> None:
    """Raises RecipeError where following references would give more than MAX_EXPANDED."""
    if _Measure(plain).size((), plain) > MAX_EXPANDED:
        raise RecipeError(
            f"{where}: grows beyond {MAX_EXPANDED} characters once its ${{…}} are followed; "
            "references must not multiply"
        )


def check_numbers(plain: Any, where: str) -> None:
    """Raises RecipeError for a whole number that no field can mean."""
    for path, value in leaves(plain):
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise RecipeError(
                f"{where}: {dotted_path(path)}: a number of {value.bit_length()} bits is too large"
            )


def leaves(plain: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that holds no others, keys of mappings included, with where it is."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield (*path, key), key
            yield from leaves(value, (*path, key))
    elif isinstance(plain, list):
        for number, value in enumerate(plain):
            yield from leaves(value, (*path, number))
    else:
        yield path, plain


def dotted_path(path: Path) -> str:
    """The path as recipes write it."""
    return ".".join(str(step) for step in path)


class _Measure:
    """Characters of a value after its references; a cycle counts once, the loader refuses it."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._known: dict[Path, int] = {}

    def size(self, path: Path, value: Any) -> int:
        if path not in self._known:
            self._known[path] = 0
            self._known[path] = self._sum(path, value)
        return self._known[path]

    def _sum(self, path: Path, value: Any) -> int:
        if isinstance(value, dict):
            return sum(self.size((*path, key), item) for key, item in value.items())
        if isinstance(value, list):
            return sum(self.size((*path, n), item) for n, item in enumerate(value))
        if not isinstance(value, str):
            return 1
        found = (self._target(path, *match.groups()) for match in _REFERENCE.finditer(value))
        return len(value) + sum(self.size(*target) for target in found if target is not None)

    def _target(self, path: Path, dots: str, key: str) -> tuple[Path, Any] | None:
        """Where a reference leads, and what is there; None where nothing is."""
        target: Path = path[: max(0, len(path) - len(dots))] if dots else ()
        for step in _STEP.findall(key):
            target = (*target, int(step) if step.isdecimal() else step)
        value = self._tree
        for number, step in enumerate(target):
            if isinstance(value, dict):
                found = step if step in value else str(step)
                if found not in value:
                    return None
                target = (*target[:number], found, *target[number + 1 :])
                value = value[found]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return target, value
