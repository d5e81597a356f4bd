"""Checks from YAML: `checks: [{length: {min_words: 20}}, {refusal: {}}]`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from seedcorn.core.checks import form
from seedcorn.core.checks.arithmetic import Arithmetic
from seedcorn.core.checks.refusal import Refusal, RefusalAnywhere
from seedcorn.core.checks.verdict import Check
from seedcorn.core.errors import RecipeError
from seedcorn.core.rule_numbers import CHECK, number_of

_KINDS: tuple[type[Any], ...] = (
    form.FinishReason,
    form.Length,
    Refusal,
    form.Repetition,
    form.CopyOfParent,
    form.Script,
    form.Regex,
    Arithmetic,
)
CHECKS: dict[str, type[Any]] = {kind.code: kind for kind in _KINDS}
"""Every check a recipe may name, by its code, as new generations have it."""
_BEFORE: dict[str, dict[int, type[Any]]] = {"refusal": {1: RefusalAnywhere}}
"""What a code has meant under earlier numbers of its rule."""
MEANINGS: dict[str, dict[int, type[Any]]] = {
    code: before | {len(before) + 1: kind}
    for code, kind in CHECKS.items()
    for before in [_BEFORE.get(code, {})]
}
"""By code and number of its rule, the newest one last: what each check means."""
NEWEST = {f"{CHECK}{code}": max(meanings) for code, meanings in MEANINGS.items()}
"""The rules of checks that new generations start under."""


def build(items: Sequence[dict[str, Any]], rules: Mapping[str, int]) -> tuple[Check, ...]:
    """The checks in the recipe's order, as they are meant under stored rules; raises RecipeError
    naming the item and the setting. A number that this code does not have gives the newest."""
    return tuple(_one(f"checks.{number}", item, rules) for number, item in enumerate(items))


def _one(where: str, item: dict[str, Any], rules: Mapping[str, int]) -> Check:
    if len(item) != 1:
        found = ", ".join(map(str, item)) or "none"
        raise RecipeError(f"{where}: needs exactly one check, found: {found}")
    [(name, settings)] = item.items()
    if name not in CHECKS:
        raise RecipeError(f"{where}: unknown check {name!r}; {nearest(name, list(CHECKS))}")
    where, kind = f"{where}.{name}", _meaning(name, rules)
    settings = {} if settings is None else settings
    if not isinstance(settings, dict):
        raise RecipeError(f"{where}: needs settings such as {{key: value}}, or {{}}")
    known = [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            raise RecipeError(f"{where}: unknown setting {key!r}; {nearest(key, known)}")
        values[key] = _convert(f"{where}.{key}", hints[key], value)
    try:
        return kind(**values)
    except ValueError as error:
        raise RecipeError(f"{where}.{error}") from error


def _meaning(code: str, rules: Mapping[str, int]) -> type[Any]:
    return MEANINGS[code].get(number_of(rules, f"{CHECK}{code}"), CHECKS[code])


def _convert(where: str, hint: Any, value: Any) -> Any:
    """A YAML value as the setting's annotation wants it."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        if not (number and isinstance(value, int) and value >= 0):
            raise RecipeError(f"{where}: needs a whole number of at least 0, got {value!r}")
        return value
    if hint is float:
        if not (number and 0 <= value <= 1):
            raise RecipeError(f"{where}: needs a share between 0 and 1, got {value!r}")
        return float(value)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RecipeError(f"{where}: needs a text or a list of texts, got {value!r}")
    if hint == tuple[str, ...]:
        return tuple(texts)
    return tuple(_pattern(where, text) for text in texts)


def _pattern(where: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise RecipeError(f"{where}: {text!r} is not a regular expression: {error}") from error


def nearest(name: object, known: Sequence[str]) -> str:
    """A hint for an unknown name: the closest known one, or all of them."""
    close = get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
