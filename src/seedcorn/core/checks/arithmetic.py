"""The exact checker of calculations: what passes is verified, as far as its equations go.

It verifies that every equation of the answer is true. It cannot tell whether the story asks for
these equations, so prompts that use it should ask for every step as an equation.
"""

from dataclasses import dataclass
from typing import ClassVar

from seedcorn.core.checks.equations import equations
from seedcorn.core.checks.verdict import Subject

_QUOTED = 80
"""Characters of a wrong equation that its detail shows."""


@dataclass(frozen=True)
class Arithmetic:
    """At least `min_equations` different equations, all of them exactly right.

    Reads whole numbers and decimals with thousands separators, percentages, brackets, + - x / in
    their usual signs, and chains (`2 + 3 = 5 = 10 / 2`). Units and currencies beside numbers are
    ignored. Nothing is rounded: `10 / 3 = 3.33` is wrong. An equation that cannot be read (powers,
    roots, mixed numbers, unknowns) fails the answer, because it cannot be called verified.
    """

    code: ClassVar[str] = "arithmetic"
    verifies: ClassVar[bool] = True
    min_equations: int = 1

    def __post_init__(self) -> None:
        if self.min_equations < 1:
            raise ValueError("min_equations: needs at least 1; no equation verifies nothing")

    def problem(self, subject: Subject) -> str | None:
        """Name the first wrong equation and both values, or how many equations are missing."""
        different: set[str] = set()
        for found in equations(subject.answer):
            if found.problem:
                quoted = found.text if len(found.text) <= _QUOTED else f"{found.text[:_QUOTED]}..."
                return f"{quoted!r}: {found.problem}"
            different.add(found.canonical)
        if len(different) < self.min_equations:
            return f"{len(different)} different equations, needed: {self.min_equations}"
        return None

    def latent(self, answer: str) -> bytes | None:
        """See the function `latent`."""
        return latent(answer)


def latent(answer: str) -> bytes | None:
    """The latent instance z of an answer: the set of its equations in canonical form.

    Two renderings of one calculation (other words, other order, operands of sums and products
    swapped, sides swapped, `1,000` for `1000`) have one z, so distinct z count instances where
    shingles count renderings. None where no equation is there or one of them is not right.
    """
    different: set[str] = set()
    for found in equations(answer):
        if found.problem:
            return None
        different.add(found.canonical)
    return "\n".join(sorted(different)).encode() or None
