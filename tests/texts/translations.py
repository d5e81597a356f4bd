"""Real text in many languages: the translations that packages of this machine ship (`*.mo`)."""

import gettext
import site
import sys
from functools import cache
from pathlib import Path

_ROOTS = (Path("/usr/share/locale"), Path(sys.prefix) / "share" / "locale")
_FILES, _TEXTS = 8, 400
"""At most so many files of a language are read, and so many of their texts kept."""


@cache
def translations(language: str) -> tuple[str, ...]:
    """Sentences in a language (a code as gettext has it), sorted; none where none are installed."""
    texts: set[str] = set()
    for path in _catalogues().get(language, ())[:_FILES]:
        texts |= _translated(path)
    return tuple(sorted(texts)[:: max(1, len(texts) // _TEXTS)][:_TEXTS])


@cache
def _catalogues() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for root in _ROOTS:
        for path in sorted(root.glob("*/LC_MESSAGES/*.mo")):
            found.setdefault(path.parts[-3], []).append(path)
    for folder in site.getsitepackages():
        for path in sorted(Path(folder).glob("*/locale*/*/LC_MESSAGES/*.mo")):
            found.setdefault(path.parts[-3], []).append(path)
    return found


def _translated(path: Path) -> set[str]:
    with path.open("rb") as file:
        try:
            catalogue = gettext.GNUTranslations(file)._catalog
        except (OSError, UnicodeDecodeError):
            return set()  # A catalogue in another encoding than it says, or an empty one.
    return {text for key, text in catalogue.items() if key and isinstance(text, str) and text}
