"""What a seed row is called in lineage and verdicts: by its id where it has one, else by its number.

Rule 1 writes both alike, `docs:4`. Under rule 2 a number is `docs:#4` and an id stands as it is
written; one that begins with `#` gets another, so that no id reads as a number and no two are one.
"""

from collections.abc import Mapping

from seedcorn.core.rule_numbers import ROW_NAMES, number_of

_SIGN = "#"


def numbered(source: str, row: int, rules: Mapping[str, int]) -> str:
    """The name of a row that goes by its number."""
    return f"{source}:{_sign(rules)}{row}"


def identified(source: str, own: str, rules: Mapping[str, int]) -> str:
    """The name of a row with the id `own`."""
    sign = _sign(rules)
    return f"{source}:{sign if sign and own.startswith(sign) else ''}{own}"


def row_of(name: str, rules: Mapping[str, int]) -> tuple[str, int] | None:
    """(source, row) of a name that `numbered` made; None for any other. Under rule 1 an id of digits
    looks like a number."""
    source, colon, rest = name.partition(":")
    sign = _sign(rules)
    digits = rest.removeprefix(sign)
    if not colon or not rest.startswith(sign) or not (digits.isascii() and digits.isdecimal()):
        return None
    return source, int(digits)


def _sign(rules: Mapping[str, int]) -> str:
    return _SIGN if number_of(rules, ROW_NAMES) > 1 else ""
