"""Reasoning traces are split from the answer, and both are kept.

Only the answer is checked, deduplicated and counted; the trace travels beside it. Rule 1 takes
every `<think>` and `</think>` for a marker, wherever it stands. Rule 2 splits only where chat
template or recipe say that the model thinks, and only a trace that opens the answer: an answer may
write about markers.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seedcorn.core.engine import Completion, EngineInfo, Markers
from seedcorn.core.recipe.reasoning import AUTO, ReasoningSpec
from seedcorn.core.rule_numbers import REASONING, number_of

OPEN, CLOSE = "<think>", "</think>"
_HINTS = ("think", "THINK", "channel", "◁")
"""One of them stands in every marker of a family: looked for first, at a tenth of the cost."""


@dataclass(frozen=True)
class Splitter:
    """Splits the completions of one generation; those of a model that does not think stay whole."""

    rule: int = 1
    markers: Markers | None = None
    prefilled: bool = False

    def split(self, completion: Completion) -> tuple[str | None, str]:
        """(reasoning, answer) of a completion; reasoning is None where there is none.

        What the engine has told apart stays apart. A trace that never closes leaves an empty answer.
        """
        if self.rule == 1:
            return split_anywhere(joined(completion))
        if completion.trace:
            return completion.trace.strip() or None, completion.text.strip()
        if self.markers is None:
            return None, completion.text
        return _split(completion, self.markers, self.prefilled)


def _split(completion: Completion, markers: Markers, prefilled: bool) -> tuple[str | None, str]:
    opening, text = markers.open.strip(), completion.text.lstrip()
    if text.startswith(opening):
        inside = text.removeprefix(opening)
    elif prefilled or completion.prompt_end.rstrip().endswith(opening):
        inside = text
    else:
        announced = bool(markers.answer) and text.startswith(markers.answer)
        return None, _bare(text, markers) if announced else completion.text
    trace, _, answer = inside.partition(markers.close)
    return trace.strip() or None, _bare(answer, markers)


def _bare(answer: str, markers: Markers) -> str:
    """Without what announces it and what ends it."""
    return answer.strip().removeprefix(markers.answer).removesuffix(markers.end).strip()


def splitter(spec: ReasoningSpec, info: EngineInfo, rules: Mapping[str, int]) -> Splitter:
    """How a generation under stored rules splits what an engine that says this of itself writes."""
    markers = info.markers if spec.markers == AUTO and spec.own is None else spec.own
    return Splitter(number_of(rules, REASONING), markers, spec.prefilled)


def counts_marks(rules: Mapping[str, int]) -> bool:
    """Whether batches of a generation under stored rules say how many texts still hold markers."""
    return number_of(rules, REASONING) > 1


def marked(texts: Iterable[str], spec: ReasoningSpec) -> dict[str, int]:
    """How many texts still hold a marker of a trace, by the family that it tells of."""
    strings = spec.strings
    anything = re.compile("|".join(re.escape(string) for string in strings))
    counts: Counter[str] = Counter()
    for text in texts:
        if any(hint in text for hint in (*_HINTS, spec.open or _HINTS[0])):
            counts.update({strings[found] for found in anything.findall(text)})
    return dict(sorted(counts.items()))


def joined(completion: Completion) -> str:
    """A completion with the trace, where the engine told it apart, in the markers of rule 1."""
    trace = f"{OPEN}{completion.trace}{CLOSE}" if completion.trace else ""
    return trace + completion.text


def split_anywhere(text: str) -> tuple[str | None, str]:
    """(reasoning, answer) of a completion under rule 1; reasoning is None where there is none.

    A missing opening tag is normal, because some chat templates write it into the prompt: all
    before the closing tag is reasoning then. A trace that never closes leaves an empty answer.
    Text without a trace comes back unchanged.
    """
    if CLOSE not in text:
        opened = text.lstrip().startswith(OPEN)
        return (_join([text.lstrip()[len(OPEN) :]]) or None, "") if opened else (None, text)
    traces: list[str] = []
    answers: list[str] = []
    *closed, text = text.split(CLOSE)
    for head in closed:
        before, tag, inside = head.partition(OPEN)
        traces.append(inside if tag else before)
        answers.append(before if tag else "")
    answer, _, unclosed = text.partition(OPEN)
    return _join([*traces, unclosed]) or None, _join([*answers, answer])


def _join(parts: Sequence[str]) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())
