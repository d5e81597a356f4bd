"""Documents for the tests of hold-out: texts that share nothing unless they are made to."""

import random

import numpy as np

from seedcorn.core.holdout.clusters import read_documents
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, read_words


def text(number, words=120):
    """A text like no other."""
    stream = random.Random(number)
    return " ".join(f"w{stream.randrange(10**9)}" for _ in range(words))


def documents(texts, ordinals=None, groups=None):
    """Documents with these texts, ordinals and groups."""
    words = read_words(*pack([one.encode() for one in texts]), TextRule.TWO)
    places = np.arange(len(texts)) if ordinals is None else np.array(ordinals, np.int64)
    return read_documents(places, words, groups)
