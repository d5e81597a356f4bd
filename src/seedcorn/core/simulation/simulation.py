"""Deterministic text with planted flaws: the truth that dedup and ledger are checked against.

Everything is a function of (recipe, generation, index, stratum, parent): which samples repeat
others, which are refused, and every word. Any process can therefore say what any sample is, and
`truth` can say what a ledger must show, without anything having been generated. `poison` is
operational, so it changes no text; it only takes its own index away.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from seedcorn.core.identity import digest, uint64
from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation import texts

VERSION = "1"
"""Changes whenever the same spec would give other texts; part of the engine's name."""

TARGET_ATTEMPTS = 64
TARGET_SCAN = 4096
"""Draws, then steps downwards, spent on finding an original for a planted repetition."""

REFUSAL = "I'm sorry, but I can't help with that. As an AI language model, I cannot write it."

Stratum = Callable[[int, int], str]
"""(generation, index) → stratum, as the plan draws it."""


class Kind(StrEnum):
    """What the simulation makes of one planned sample."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    SEED_COPY = "seed_copy"
    REJECTED = "rejected"
    FAILED = "failed"
    POISON = "poison"
    TEMPLATE = "template"
    PARAPHRASE = "paraphrase"
    SALAD = "salad"


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated completion. `of` is the fresh index that a planted repetition repeats,
    `instance` the number of a template's instance."""

    kind: Kind
    text: str = ""
    of: int | None = None
    instance: int | None = None

    @property
    def words(self) -> int:
        """Words of the text, which count as its tokens."""
        return self.text.count(" ") + 1 if self.text else 0


def simulate(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, parent: str, stratum: str = ""
) -> Simulated:
    """The completion of one planned sample.

    `parent` is only looked at for seed copies and paraphrases, which are fresh texts where it is
    empty; `stratum` only for a planted collapse.
    """
    kind, of = planted(recipe, generation, index, spec, stratum)
    if index in spec.poison:
        return Simulated(Kind.POISON)
    if kind is Kind.TEMPLATE:
        instance = instance_of(recipe, generation, index, spec)
        hit = collapsed(index, spec, stratum)
        return Simulated(kind, texts.templated(recipe, instance, spec, hit), instance=instance)
    if kind is Kind.FAILED:
        return Simulated(kind)
    if kind in (Kind.DUPLICATE, Kind.NEAR_DUPLICATE) and of is not None:
        edited_by = index if kind is Kind.NEAR_DUPLICATE else None
        return Simulated(kind, written(recipe, generation, of, spec, edited_by), of)
    if kind is not Kind.FRESH and (
        text := _planted_text(kind, recipe, generation, index, spec, parent)
    ):
        return Simulated(kind, text)
    return Simulated(Kind.FRESH, written(recipe, generation, index, spec, None))


def _planted_text(
    kind: Kind, recipe: str, generation: int, index: int, spec: SimulatedSpec, parent: str
) -> str:
    """The text of a kind that stands for itself; empty where there is nothing to tell."""
    if kind is Kind.SEED_COPY:
        return parent
    if kind is Kind.REJECTED:
        return f"{REFUSAL} Reference {digest('refusal', recipe, generation, index, size=6).hex()}."
    key = digest(kind.value, recipe, generation, index)
    if kind is Kind.PARAPHRASE and parent:
        return texts.paraphrased(parent, key, spec)
    return texts.salad(key, spec) if kind is Kind.SALAD else ""


def planted(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, stratum: str = ""
) -> tuple[Kind, int | None]:
    """The kind of a sample, poison aside, and the earlier fresh index it repeats, if any."""
    if collapsed(index, spec, stratum):
        return Kind.TEMPLATE, None
    kind = drawn(recipe, generation, index, spec)
    if kind not in (Kind.DUPLICATE, Kind.NEAR_DUPLICATE):
        return kind, None
    # The stratum of another index is not known here, so nothing after a collapse is repeated.
    last = index if spec.collapse_from < 0 else min(index, spec.collapse_from)
    for candidate in candidates(recipe, generation, index, last):
        if drawn(recipe, generation, candidate, spec) is Kind.FRESH:
            return kind, candidate
    return Kind.FRESH, None


def collapsed(index: int, spec: SimulatedSpec, stratum: str) -> bool:
    """Whether a sample fills the one template that its stratum collapsed to."""
    return 0 <= spec.collapse_from <= index and spec.collapse_stratum in ("", stratum)


def instance_of(recipe: str, generation: int, index: int, spec: SimulatedSpec) -> int:
    """The instance a template sample draws: uniform, with replacement, over all generations."""
    return uint64("instance", recipe, generation, index) % spec.template_instances


