"""Auditing what is unique: the file of questions, and what its verdicts say about precision.

Fingerprints are drawn, not documents: a document weighs as much as it brought that is new, because
unique content is what the precision multiplies. Invariant: a file that lacks a line, repeats one,
or was drawn from another corpus is refused; what an auditor left unanswered is never guessed.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.codec import from_plain, to_plain
from seedcorn.core.errors import SeedcornError
from seedcorn.core.intervals import Interval, clopper_pearson
from seedcorn.core.ledger.rows import Audit
from seedcorn.core.text.shingles import Shingles

PERSON = "person"
"""Auditor of a line whose verdict nobody else claims."""


class AuditError(SeedcornError):
    """An audit that cannot be drawn, or a file of verdicts that does not answer it."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """Everything that a draw is a function of, so that it can be made again."""

    generation: int
    stratum: str
    """Empty: the whole generation."""
    fingerprints: int
    """How many were asked for."""
    entries: int
    """Log entries that it saw."""
    chain: str
    """sha256 of the last of them: no other corpus has it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One document to be judged. `ranks` are the drawn fingerprints it was the first to bring, as
    positions in hash order; `stratum` is its own."""

    id: str
    stratum: str
    text: str
    ranks: tuple[int, ...]
    group: int | None = None
    """Number of its prompt: samples of one prompt are no independent draws. None: it has none but
    this one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of a file of verdicts; `verdict` None: not answered."""

    line: int
    id: str
    text: str
    verdict: bool | None
    auditor: str


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of the drawn unique fingerprints whose first document is right, with 95 % interval."""

    drawn: int
    """Fingerprints judged."""
    right: int
    documents: int
    interval: Interval


def first_holders(wanted: NDArray[np.uint64], shingles: Shingles) -> NDArray[np.int64]:
    """The first document that holds each wanted hash (ascending), -1 where none does."""
    documents = len(shingles.offsets) - 1
    first = np.full(len(wanted), documents, np.int64)
    document = np.repeat(np.arange(documents), np.diff(shingles.offsets))
    place = np.searchsorted(wanted, shingles.hashes)
    known = place < len(wanted)
    known[known] = wanted[place[known]] == shingles.hashes[known]
    np.minimum.at(first, place[known], document[known])
    return np.where(first < documents, first, -1)


def precision(
    questions: Sequence[Question], verdicts: Mapping[str, bool], partial: bool = False
) -> Precision:
    """The precision of the unique content that `questions` were drawn from.

    `verdicts` by document id. Raises AuditError where some are missing. `partial` takes the
    fingerprints before the first unanswered one in hash order, and no others: a hash knows nothing
    of what a document says, so the leading run is a smaller draw, while the answered ones behind
    a gap were picked by whoever left the gap.
    """
    question_of = {rank: question for question in questions for rank in question.ranks}
    answered = next(
        (r for r in sorted(question_of) if question_of[r].id not in verdicts), len(question_of)
    )
    if answered < len(question_of) and not (partial and answered):
        raise AuditError(_unanswered(questions, verdicts, question_of[answered].id, partial))
    weights = [sum(rank < answered for rank in question.ranks) for question in questions]
    right = sum(
        weight
        for weight, question in zip(weights, questions, strict=True)
        if weight and verdicts[question.id]
    )
    documents = sum(weight > 0 for weight in weights)
    groups: Counter[object] = Counter()
    for weight, question in zip(weights, questions, strict=True):
        groups[question.id if question.group is None else question.group] += weight
    interval = clustered_interval(right, list(groups.values()))
    return Precision(answered, right, documents, interval)


