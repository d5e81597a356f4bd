"""Rules have numbers, and a corpus keeps its own.

Whatever decides verdicts or names without standing in the recipe is a rule: what a word is, what a
check means, how a reasoning trace is split off. Better rules get the next number, and the ones
before them stay, so that a generation can be grown on and proved under those it was started with.
They stand in `generation_started` where they are not 1, and never in the fingerprint.
"""

from collections.abc import Mapping

from seedcorn.core.checks import MEANINGS
from seedcorn.core.errors import NEWER, FormatError
from seedcorn.core.log.state import CorpusState
from seedcorn.core.rule_numbers import CHECK, LEDGER_UNIT, REASONING, ROW_NAMES, TEXT, number_of

KNOWN: Mapping[str, tuple[int, ...]] = {
    TEXT: (1, 2),
    LEDGER_UNIT: (1, 2),
    REASONING: (1, 2),
    ROW_NAMES: (1, 2),
    **{f"{CHECK}{code}": tuple(meanings) for code, meanings in MEANINGS.items()},
}
"""The numbers of every rule that this code can follow, the newest one last."""
FIXED = (TEXT, LEDGER_UNIT, ROW_NAMES)
"""Set by the first generation of a corpus: its documents are compared under one rule."""


def rules_of(state: CorpusState) -> dict[str, int]:
    """The rules that all documents of a corpus are compared and named under, as they are stored:
    those that its first generation has set; the newest where there is none yet."""
    return {rule: number for rule, number in rules_for_next(state).items() if rule in FIXED}


def rules_for_next(state: CorpusState) -> dict[str, int]:
    """The rules that the next generation of a corpus starts under, as they are stored: the newest,
    but for those that its first generation has set."""
    chosen = {rule: numbers[-1] for rule, numbers in KNOWN.items()}
    if state.generations:
        first = state.generations[min(state.generations)].rules
        chosen |= {rule: number_of(first, rule) for rule in FIXED}
    return {rule: number for rule, number in chosen.items() if number != 1}


def unknown_rules(rules: Mapping[str, int]) -> list[str]:
    """What this code cannot follow of stored rules, as `name number`, in order."""
    return [
        f"{rule} {number}"
        for rule, number in sorted(rules.items())
        if number not in KNOWN.get(rule, (1,))
    ]


def checks_on_trust(rules: Mapping[str, int]) -> frozenset[str]:
    """Codes of the checks whose verdicts this code cannot give again under stored rules."""
    names = {line.rpartition(" ")[0] for line in unknown_rules(rules)}
    return frozenset(name.removeprefix(CHECK) for name in names if name.startswith(CHECK))


def reads_texts(rules: Mapping[str, int]) -> bool:
    """Whether this code has the rules by which texts are told apart and named under stored ones."""
    return not unknown_rules({rule: number_of(rules, rule) for rule in FIXED})


def reads_names(rules: Mapping[str, int]) -> bool:
    """Whether this code has the rule by which seed rows are named under stored rules."""
    return not unknown_rules({ROW_NAMES: number_of(rules, ROW_NAMES)})


def require_rules(state: CorpusState) -> None:
    """Raise FormatError by name where the corpus cannot be grown under rules of this code: those
    that its first generation has set, and all of the unfinished one."""
    wanted: dict[str, int] = {}
    if state.generations:
        first = state.generations[min(state.generations)].rules
        wanted |= {rule: number for rule, number in first.items() if rule in FIXED}
    if state.unfinished is not None:
        wanted |= state.unfinished.rules
    if missing := unknown_rules(wanted):
        raise FormatError(
            f"the corpus is grown under rules that this seedcorn does not have: "
            f"{', '.join(missing)}; {NEWER}"
        )
