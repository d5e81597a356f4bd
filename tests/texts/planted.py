"""Documents in the scripts of `scripts` and in five programming languages, with copies planted."""

import itertools

import numpy as np

from tests.corpora.reading import plain_words
from tests.texts.scripts import SCRIPTS

CODE = {
    "Python": ["{a} = {b}[{n}] + {c}", "if {a} % {n} == {c}:", "    return {b} ** {n} - {a}"],
    "C": ["{a} = *{b} << {n};", "if ({a} & {c}) {b}[{n}] -= {a};", "while ({c}-- > {n}) {a}++;"],
    "JavaScript": ["let {a} = ({b}) => {b} * {n} + {c};", "{a} ||= `${{{b}}}px`;", "{c} /= {n};"],
    "Rust": [
        "let {a} = &{b}[{n}..];",
        "{a} += {b} as u32 * {n};",
        "match {c} | {a} {{ {n} => 1 }}",
    ],
    "SQL": ["SELECT {a} * {n} FROM {b}", "WHERE {a} > {n} AND {b} <> {c}", "ORDER BY {c} / {n}"],
}
"""Lines with names `a`, `b`, `c` and a number `n`."""
SUBJECTS = [*SCRIPTS, *CODE]
DOCUMENTS = 12
_PIECES, _LINES = 150, 37
"""Words or characters that a document is made of; lines of a document of code."""
_NAMES = ["_".join(pair) for pair in itertools.product("xyzuvw", ("row", "sum", "at", "of"))]


def planted(subject: str, seed: int) -> tuple[list[str], list[str]]:
    """(documents of one subject, a near copy of each, with more edits from one to the next)."""
    rng = np.random.default_rng([seed, SUBJECTS.index(subject)])
    pieces = np.array(_code(subject, rng) if subject in CODE else _words(subject))
    size = _LINES if subject in CODE else _PIECES
    between = "\n" if subject in CODE else " " * SCRIPTS[subject].spaced
    documents, copies = [], []
    for number in range(DOCUMENTS):
        document = rng.choice(pieces, size)
        copy, edits = document.copy(), 1 + number * size // _PIECES
        copy[rng.choice(size, edits, replace=False)] = rng.choice(pieces, edits)
        documents.append(between.join(document))
        copies.append(between.join(copy))
    return documents, copies


def spaced_out(text: str) -> str:
    """The same text in other white space."""
    wider = text.replace(" ", " \u00a0 ").replace("\n", "\r\n\t")
    return f"\u3000\n{wider} \u2028"


def _words(script: str) -> list[str]:
    known = sorted(set(plain_words(SCRIPTS[script].text)))
    pairs = itertools.product(known, repeat=2)
    return ["".join(pair) for pair in pairs] if SCRIPTS[script].spaced else known


def _code(language: str, rng: np.random.Generator) -> list[str]:
    lines = CODE[language] * 200
    names = rng.choice(_NAMES, (len(lines), 3)).tolist()
    numbers = rng.integers(100, size=len(lines)).tolist()
    return [
        line.format(a=a, b=b, c=c, n=n)
        for line, (a, b, c), n in zip(lines, names, numbers, strict=True)
    ]
