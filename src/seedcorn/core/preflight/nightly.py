"""Whether what a recipe says about nights makes sense, and its times as values."""

import re
from datetime import date, time

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import Recipe

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
MINUTES = 24 * 60


def check(recipe: Recipe) -> None:
    """Raises RecipeError for the first setting that cannot be meant; every message has its key.

    Whether the time zone exists is known only where zones are: `runtime.driver.night` refuses it.
    """
    spec = recipe.nightly
    time_of("nightly.begins", spec.begins)
    if spec.deadline:
        time_of("nightly.deadline", spec.deadline)
    if spec.key:
        night_date(spec.key)
    lists = (
        ("dedup.against", recipe.dedup.against),
        ("dedup.evaluations", recipe.dedup.evaluations),
        ("ledger.anchor", recipe.ledger.anchor),
        ("ledger.yardstick", recipe.ledger.yardstick),
    )
    for key, sources in lists:
        for number, source in enumerate(sources):
            if source.grows:
                raise RecipeError(f"{key}.{number}.grows: only sources of the seed may grow")


def time_of(key: str, text: str) -> time:
    """`HH:MM` as a time of day; raises RecipeError naming the key.

    YAML reads an unquoted 18:30 as the number 18 * 60 + 30, which says the same.
    """
    if text.isdecimal() and int(text) < MINUTES:
        text = f"{int(text) // 60:02d}:{int(text) % 60:02d}"
    match = _TIME.fullmatch(text)
    if match is None:
        raise RecipeError(f"{key}: {text!r} is no time of day; write it as HH:MM")
    return time(int(match[1]), int(match[2]))


def night_date(key: str) -> date:
    """The evening that a night is called after; raises RecipeError for a key that is no date."""
    try:
        found = date.fromisoformat(key)
    except ValueError:
        found = None
    if found is None or found.isoformat() != key:  # Other ways to write a date name other keys.
        raise RecipeError(f"nightly.key: {key!r} is no night; write it as YYYY-MM-DD")
    return found
