"""Names of the rules that have numbers, and how a stored number is read.

Rules as they are stored: a mapping from name to number, in which a rule with number 1 does not
stand. Which numbers this code can follow, and which a generation starts under, is `core.log.rules`.
"""

from collections.abc import Mapping

TEXT = "text"
"""What a token is: dedup, ledger, containment, decontamination, checks that count words."""
LEDGER_UNIT = "ledger_unit"
"""What the ledger counts: distinct shingles (1), or unique tokens (2)."""
REASONING = "reasoning"
"""How a trace is split from the answer."""
ROW_NAMES = "row_names"
"""What a seed row is called in the lineage of its children."""
CHECK = "checks."
"""Before a check's code: what that check means."""


def number_of(rules: Mapping[str, int], rule: str) -> int:
    """The number of a rule among rules as they are stored."""
    return rules.get(rule, 1)


def group_size(rules: Mapping[str, int], samples_per_prompt: int) -> int:
    """How many neighbouring samples the ledger counts as one document: those of one prompt are no
    independent draws. Unit 1 counted each of them."""
    return max(1, samples_per_prompt) if counts_tokens(rules) else 1


def counts_tokens(rules: Mapping[str, int]) -> bool:
    """Whether the ledger's unit is the unique token."""
    return number_of(rules, LEDGER_UNIT) >= 2
