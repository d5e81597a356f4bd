"""Real text for tests and benchmarks, from what every Python ships: deterministic, no network.

Three sources that differ in kind: the language reference (`topics`), the standard library's
docstrings, and its code. Invariant: no two documents of a source share a fifth of their 8-word
shingles, so a document that is not in one part of a source is new to it.
"""

import ast
import pydoc_data.topics
import re
import sysconfig
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

SOURCES = ("topics", "docstrings", "code")
WORDS = 150
"""Words from which on a document ends with its paragraph."""
LEAST_WORDS = 80
MOST_WORDS = 600
"""Longer paragraphs are tables of data, and left out."""
MOST = 900
"""Documents of one source: about 1 MB."""
_SHARED = 0.2
_WORD = re.compile(r"\w+")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SKIPPED = {"test", "tests", "idlelib", "site-packages", "lib2to3", "turtledemo", "ensurepip"}


@cache
def documents(source: str) -> tuple[str, ...]:
    """The documents of a source, at most 900, each of 80 to 600 words, in hash order.

    Hash order mixes the topics, so that any two parts of the result are of one domain. Raises
    KeyError for an unknown source. The first call takes up to 2 s.
    """
    texts = {"topics": _topics, "docstrings": _docstrings, "code": _code}[source]()
    kept: list[str] = []
    seen: set[str] = set()
    for text in texts:
        for piece in _cut(text):
            shingles = _shingles(piece)
            if len(shingles & seen) < _SHARED * len(shingles):
                kept.append(piece)
            seen |= shingles
        if len(kept) >= MOST:
            break
    return tuple(sorted(kept, key=lambda text: sha256(text.encode()).digest())[:MOST])


def parts(source: str, *sizes: int) -> list[list[str]]:
    """Disjoint parts of a source with so many documents each, such as seed, new text and anchor."""
    texts = documents(source)
    if sum(sizes) > len(texts):
        raise ValueError(f"{source} has {len(texts)} documents, not {sum(sizes)}")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [list(texts[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _topics() -> Iterator[str]:
    for name in sorted(pydoc_data.topics.topics):
        yield pydoc_data.topics.topics[name]


def _docstrings() -> Iterator[str]:
    """Per module, all its docstrings as one text."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in _modules():
        tree = ast.parse(path.read_bytes())
        nodes = (node for node in ast.walk(tree) if isinstance(node, kinds))
        yield "\n\n".join(filter(None, (ast.get_docstring(node) for node in nodes)))


def _code() -> Iterator[str]:
    """Per module, its functions without their docstrings and comments."""
    for path in _modules():
        tree = ast.parse(path.read_bytes())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        yield "\n\n".join(ast.unparse(node) for node in tree.body)


def _modules() -> Iterator[Path]:
    """Modules of the standard library in an order that mixes packages."""
    library = Path(sysconfig.get_paths()["stdlib"])
    paths = [
        path
        for path in library.rglob("*.py")
        if not _SKIPPED & set(path.relative_to(library).parts) and path.stat().st_size < 200_000
    ]
    yield from sorted(paths, key=lambda p: sha256(str(p.relative_to(library)).encode()).digest())


def _cut(text: str) -> Iterator[str]:
    """Paragraphs joined to documents."""
    held: list[str] = []
    words = 0
    for paragraph in _PARAGRAPH.split(text):
        held.append(paragraph)
        words += len(_WORD.findall(paragraph))
        if words >= WORDS:
            if words <= MOST_WORDS:
                yield "\n\n".join(held)
            held, words = [], 0
    if words >= LEAST_WORDS:
        yield "\n\n".join(held)


def _shingles(text: str) -> set[str]:
    words = _WORD.findall(text.lower())
    return {" ".join(words[i : i + 8]) for i in range(max(1, len(words) - 7))}
