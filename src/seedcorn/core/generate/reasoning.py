"""Reasoning traces: `<think>…</think>` is split from the answer, and both are kept.

Only the answer is checked, deduplicated and counted; the trace travels beside it. Where a trace
was found, the answer holds no think tag any more.
"""

from collections.abc import Sequence

OPEN, CLOSE = "<think>", "</think>"


def split(text: str) -> tuple[str | None, str]:
    """(reasoning, answer) of a completion; reasoning is None where there is none.

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
