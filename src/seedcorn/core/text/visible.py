"""Whether there is anything to see in a text: white space, controls and format characters are not."""

from functools import cache

from seedcorn.core.text.unicode_data import unicode_data

_BLANK = 0x2800
"""A braille pattern without a dot."""


def is_empty(text: str) -> bool:
    """Whether a text has no visible character."""
    return not any(map(_visible, text))


@cache
def _visible(character: str) -> bool:
    code = ord(character)
    control = code < 0x20 or 0x7F <= code < 0xA0
    return not (control or code == _BLANK or code in _unseen())


@cache
def _unseen() -> frozenset[int]:
    """Code points of white space and of invisible format characters."""
    classes = unicode_data().classes
    return frozenset(
        code for first, last, name in classes if name in "WI" for code in range(first, last + 1)
    )