def clustered_interval(right: int, weights: Sequence[int]) -> Interval:
    """Clopper and Pearson's interval where documents are judged and fingerprints counted.

    Fingerprints of one document share its verdict, and samples of one prompt tend to, so n of them
    say no more than n^2 / sum(weights^2) single ones (Kish 1965), with a weight for each group of
    them: with one fingerprint per group that is n itself. Whole numbers are taken towards the wider
    interval.
    """
    drawn = sum(weights)
    if not drawn:
        return clopper_pearson(0, 0)
    effective = max(1, drawn**2 // sum(weight**2 for weight in weights))
    low = clopper_pearson(right * effective // drawn, effective).low
    high = clopper_pearson(math.ceil(right * effective / drawn), effective).high
    return Interval(right / drawn, low, high)


def line(
    draw: AuditDraw, question: Question, verdict: bool | None = None, auditor: str = PERSON
) -> str:
    """One question as a line of JSON, the part to fill in first."""
    value = {
        "verdict": verdict,
        "note": "",
        "auditor": auditor,
        "id": question.id,
        "generation": draw.generation,
        "stratum": question.stratum,
        "fingerprints": len(question.ranks),
        "text": question.text,
        "draw": to_plain(AuditDraw, draw),
    }
    return json.dumps(value, ensure_ascii=False)


def parse(data: bytes, where: str) -> tuple[AuditDraw, list[Answer]]:
    """The draw that a file answers, and its lines; raises AuditError naming file and line."""
    draws: dict[AuditDraw, int] = {}
    answers: list[Answer] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw)
            draws.setdefault(from_plain(AuditDraw, value["draw"]), number)
            answers.append(_answer(number, value))
        except (ValueError, KeyError, TypeError) as error:
            raise AuditError(f"{where}, line {number}: not a line of an audit: {error}") from error
    if len(draws) != 1:
        mixed = " and ".join(f"line {number}" for number in draws.values())
        what = f"{mixed} come from different draws" if draws else "holds no line"
        raise AuditError(f"{where}: {what}; give the file that `seedcorn audit` wrote")
    return next(iter(draws)), answers


def check_answers(questions: Sequence[Question], answers: Sequence[Answer], where: str) -> None:
    """Raise AuditError unless there is exactly one line, with its text, for every question."""
    asked = {question.id: question for question in questions}
    seen: dict[str, int] = {}
    for answer in answers:
        question = asked.get(answer.id)
        wrong = ""
        if answer.id in seen:
            wrong = f"repeats line {seen[answer.id]}"
        elif question is None:
            wrong = "was not drawn"
        elif question.text != answer.text:
            wrong = (
                "has a text that differs from the corpus; what was judged is not what is counted"
            )
        if wrong:
            raise AuditError(f"{where}, line {answer.line}: sample {answer.id} {wrong}")
        seen[answer.id] = answer.line
    missing = sorted(asked.keys() - seen.keys())
    if missing:
        raise AuditError(
            f"{where}: {len(missing)} of {len(asked)} samples have no line, such as {missing[0]}; "
            "keep every line, and leave the verdict null where there is no answer"
        )


def measured(draw: AuditDraw, found: Precision, auditor: str, sha256: str) -> Audit:
    """Values of the measurement; its subject is `{"generation": g, "stratum": s}`."""
    return {
        "drawn": found.drawn,
        "right": found.right,
        "documents": found.documents,
        **found.interval.bounds,
        "auditor": auditor,
        "sha256": sha256,
        "entries": draw.entries,
    }


def _answer(number: int, value: dict[str, Any]) -> Answer:
    verdict = value.get("verdict")
    if verdict is not None and not isinstance(verdict, bool):
        raise ValueError(f"verdict is {verdict!r}; write true, false or null")
    name, text, auditor = value["id"], value["text"], value.get("auditor") or PERSON
    if not all(isinstance(item, str) for item in (name, text, auditor)):
        raise ValueError("id, text and auditor must be strings")
    return Answer(number, name, text, verdict, auditor)


def _unanswered(
    questions: Sequence[Question], verdicts: Mapping[str, bool], first: str, partial: bool
) -> str:
    count = sum(question.id not in verdicts for question in questions)
    what = f"{count} of {len(questions)} samples have no verdict, sample {first} first"
    if partial:
        return f"{what}; --partial needs at least the first fingerprint in hash order"
    return f"{what}; answer them, or give --partial to use those before it"
