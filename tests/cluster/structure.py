"""Structural schemas, closed: what Kubernetes would prune without a word is an error here.

A small validator of the part of OpenAPI v3 that custom resource definitions use. Every object whose
fields are listed refuses others; int-or-string, preserved unknown fields and list keys are known.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Schema = {
    "type": "object",
    "properties": {
        "annotations": TEXTS,
        "generateName": {"type": "string"},
        "labels": TEXTS,
        "name": {"type": "string"},
        "namespace": {"type": "string"},
    },
}
"""Definitions leave object metadata open, because the API server checks it itself."""


class Problem(NamedTuple):
    """What is wrong, by the name of the rule that says so."""

    rule: str
    where: str
    text: str


def structural(schema: Schema, value: Any, where: str = "") -> Iterator[Problem]:
    """Everything in `value` that the schema does not allow."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not _is(value, "integer") and not _is(value, "string"):
            yield Problem("type", where, f"{value!r} is neither a number nor text")
            return
        kind = None
    if kind is not None and not _is(value, kind):
        yield Problem("type", where, f"{value!r} is not of type {kind}")
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Problem("enum", where, f"{value!r} is not among {schema['enum']}")
    for type_, check in CHECKS:
        if isinstance(value, type_):
            yield from check(schema, value, where)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object(schema: Schema, value: dict[str, Any], where: str) -> Iterator[Problem]:
    if where.endswith("metadata") and "properties" not in schema:
        schema = METADATA
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield Problem("required", f"{where}.{name}", "is missing")
    for name, item in value.items():
        below = f"{where}.{name}".lstrip(".")
        if name in known:
            yield from structural(known[name], item, below)
        elif isinstance(others, Mapping):
            yield from structural(others, item, below)
        elif not (others or schema.get("x-kubernetes-preserve-unknown-fields")):
            yield Problem("unknown_field", below, "no such field")


def _list(schema: Schema, value: list[Any], where: str) -> Iterator[Problem]:
    if len(value) < schema.get("minItems", 0):
        yield Problem("bounds", where, f"needs at least {schema['minItems']} items")
    for number, item in enumerate(value):
        yield from structural(schema.get("items", {}), item, f"{where}.{number}")
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        names = [tuple(item.get(key) for key in keys) for item in value if isinstance(item, dict)]
        for name in sorted({str(name) for name in names if names.count(name) > 1}):
            yield Problem("duplicate_key", where, f"{name} occurs twice")


def _pattern(schema: Schema, value: str, where: str) -> Iterator[Problem]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield Problem("pattern", where, f"{value!r} does not match {schema['pattern']}")
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield Problem("bounds", where, f"{value!r} is too short or too long")


def _bounds(schema: Schema, value: float, where: str) -> Iterator[Problem]:
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    if schema.get("format") == "int32":
        least, most = max(least, -(2**31)), min(most, 2**31 - 1)
    if not least <= value <= most:
        yield Problem("bounds", where, f"{value} is not between {least} and {most}")


CHECKS: tuple[tuple[type, Callable[[Schema, Any, str], Iterator[Problem]]], ...] = (
    (dict, _object),
    (list, _list),
    (str, _pattern),
    (int, _bounds),
    (float, _bounds),
)
