"""Recipes as trees of plain values: which keys a spec has, and the recipe a log entry stored.

Shared by the loader of recipe files and by everyone who reads a corpus.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from seedcorn.core.codec import UnknownKeys, from_plain
from seedcorn.core.errors import NEWER, FormatError, RecipeError
from seedcorn.core.recipe.recipe import Recipe


def refuse_keys(spec: type, node: Any, prefix: str, where: str) -> None:
    """Unknown and missing keys, level by level, named by the whole dotted key."""
    if not isinstance(node, Mapping):
        raise RecipeError(f"{where}: {prefix or 'recipe'}: must be keys with values")
    known = {item.name: item for item in fields(spec)}
    for key in node:
        if key not in known:
            raise RecipeError(f"{where}: {dotted(prefix, key)}: unknown key; {near(key, known)}")
    for name, item in known.items():
        required = item.default is MISSING and item.default_factory is MISSING
        if required and node.get(name) is None:
            raise RecipeError(f"{where}: {dotted(prefix, name)}: is missing")
    for key, child, value in nested(spec, node, prefix, where):
        refuse_keys(child, value, key, where)


def nested(
    spec: type, node: Mapping[str, Any], prefix: str, where: str
) -> Iterator[tuple[str, type, Any]]:
    """(dotted key, spec, value) of everything one level down that is a spec itself."""
    hints = hints_of(spec)
    for name, value in node.items():
        key, child = dotted(prefix, name), nested_spec(hints[name])
        if child is None:
            continue
        if get_origin(hints[name]) is not list:
            yield key, child, value
        elif isinstance(value, list):
            yield from ((f"{key}.{number}", child, item) for number, item in enumerate(value))
        else:
            raise RecipeError(f"{where}: {key}: must be a list")


@cache
def hints_of(spec: type) -> dict[str, Any]:
    """Types of a spec's fields; they never change, and finding them is slow."""
    return get_type_hints(spec)


def nested_spec(hint: Any) -> type | None:
    """The spec that a field holds, alone or as a list's items; None for plain values."""
    inner = get_args(hint)[0] if get_origin(hint) is list else hint
    return inner if isinstance(inner, type) and is_dataclass(inner) else None


def recipe_from_dict(stored: Mapping[str, Any]) -> Recipe:
    """The recipe that `core.recipe.resolved` stored; raises FormatError for keys that only a newer
    seedcorn knows, RecipeError for what is no recipe.

    Nothing is interpolated: what is stored is final. Keys that are absent take today's defaults.
    """
    try:
        return from_plain(Recipe, stored)
    except UnknownKeys as error:
        keys = ", ".join(error.keys_unknown)
        raise FormatError(f"stored recipe: {keys}: unknown key; {NEWER}") from error
    except (TypeError, ValueError, AttributeError) as error:
        refuse_keys(Recipe, stored, "", "stored recipe")
        raise RecipeError(f"stored recipe: {error}") from error


def dotted(prefix: str, key: object) -> str:
    return f"{prefix}.{key}" if prefix else str(key)


def near(key: object, known: Mapping[str, Any]) -> str:
    close = get_close_matches(str(key), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
