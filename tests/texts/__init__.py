"""Texts written for this project, one a line (`⏎` for a new line): answers that refuse, ordinary ones.

Those `held_out` were written after the expressions of `core.checks.refusal_phrases`, on purpose in
unusual forms: what they show is how far the check reaches beyond what it was written on.
"""

from pathlib import Path

_HERE = Path(__file__).parent


def refusals(held_out: bool = False) -> list[str]:
    """Answers of many models' styles that turn a request down."""
    return _lines("refusals", held_out)


def ordinary(held_out: bool = False) -> list[str]:
    """Stories, letters, essays and instructions that a refusal's words occur in."""
    return _lines("ordinary", held_out)


def _lines(name: str, held_out: bool) -> list[str]:
    file = _HERE / f"{name}{'_held_out' * held_out}.txt"
    return [line.replace("⏎", "\n") for line in file.read_text(encoding="utf-8").splitlines()]