def drawn(recipe: str, generation: int, index: int, spec: SimulatedSpec) -> Kind:
    """The kind that the rates alone give an index."""
    share = uint64("kind", recipe, generation, index) / 2**64
    for kind, rate in spec.rates:
        if share < rate:
            return Kind(kind)
        share -= rate
    return Kind.FRESH


def candidates(recipe: str, generation: int, index: int, last: int) -> Iterator[int]:
    """Indices below `last` to repeat: hashed draws first, then the nearest ones."""
    if last == 0:
        return
    for attempt in range(TARGET_ATTEMPTS):
        yield uint64("original", recipe, generation, index, attempt) % last
    yield from range(last - 1, max(-1, last - 1 - TARGET_SCAN), -1)


def written(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, edited_by: int | None
) -> str:
    """The fresh text of `index`; `edited_by` names the index whose edits it carries, if any."""
    key = digest("text", recipe, generation, index)
    chosen = texts.fresh(key, spec)
    if edited_by is not None:
        texts.edit(chosen, digest("edit", recipe, generation, edited_by), spec)
    return texts.prose(chosen, key)


def truth(
    recipe: str,
    generation: int,
    samples: int,
    spec: SimulatedSpec,
    stratum: Stratum | None = None,
    before: Sequence[int] | None = None,
) -> dict[Kind, int]:
    """How many of the first `samples` of a generation are what, once all are deduplicated.

    Seed copies and paraphrases assume a parent with text. A poison index leaves nothing to repeat,
    so the first of its repetitions is fresh and the later ones repeat that one. `template` counts
    instances told for the first time, `duplicate` also those told before, in this generation or in
    an earlier one; `before` holds the samples of each earlier generation, by default `samples`.
    Not promised: whether near-duplicate detection keeps what has a kind of its own, such as
    instances that differ in a few slots, or a paraphrase that swaps little.
    Raises ValueError where the collapse of a named stratum is planted and `stratum` is not given.
    """
    counts = dict.fromkeys(Kind, 0)
    first_copies: dict[int, Kind] = {}
    instances_so_far: set[tuple[int, bool]] = set()
    if spec.template_rate or spec.collapse_from >= 0:
        for earlier in range(1, generation):
            size = samples if before is None else before[earlier - 1]
            instances_so_far |= instances(recipe, earlier, size, spec, stratum)
    of_stratum = _strata(spec, stratum)
    for index in range(samples):
        name = of_stratum(generation, index)
        kind, of = planted(recipe, generation, index, spec, name)
        if index in spec.poison:
            kind = Kind.POISON
        elif kind is Kind.TEMPLATE:
            known_before = len(instances_so_far)
            instances_so_far.add(_text_of(recipe, generation, index, spec, name))
            kind = Kind.TEMPLATE if len(instances_so_far) > known_before else Kind.DUPLICATE
        elif of is not None and of in spec.poison:
            kind = _inherited(first_copies, of, kind)
        counts[kind] += 1
    return counts


def instances(
    recipe: str,
    generation: int,
    samples: int,
    spec: SimulatedSpec,
    stratum: Stratum | None = None,
) -> set[tuple[int, bool]]:
    """The distinct texts of the template among the first `samples` of a generation: instance,
    and whether it was told in the collapsed form where that is another text."""
    of_stratum = _strata(spec, stratum)
    found: set[tuple[int, bool]] = set()
    for index in range(samples):
        name = of_stratum(generation, index)
        if index not in spec.poison and (
            planted(recipe, generation, index, spec, name)[0] is Kind.TEMPLATE
        ):
            found.add(_text_of(recipe, generation, index, spec, name))
    return found


def _text_of(
    recipe: str, generation: int, index: int, spec: SimulatedSpec, stratum: str
) -> tuple[int, bool]:
    """What a template sample's text depends on; with slots the collapse changes no text."""
    other_form = collapsed(index, spec, stratum) and not spec.template_slots
    return instance_of(recipe, generation, index, spec), other_form


def _inherited(first_copies: dict[int, Kind], of: int, kind: Kind) -> Kind:
    """What a repetition of a poison index counts as: the first of them takes its place."""
    if of not in first_copies:
        first_copies[of] = kind
        return Kind.FRESH
    return Kind.NEAR_DUPLICATE if first_copies[of] is Kind.NEAR_DUPLICATE else kind


def _strata(spec: SimulatedSpec, stratum: Stratum | None) -> Stratum:
    if stratum is not None:
        return stratum
    if spec.collapse_from >= 0 and spec.collapse_stratum:
        raise ValueError(f"which samples are of stratum {spec.collapse_stratum!r} is not given")
    return lambda generation, index: ""
