"""Dataclasses as plain JSON values and back, typed by their annotations, never pickled.

Two forms of one codec. By name, for what is stored and read for ever: `from_plain(kind,
to_plain(kind, value))` equals `value`, and a key that `kind` does not know is refused by name. By
position, for checkpoints, which only the program that wrote them reads: `thaw(kind, freeze(kind,
value))`; `shape(kind)` is stored beside the values and tells a program that has other fields that
they are not its own. Both take every tree of dataclasses, named tuples and standard containers
whose fields are annotated; values annotated `Any` must be JSON already.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

Convert = Callable[[Any], Any]
Kind = TypeVar("Kind")


class UnknownKeys(ValueError):
    """Keys that a kind does not know: written by a program that knows more, or by none."""

    def __init__(self, kind: str, keys: Sequence[str]) -> None:
        """`kind` is the class, `keys` are in order."""
        super().__init__(f"{kind} has no {', '.join(keys)}")
        self.keys_unknown = keys


class _Codec(NamedTuple):
    """How values of one annotation become JSON and come back; None: they are JSON already."""

    encode: Convert | None
    decode: Convert | None


_PLAIN = _Codec(None, None)
_SCALARS = (int, float, str, bool, type(None), Any)
_LISTS = (list, Sequence)
_DICTS = (dict, Mapping, Counter)


def to_plain(kind: Any, value: Any) -> Any:
    """`value`, annotated `kind`, as JSON values, records as objects. Raises TypeError for an
    annotation of no such tree."""
    return _apply(_codec(kind, True).encode, value)


def from_plain(kind: type[Kind], plain: Any) -> Kind:
    """The inverse of `to_plain`. Keys may be absent where a field has a default. Raises UnknownKeys,
    or TypeError, ValueError, KeyError, AttributeError for what is no such tree."""
    return _apply(_codec(kind, True).decode, plain)


def freeze(kind: Any, value: Any) -> Any:
    """`value`, annotated `kind`, as JSON values, records as lists. Raises TypeError for an
    annotation of no such tree."""
    return _apply(_codec(kind, False).encode, value)


def thaw(kind: Any, value: Any) -> Any:
    """The inverse of `freeze`; raises TypeError, ValueError, KeyError, AttributeError or IndexError
    for what it did not write."""
    return _apply(_codec(kind, False).decode, value)


def shape(kind: Any) -> str:
    """Every record below `kind` with its fields and their types, in the order of a walk. Records
    are numbered: moving or renaming a class changes nothing, any field of any of them does."""
    numbers: dict[Any, int] = {}
    described: list[str] = []

    def name(hint: Any) -> str:
        if isinstance(hint, type) and get_origin(hint) is None and _is_record(hint):
            return f"#{number(hint)}"
        inner = ", ".join(map(name, get_args(hint)))
        outer = get_origin(hint) or hint
        base = "union" if outer in (Union, UnionType) else getattr(outer, "__name__", repr(outer))
        return f"{base}[{inner}]" if inner else base

    def number(record: type) -> int:
        if record not in numbers:
            mine = numbers[record] = len(numbers)
            described.append("")
            parts = ", ".join(f"{key}: {name(hint)}" for key, hint in _hints(record).items())
            described[mine] = f"#{mine}({parts})"
        return numbers[record]

    root = name(kind)
    return "; ".join([root, *described])


def _is_record(kind: type) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_fields")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Annotations of the fields, in the order of the constructor."""
    hints = get_type_hints(kind)
    names = kind._fields if hasattr(kind, "_fields") else [field.name for field in fields(kind)]
    return {name: hints[name] for name in names}


def _apply(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)


@cache
def _codec(kind: Any, named: bool) -> _Codec:
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in _SCALARS:
        return _PLAIN
    if origin in (Union, UnionType):
        return _union(kind, named)
    if origin is tuple:
        return _tuple(arguments, named)
    if origin in _LISTS:
        return _list(arguments[0], named)
    if origin is deque:
        return _deque(arguments[0], named)
    if origin in _DICTS:
        key, item = arguments if len(arguments) == 2 else (*arguments, int)
        return _dict(Counter if origin is Counter else None, key, item, named)
    if isinstance(kind, type) and _is_record(kind):
        return _named(kind) if named else _positional(kind)
    raise TypeError(f"{kind} is no annotation of a tree that can be written")


