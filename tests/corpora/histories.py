"""A pass over a history that fits into memory, for tests and benchmarks of what it finds."""

import numpy as np

from seedcorn.core.companions.companions import Before, companions
from seedcorn.core.companions.neighbours import GROWN, REAL, HistoryPass
from seedcorn.core.text.buffers import pack


def found_in(index, history, grown=(), documents=()):
    """What history has to say to the queries: real texts, samples of earlier generations, and the
    generation's own documents in their order."""
    past = HistoryPass(index)
    for texts, kind in ((history, REAL), (grown, GROWN)):
        past.look(*packed(texts), np.full(len(texts), -1), kind)
    past.look(*packed(documents), np.arange(len(documents)), GROWN)
    return past.found()


def companions_of(sample, history, grown=(), missing=()):
    """The companions of a sample that is all of its generation; `missing`: texts of history that the
    pass did not reach."""
    index = sample.index()
    seen = [text for text in history if text not in missing]
    found = found_in(index, seen, grown, sample.documents)
    return companions(sample, index, found, Before(history, {1: grown} if grown else {}))


def packed(texts):
    """Texts as a pass takes them."""
    return pack([text.encode() for text in texts])
