"""Folds as plain JSON values and back, for checkpoints: typed by their dataclasses, never pickled.

`thaw(kind, freeze(kind, value))` equals `value` for every tree of dataclasses, named tuples and the
standard containers whose fields are annotated; values annotated `Any` must be JSON already. What a
tree looks like is `shape(kind)`: stored beside the values, it tells a program that has other fields
that they are not its own.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

Convert = Callable[[Any], Any]


class _Codec(NamedTuple):
    """How values of one annotation become JSON and come back; None: they are JSON already."""

    freeze: Convert | None
    thaw: Convert | None


_PLAIN = _Codec(None, None)
_SCALARS = (int, float, str, bool, type(None), Any)
_LISTS = (list, Sequence)
_DICTS = (dict, Mapping, Counter)


def freeze(kind: Any, value: Any) -> Any:
    """`value`, annotated `kind`, as JSON values. Raises TypeError for an annotation of no such tree."""
    return _apply(_codec(kind).freeze, value)


def thaw(kind: Any, value: Any) -> Any:
    """The inverse of `freeze`; raises TypeError, ValueError, KeyError, AttributeError or IndexError
    for what it did not write."""
    return _apply(_codec(kind).thaw, value)


def shape(kind: Any) -> str:
    """Every class below `kind`, with its fields and their annotations, in a fixed order."""
    seen: dict[str, str] = {}
    _describe(kind, seen)
    return "; ".join(f"{name}({described})" for name, described in sorted(seen.items()))


def _describe(kind: Any, seen: dict[str, str]) -> None:
    for argument in get_args(kind):
        _describe(argument, seen)
    if not isinstance(kind, type) or not _is_record(kind) or kind.__qualname__ in seen:
        return
    hints = _hints(kind)
    seen[kind.__qualname__] = ", ".join(f"{name}: {hint}" for name, hint in hints.items())
    for hint in hints.values():
        _describe(hint, seen)


def _is_record(kind: type) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_fields")


def _hints(kind: Any) -> dict[str, Any]:
    """Annotations of the fields, in the order of the constructor."""
    hints = get_type_hints(kind)
    names = kind._fields if hasattr(kind, "_fields") else [field.name for field in fields(kind)]
    return {name: hints[name] for name in names}


def _apply(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)


@cache
def _codec(kind: Any) -> _Codec:
    origin = get_origin(kind) or kind
    if origin in _SCALARS:
        return _PLAIN
    if origin in (Union, UnionType):
        return _optional(kind)
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin in _LISTS:
        return _list(*get_args(kind))
    if origin is deque:
        return _deque(*get_args(kind))
    if origin in _DICTS:
        return _dict(origin, *get_args(kind))
    if isinstance(kind, type) and _is_record(kind):
        return _record(kind)
    raise TypeError(f"{kind} is no annotation of a fold that can be frozen")


def _optional(kind: Any) -> _Codec:
    inner = [argument for argument in get_args(kind) if argument is not type(None)]
    if len(inner) != 1:
        raise TypeError(f"{kind} does not say which of its types a value is")
    codec = _codec(inner[0])

    def over(convert: Convert | None) -> Convert | None:
        return None if convert is None else lambda v: None if v is None else convert(v)

    return _Codec(over(codec.freeze), over(codec.thaw))


def _list(item: Any) -> _Codec:
    codec = _codec(item)

    def over(convert: Convert | None) -> Convert:
        return list if convert is None else lambda values: [convert(v) for v in values]

    return _Codec(over(codec.freeze), over(codec.thaw))


def _deque(item: Any) -> _Codec:
    items = _list(item)
    return _Codec(
        lambda values: [values.maxlen, _apply(items.freeze, values)],
        lambda frozen: deque(_apply(items.thaw, frozen[1]), frozen[0]),
    )


def _tuple(items: tuple[Any, ...]) -> _Codec:
    if len(items) == 2 and items[1] is Ellipsis:
        inner = _list(items[0])
        return _Codec(inner.freeze, lambda values: tuple(_apply(inner.thaw, values)))
    freezers, thawers = _parts(items)

    def frozen(values: Sequence[Any]) -> list[Any]:
        return [_apply(f, v) for f, v in zip(freezers, values, strict=True)]

    def thawed(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([_apply(f, v) for f, v in zip(thawers, values, strict=True)])

    def plain(values: Sequence[Any]) -> tuple[Any, ...]:
        if len(values) != len(items):
            raise ValueError(f"{len(values)} values are no tuple of {len(items)}")
        return tuple(values)

    return _Codec(frozen, thawed if any(thawers) else plain)


def _dict(origin: Any, key: Any, item: Any = int) -> _Codec:
    """An object where names are keys, else pairs; a Counter stays one."""
    build = Counter if origin is Counter else None
    if key is not str:
        return _pairs(build, key, item)
    codec = _codec(item)
    if codec == _PLAIN:
        return _Codec(None, build)

    def over(convert: Convert | None) -> Convert:
        return lambda values: {k: _apply(convert, v) for k, v in values.items()}

    return _Codec(over(codec.freeze), over(codec.thaw))


def _pairs(build: Convert | None, key: Any, item: Any) -> _Codec:
    (freeze_key, freeze_item), (thaw_key, thaw_item) = _parts((key, item))

    def frozen(values: Mapping[Any, Any]) -> list[list[Any]]:
        return [[_apply(freeze_key, k), _apply(freeze_item, v)] for k, v in values.items()]

    def thawed(pairs: Sequence[Any]) -> Any:
        return _apply(build, {_apply(thaw_key, k): _apply(thaw_item, v) for k, v in pairs})

    return _Codec(frozen, thawed)


def _record(kind: type) -> _Codec:
    names = list(_hints(kind))
    freezers, thawers = _parts(tuple(_hints(kind).values()))
    steps = list(zip(names, freezers, strict=True))
    converting = [(number, thawer) for number, thawer in enumerate(thawers) if thawer is not None]

    def frozen(value: Any) -> list[Any]:
        return [
            getattr(value, name) if convert is None else convert(getattr(value, name))
            for name, convert in steps
        ]

    def thawed(values: list[Any]) -> Any:
        if len(values) != len(names):
            raise ValueError(f"{len(values)} values are no {kind.__name__}")
        given = list(values)
        for number, convert in converting:
            given[number] = convert(given[number])
        return kind(*given)

    return _Codec(frozen, thawed)


def _parts(items: tuple[Any, ...]) -> tuple[list[Convert | None], list[Convert | None]]:
    codecs = [_codec(item) for item in items]
    return [codec.freeze for codec in codecs], [codec.thaw for codec in codecs]
