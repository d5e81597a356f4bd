"""What a template may call, and how large the result can get where it is larger than its input."""

import re
from collections.abc import Callable
from typing import Any

FILTERS = (
    *("abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e"),
    *("escape", "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent"),
    *("int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject"),
    *("rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort"),
    *("string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode"),
    *("wordcount", "wordwrap"),
)
"""Jinja's filters without those that are random (`random`), take time without bound (`striptags`,
`pprint`, `urlize`) or are of no use in a prompt (`xmlattr`)."""

_STR = (
    *("capitalize", "casefold", "center", "count", "endswith", "find", "index", "isalnum"),
    *("isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle"),
    *("isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix"),
    *("replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split"),
    *("splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill"),
)
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_STR),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
"""Methods by type. `format` and `expandtabs` make any size out of a few characters."""

MAX_INDENT = 16
_WIDTH = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{5})")


def _replace(text: Any, old: Any, new: Any, *count: Any, **named: Any) -> int:
    text, old = str(text), str(old)
    return (text.count(old) if old else len(text) + 1) * len(str(new))


def _join(first: Any, second: Any = "", *attribute: Any, **named: Any) -> int:
    """Filter: items, then separator; method: separator, then items."""
    separator, items = (first, second) if isinstance(first, str) else (second, first)
    separator = named.get("d", separator)
    count = len(items) if hasattr(items, "__len__") else 0
    return count * len(str(separator))


def _indent(text: Any, width: Any = 4, *flags: Any, **named: Any) -> int:
    width = named.get("width", width)
    lines = str(text).count("\n") + 1
    return lines * (len(width) if isinstance(width, str) else abs(int(width)))


def _wordwrap(text: Any, width: Any = 79, *rest: Any, **named: Any) -> int:
    wrap = named.get("wrapstring", rest[1] if len(rest) > 1 else "\n")
    return len(str(text)) * max(1, len(str(wrap or "\n")))


def _format(text: Any, *values: Any, **named: Any) -> int:
    text = str(text)
    if _WIDTH.search(text):
        raise ValueError("format: widths are written out, and below 10000")
    longest = sum(len(str(value)) for value in (*values, *named.values()))
    return text.count("%") * longest


def _tojson(value: Any, indent: Any = 0, **named: Any) -> int:
    indent = named.get("indent", indent) or 0
    if not isinstance(indent, int) or indent > MAX_INDENT:
        raise ValueError(f"tojson: indent is a number up to {MAX_INDENT}")
    return len(str(value)) * (6 + 32 * indent)


def _sum(values: Any, attribute: Any = None, start: Any = 0, **named: Any) -> int:
    if not isinstance(named.get("start", start), int | float):
        raise TypeError("sum adds numbers only")
    return 0


ESTIMATES: dict[str, Callable[..., int]] = {
    "replace": _replace,
    "join": _join,
    "indent": _indent,
    "wordwrap": _wordwrap,
    "format": _format,
    "tojson": _tojson,
    "sum": _sum,
}
"""Characters that a filter or method may make of its (already paid) arguments, before it does."""
