"""Which script letters belong to, by Unicode block (Unicode Standard, chapter 'Code Charts')."""

import re
from functools import lru_cache

SCRIPTS: dict[str, str] = {
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "armenian": "\u0530-\u058f",
    "bengali": "\u0980-\u09ff",
    "cyrillic": "\u0400-\u052f\u1c80-\u1c8f\ua640-\ua69f",
    "devanagari": "\u0900-\u097f\ua8e0-\ua8ff",
    "georgian": "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "han": "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "hebrew": "\u0590-\u05ff\ufb1d-\ufb4f",
    "kana": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u02af\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\ufb00-\ufb06",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "thai": "\u0e00-\u0e7f",
}
"""Script name to the ranges of a character class."""

_ASCII_LETTERS = re.compile("[A-Za-z]+")
_ASCII = re.compile("[\x00-\x7f]+")


def script_share(text: str, allow: tuple[str, ...]) -> float:
    """Share of the text's letters that belong to one of the scripts; 0 for a text without any."""
    if "latin" in allow and text.isascii():
        return 1.0 if _ASCII_LETTERS.search(text) else 0.0
    ascii_letters = len("".join(_ASCII_LETTERS.findall(text)))
    others = "" if text.isascii() else "".join(filter(str.isalpha, _ASCII.sub("", text)))
    total = ascii_letters + len(others)
    if not total:
        return 0.0
    allowed = (ascii_letters if "latin" in allow else 0) + (
        len("".join(_letters(allow).findall(others))) if others else 0
    )
    return allowed / total


@lru_cache(maxsize=64)
def _letters(allow: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("[" + "".join(SCRIPTS[name] for name in allow) + "]+")
