"""Alarms on form across generations: one template, or a few, in place of a language.

Each batch is held against its own generation by `core.ledger.alarms`; here a whole generation is
held against the seed and the generations before it, so that one which is a template from its first
batch on is seen too. Invariant: an alarm takes two things, a figure beyond anything that equal
samples of the seed show and one that differs from the usual by a margin; so new text of the seed's
kind raises none, in any language, and a seed that is itself templated raises none for its like.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple, TypedDict

import numpy as np

from seedcorn.core.companions.diversity import Form, form
from seedcorn.core.identity import uint64
from seedcorn.core.text.words import TextRule

TEXTS = 64
"""Texts of a sample; every figure depends on their number."""
FEWEST = 16
"""Of fewer texts no figure is steady enough."""
CHARS = 600
"""Of each text: longer ones would compress better without being any more alike."""
RESAMPLES = 40
"""Samples of the seed that say what it shows by chance."""


class FormAlarm(TypedDict):
    """A figure of form that left the usual; `text` says it in a sentence."""

    name: str
    value: float
    usual: float
    text: str


class _Limit(NamedTuple):
    text: str
    times: float
    """Beyond this multiple of the usual; below it where that is less than 1."""
    plus: float = 0.0
    """Added to the multiple."""


LIMITS: Mapping[str, _Limit] = {
    "compression_ratio": _Limit(
        "texts compress {value:.1f} times, {usual:.1f} times in {whose}", 1.5
    ),
    "openings": _Limit(
        "{value:.0%} of the texts open with words that another one opens with, {usual:.0%} in {whose}",
        1.0,
        0.25,
    ),
    "repetition": _Limit(
        "{value:.0%} of its four-word sequences stand in another text too, {usual:.0%} in {whose}",
        1.0,
        0.25,
    ),
    "diversity": _Limit(
        "{value:.0%} of the texts are different in effect, {usual:.0%} in {whose}", 0.5
    ),
}
"""Real text of one source stays within a tenth of its mean of each, one template leaves the last by
three times or more."""


def form_alarms(
    texts: Sequence[str],
    seed: Sequence[str],
    earlier: Mapping[int, Sequence[str]],
    rule: TextRule,
) -> list[FormAlarm]:
    """What a sample of a generation raises against one of the seed and those of earlier generations.

    At most 64 of the texts count, from 512 of the seed 40 samples of as many are drawn. None where
    any two of these have fewer than 16. About 15 ms per sample.
    """
    size = min(TEXTS, len(texts), len(seed))
    if size < FEWEST:
        return []
    most = min(CHARS, int(median(len(text) for text in seed)))
    seen = _form(texts, size, most, rule)
    usual = [
        _form(seed, size, most, rule, number)
        for number in range(RESAMPLES if len(seed) > size else 1)
    ]
    found = {alarm["name"]: alarm for alarm in _raised(seen, usual, "the seed")}
    before = [_form(some, size, most, rule) for some in earlier.values() if len(some) >= size]
    if before:
        for alarm in _raised(seen, before, "the generations before"):
            found.setdefault(alarm["name"], alarm)
    return [found[name] for name in LIMITS if name in found]


def _form(texts: Sequence[str], size: int, most: int, rule: TextRule, draw: int = 0) -> Form:
    """The figures of one sample of so many texts, drawn by their content."""
    order = sorted((uint64("form", draw, text), text) for text in texts)
    return form([text[:most] for _, text in order[:size]], rule)


def _raised(seen: Form, usual: Sequence[Form], whose: str) -> list[FormAlarm]:
    alarms: list[FormAlarm] = []
    for name, limit in LIMITS.items():
        values = np.array([one[name] for one in usual])
        middle, value = float(np.median(values)), float(seen[name])
        sign = 1 if limit.times >= 1 else -1
        bound = sign * (limit.times * middle + limit.plus)
        if sign * value > max(bound, float((sign * values).max())):
            text = limit.text.format(value=value, usual=middle, whose=whose)
            alarms.append({"name": name, "value": value, "usual": middle, "text": text})
    return alarms