def _union(kind: Any, named: bool) -> _Codec:
    inner = [argument for argument in get_args(kind) if argument is not type(None)]
    if all(argument in _SCALARS for argument in inner):
        return _PLAIN
    if len(inner) != 1:
        raise TypeError(f"{kind} does not say which of its types a value is")
    codec = _codec(inner[0], named)

    def over(convert: Convert | None) -> Convert | None:
        return None if convert is None else lambda v: None if v is None else convert(v)

    return _Codec(over(codec.encode), over(codec.decode))


def _list(item: Any, named: bool) -> _Codec:
    codec = _codec(item, named)

    def over(convert: Convert | None) -> Convert:
        return _items if convert is None else lambda values: [convert(v) for v in _items(values)]

    return _Codec(over(codec.encode), over(codec.decode))


def _items(values: Any) -> list[Any]:
    if isinstance(values, str | Mapping):
        raise TypeError(f"{type(values).__name__} is no list")
    return list(values)


def _deque(item: Any, named: bool) -> _Codec:
    items = _list(item, named)
    return _Codec(
        lambda values: [values.maxlen, _apply(items.encode, values)],
        lambda written: deque(_apply(items.decode, written[1]), written[0]),
    )


def _tuple(items: tuple[Any, ...], named: bool) -> _Codec:
    if len(items) == 2 and items[1] is Ellipsis:
        inner = _list(items[0], named)
        return _Codec(inner.encode, lambda values: tuple(_apply(inner.decode, values)))
    encoders, decoders = _parts(items, named)

    def encode(values: Sequence[Any]) -> list[Any]:
        return [_apply(f, v) for f, v in zip(encoders, values, strict=True)]

    def decode(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([_apply(f, v) for f, v in zip(decoders, values, strict=True)])

    def plain(values: Sequence[Any]) -> tuple[Any, ...]:
        if len(values) != len(items):
            raise ValueError(f"{len(values)} values are no tuple of {len(items)}")
        return tuple(values)

    return _Codec(encode, decode if any(decoders) else plain)


def _dict(build: Convert | None, key: Any, item: Any, named: bool) -> _Codec:
    """An object where names are keys, else pairs; a Counter stays one."""
    if key is not str:
        return _pairs(build, key, item, named)
    codec = _codec(item, named)
    if codec == _PLAIN:
        return _Codec(None, build)

    def over(convert: Convert | None) -> Convert:
        return lambda values: {k: _apply(convert, v) for k, v in values.items()}

    return _Codec(over(codec.encode), over(codec.decode))


def _pairs(build: Convert | None, key: Any, item: Any, named: bool) -> _Codec:
    (encode_key, encode_item), (decode_key, decode_item) = _parts((key, item), named)

    def encode(values: Mapping[Any, Any]) -> list[list[Any]]:
        return [[_apply(encode_key, k), _apply(encode_item, v)] for k, v in values.items()]

    def decode(pairs: Sequence[Any]) -> Any:
        return _apply(build, {_apply(decode_key, k): _apply(decode_item, v) for k, v in pairs})

    return _Codec(encode, decode)


def _named(kind: type) -> _Codec:
    hints = _hints(kind)
    codecs = {name: _codec(hint, True) for name, hint in hints.items()}
    decoding = [(name, c.decode) for name, c in codecs.items() if c.decode is not None]

    def encode(value: Any) -> dict[str, Any]:
        return {name: _apply(c.encode, getattr(value, name)) for name, c in codecs.items()}

    def decode(values: Any) -> Any:
        given = dict(values)
        if given.keys() - hints.keys():
            raise UnknownKeys(kind.__name__, sorted(map(str, given.keys() - hints.keys())))
        for name, convert in decoding:
            if name in given:
                given[name] = convert(given[name])
        return kind(**given)

    return _Codec(encode, decode)


def _positional(kind: type) -> _Codec:
    names = list(_hints(kind))
    encoders, decoders = _parts(tuple(_hints(kind).values()), False)
    steps = list(zip(names, encoders, strict=True))
    decoding = [(number, decoder) for number, decoder in enumerate(decoders) if decoder is not None]

    def encode(value: Any) -> list[Any]:
        return [
            getattr(value, name) if convert is None else convert(getattr(value, name))
            for name, convert in steps
        ]

    def decode(values: list[Any]) -> Any:
        if len(values) != len(names):
            raise ValueError(f"{len(values)} values are no {kind.__name__}")
        given = list(values)
        for number, convert in decoding:
            given[number] = convert(given[number])
        return kind(*given)

    return _Codec(encode, decode)


def _parts(
    items: tuple[Any, ...], named: bool
) -> tuple[list[Convert | None], list[Convert | None]]:
    codecs = [_codec(item, named) for item in items]
    return [codec.encode for codec in codecs], [codec.decode for codec in codecs]
