"""Anchor documents that the seed has are dropped, generations that have the anchor are flagged."""

import pytest

from seedcorn.core.teaching.hygiene import AnchorShingles, Seen, contaminated
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, Words, read_words
from tests.core.teaching import sources

ANCHOR = sources.documents(40, 2)


def read(*texts: str) -> Words:
    return read_words(*pack([text.encode() for text in texts]), TextRule.TWO)


@pytest.fixture(scope="module")
def anchor() -> AnchorShingles:
    return AnchorShingles(ANCHOR, TextRule.TWO)


def test_documents_with_more_than_a_fifth_known_are_dropped(anchor):
    words = ANCHOR[3].split()
    some = " ".join(words[: 7 + round(0.15 * (len(words) - 7))])
    more = " ".join(ANCHOR[7].split()[: len(ANCHOR[7].split()) // 3])

    seen = anchor.seen(read("quite other text", some, more, ANCHOR[9]))

    kept = anchor.clean(seen)
    assert [number for number, keep in enumerate(kept) if not keep] == [7, 9]
    assert anchor.known(seen)[9] == 1
    assert 0.1 < anchor.known(seen)[3] <= 0.2


def test_parts_of_a_text_join_to_the_whole(anchor):
    texts = [*ANCHOR[:3], *sources.documents(20, 3)]

    parts = anchor.seen(read(*texts[:2])) + anchor.seen(read(*texts[2:])) + anchor.none()

    whole = anchor.seen(read(*texts))
    assert (parts.present == whole.present).all()
    assert (parts.shared, parts.shingles) == (whole.shared, whole.shingles)


def test_generation_is_flagged_beyond_three_times_the_share_of_fresh_text():
    def seen(shared: int) -> Seen:
        return Seen(AnchorShingles([], TextRule.TWO).none().present, shared, 10_000)

    assert contaminated(seen(301), seen(100))
    assert not contaminated(seen(300), seen(100))
    assert not contaminated(seen(60), seen(0))
    assert contaminated(seen(61), seen(0))


def test_an_empty_anchor_sees_nothing():
    assert AnchorShingles([], TextRule.TWO).seen(read("a b c")).shared == 0
