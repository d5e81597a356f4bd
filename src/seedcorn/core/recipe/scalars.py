"""Values written without quotes: a text field gets the text as it stands in the file.

YAML 1.1 takes `no` for false, `1.10` for 1.1, `12:30` for 750 and `010` for 8. Which of it is meant
is known from the field alone, so the reader of a recipe hands on both, and here the field decides.
Text stays as written; a number or a truth value is read as ever, unless YAML 1.2 reads another one;
where a field takes anything, what the two versions read differently is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.tree import dotted, hints_of

_TRUTH = {"true": True, "false": False}
_NULL = ("", "~", "null", "Null", "NULL")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Scalar:
    """What was written without quotes and is no text to YAML 1.1, which reads `value`."""

    text: str
    value: bool | int | float | None


def settle(node: Any, hint: Any, at: str = "") -> Any:
    """A tree of a recipe file without its Scalars, each taken as `hint` wants it.

    A hint is a type, or a mapping from keys to hints; None under an unknown key. What does not fit
    is left for whoever checks types. Raises RecipeError that begins with the dotted key.
    """
    if isinstance(node, dict):
        settled = {
            _key(key): settle(value, _below(hint, _key(key)), dotted(at, _key(key)))
            for key, value in node.items()
        }
        if len(settled) < len(node):
            raise RecipeError(f"{at or 'recipe'}: a key stands there twice")
        return settled
    if isinstance(node, list):
        below = _below(hint, "0")
        return [settle(item, below, dotted(at, number)) for number, item in enumerate(node)]
    return _settled(node, hint, at) if isinstance(node, Scalar) else node


def hint_at(hint: Any, steps: list[str]) -> Any:
    """The hint that holds at a path of keys and list positions."""
    for step in steps:
        hint = _below(hint, step)
    return hint


def _below(hint: Any, key: str) -> Any:
    """The hint of what lies under a key, or in a list."""
    if isinstance(hint, type) and is_dataclass(hint):
        hint = hints_of(hint)
    if isinstance(hint, Mapping):
        return hint.get(key)
    inner = get_args(hint)
    if get_origin(hint) is dict:
        return inner[1]
    if get_origin(hint) in (list, tuple):
        return inner[0]
    return Any if hint is Any else None


def _key(key: Any) -> Any:
    return key.text if isinstance(key, Scalar) else key


def _settled(scalar: Scalar, hint: Any, at: str) -> Any:
    kind = get_origin(hint) or hint
    if kind in (list, tuple):  # One text where a list of them may stand.
        hint = get_args(hint)[0]
        kind = get_origin(hint) or hint
    if kind in (str, re.Pattern):
        return _text(scalar, at)
    if kind in (int, float, Union, UnionType):
        return _number(scalar, at)
    return _anything(scalar, at) if kind is Any else scalar.value


def _text(scalar: Scalar, at: str) -> str:
    if scalar.value is None:
        word = scalar.text or "nothing"
        raise RecipeError(f'{at}: {word} is no text; quote it to mean the word, "" for no text')
    return scalar.text


def _number(scalar: Scalar, at: str) -> Any:
    """`1_000` is a thousand; but a time of day is no number, nor is it clear what `010` is."""
    other = _core(scalar.text)
    if ":" in scalar.text or not (isinstance(other, str) or _same(other, scalar.value)):
        raise RecipeError(f"{at}: {_both(scalar, other)}; write the number that is meant")
    return scalar.value


def _anything(scalar: Scalar, at: str) -> Any:
    other = _core(scalar.text)
    if not _same(other, scalar.value):
        raise RecipeError(
            f"{at}: {_both(scalar, other)}; write {_written(scalar.value)}, or quote it for the text"
        )
    return scalar.value


def _both(scalar: Scalar, other: Any) -> str:
    said = "text" if isinstance(other, str) else _written(other)
    return f"{scalar.text} is {_written(scalar.value)} in YAML 1.1 and {said} in YAML 1.2"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))


def _core(text: str) -> Any:
    """What YAML 1.2 reads, by its core schema."""
    if text in _NULL:
        return None
    if text in (text.lower(), text.upper(), text.capitalize()) and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _SPECIAL.fullmatch(text) else text
