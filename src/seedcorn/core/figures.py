"""Numbers as a person reads them: counts with their noun, magnitudes, bounds, bytes and times.

Invariant: no figure is written with an exponent.
"""

from math import floor, log10

from seedcorn.core.intervals import Bounds

SMALL, LEAST = 1e-3, 1e-6
"""Below the first a figure has two digits; below the second it is almost 0."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """The count with its noun, in the plural unless it is one; `plural` where it is not `noun`s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def scaled(value: float) -> str:
    """A number with three significant digits and k, M, G or T: `4.10 M`, `41.0 k`, `312`.

    Below 1 the digits are written out, `0.000074`, down to a millionth.
    """
    suffixes = ["", " k", " M", " G", " T"]
    while abs(value) >= 999.5 and len(suffixes) > 1:
        value /= 1000
        suffixes.pop(0)
    if not suffixes[0]:
        return _without_suffix(value)
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}{suffixes[0]}"


def _without_suffix(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return _written_out(value, 3 if abs(value) >= SMALL else 2)


def _written_out(value: float, digits: int) -> str:
    """So many significant digits, never with an exponent, without zeros at the end."""
    if 0 < abs(value) < LEAST:
        return "almost 0"
    places = max(digits - 1 - floor(log10(abs(value))), 0) if value else 0
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def margin(half: float, estimate: float) -> str:
    """Half an interval in per cent of its estimate: `±1.2 %`, `±0.04 %`, `±140 %`."""
    return f"±{_written_out(100 * half / estimate, 2)} %"


def percent(share: float) -> str:
    """A share as per cent, one decimal where it says something: `4.2 %`, `61 %`, `99.6 %`."""
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 10 or 99 < value < 100 else f"{value:.0f} %"


def short_share(value: float) -> str:
    """A share without its leading zero: `.98`, `1.00`."""
    return f"{value:.2f}".removeprefix("0")


def error(bounds: Bounds) -> str:
    """How far off an estimate may be: `exact`, or half its interval in per cent."""
    if bounds["low"] == bounds["high"]:
        return "exact"
    if bounds["estimate"] == 0:
        return f"at most {scaled(bounds['high'])}"
    return margin((bounds["high"] - bounds["low"]) / 2, bounds["estimate"])


def with_bounds(bounds: Bounds) -> str:
    """Estimate and ends: `38.0 k [30.0 k, 44.0 k]`."""
    return f"{scaled(bounds['estimate'])} [{scaled(bounds['low'])}, {scaled(bounds['high'])}]"


def size(count: float) -> str:
    """Bytes for a person, decimal: `312 B`, `4.10 MB`."""
    text = scaled(count)
    return f"{text}B" if text[-1:].isalpha() else f"{text} B"


def duration(seconds: float) -> str:
    """A time for a person, with two units at most: `40 s` (never less than 1), `12 min`, `3 h 20 min`, `5 d 2 h`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds)) if seconds else 0} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
