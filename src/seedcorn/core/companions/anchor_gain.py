"""ΔA: what new text teaches a language model about real text that nobody trained on.

The one companion that uses outside information. Invariant: copies of the old text give exactly the
model of the old text at every mixing weight, so they gain nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.companions.language_model import (
    Evidence,
    Tokens,
    Vocabulary,
    document_bits,
    evidence,
    fit,
    per_byte,
    token_bits,
)
from seedcorn.core.identity import uint64
from seedcorn.core.intervals import Interval
from seedcorn.core.text.words import NEWEST, TextRule

WEIGHTS = (1.0, 0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
"""Weights of the old counts that are tried. 1 is among them: new text may be ignored."""
NEGLIGIBLE = 0.005
"""Bits per byte: a gain whose lower end is not above this is no gain. Copies of old text, cut anew
or reworded, shift its counts a little: up to .002, which may differ from 0 and teaches nothing."""


def anchor_gain(
    anchor: Sequence[str],
    old: Sequence[str],
    new: Sequence[str],
    seed: int = 0,
    rule: TextRule = NEWEST,
) -> Interval:
    """ΔA in bits per byte: bpb(anchor | old) - min over w of bpb(anchor | w old + (1 - w) new).

    w is tuned on one half of the anchor and scored on the other, both ways round; halves are made
    by content. 95 % bootstrap interval over anchor documents. Documents in any order give the same
    result. New text of the domain gives .15 to .3 where it doubles the old and about .02 where it
    adds a twelfth: keep the two samples within a factor of ten. Unknown words count as well, in any
    order: the order gap must stand beside it. The anchor must be held out of `old`. About .2 s per
    megabyte. Raises ValueError where the anchor has fewer than two distinct documents, or no words.
    """
    ranked = sorted(set(anchor), key=lambda text: (uint64("anchor", seed, text), text))
    if len(ranked) < 2:
        raise ValueError(
            f"the anchor has {len(ranked)} distinct documents; one half tunes and the other "
            "scores: give at least two, better a hundred"
        )
    vocabulary = Vocabulary(rule)
    texts = [vocabulary.read(part) for part in (sorted(old), sorted(new), ranked)]
    tokens = texts[2]
    known = [evidence(fit(text, vocabulary), tokens, vocabulary) for text in texts[:2]]
    return per_byte(_gains(known, tokens), tokens.bytes, seed)


def _gains(known: Sequence[Evidence], tokens: Tokens) -> NDArray[np.float64]:
    """Bits saved per document under the weight that suits the other half best."""
    bits = np.array([document_bits(token_bits(known, [w, 1 - w]), tokens) for w in WEIGHTS])
    side = np.arange(len(tokens.bytes)) % 2
    gains = np.zeros(len(tokens.bytes))
    for half in (0, 1):
        best = int(np.argmin(bits[:, side != half].sum(axis=1)))
        gains[side == half] = (bits[0] - bits[best])[side == half]
    return gains
