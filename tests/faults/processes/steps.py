"""Steps of the protocol, as they look from the store: an operation and the key it touches."""

import re

STEPS = (
    ("put", r"seeds/.*", "seed PUT"),
    ("put", r"writer\.json", "heartbeat PUT"),
    ("get", r"writer\.json", "heartbeat GET"),
    ("put", r"log/.*", "log PUT"),
    ("get", r"log/.*", "log GET"),
    ("list", r"log/.*", "log LIST"),
    ("list", r"staging/.*", "staging LIST"),
    ("put", r"staging/.*", "segment PUT"),
    ("get", r"staging/.*", "seal GET"),
    ("delete", r"staging/.*", "staging DELETE"),
    ("put", r"data/.*", "data PUT"),
    ("get", r"data/.*", "parent GET"),
    ("put", r"dropped/.*", "dropped PUT"),
    ("put", r"sketches/.*", "sketch PUT"),
    ("get", r"sketches/.*", "sketch GET"),
    ("put", r"measurements/.*", "measurement PUT"),
    ("put", r"checkpoints/.*\.npz", "checkpoint part PUT"),
    ("put", r"checkpoints/.*manifest\.json", "checkpoint manifest PUT"),
    ("get", r"checkpoints/.*", "checkpoint GET"),
    ("list", r"checkpoints/.*", "checkpoint LIST"),
    ("delete", r"checkpoints/.*", "checkpoint DELETE"),
    ("list", r"(data|dropped)/.*", "gc LIST"),
    ("delete", r"(data|dropped)/.*", "gc DELETE"),
    ("get", r"seeds/.*", "seed GET"),
)
NAMES = frozenset(name for _, _, name in STEPS)
SAVING = ("segment PUT", "data PUT")
"""Steps by which work is saved."""


def step_of(operation: str, key: str) -> str:
    """The step's name; `other` for what is no part of the protocol, such as the first probe."""
    for wanted, pattern, name in STEPS:
        if operation == wanted and re.fullmatch(pattern, key):
            return name
    return "other"
