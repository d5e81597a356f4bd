"""Nearest pieces: the source of a copy is found, and nobody sees what he may not see."""

import numpy as np

from seedcorn.core.companions.neighbours import PIECE, nearest, pool
from seedcorn.core.text.words import NEWEST

FIELD = "corn grows in the field behind the old mill where the river bends"
SEA = "ships cross the cold sea under a pale moon while the harbour sleeps"
STAR = "a star collapses into itself until light can no longer leave it"


def found(documents, history, own=(), wanted=2):
    pieces = pool(documents, history, own)
    return pieces, nearest(pieces, wanted, NEWEST)


def test_nearest_of_an_edited_copy_is_its_source_then_what_shares_less():
    edited = FIELD.replace("old mill", "new barn")

    _, near = found([edited, STAR + " again"], [SEA, FIELD, STAR])

    assert near[0].tolist()[0] == 1
    assert near[1].tolist()[0] == 2


def test_document_meets_those_before_it_and_never_those_after():
    _, near = found([FIELD, FIELD, SEA, FIELD], [SEA], wanted=3)

    assert near[0].tolist() == [0, -1, -1]
    assert near[1].tolist()[0] == 1
    assert near[2].tolist()[0] == 0
    assert near[3].tolist()[:2] == [1, 2]


def test_own_candidates_are_seen_by_their_document_alone():
    pieces, near = found([FIELD + " today", FIELD + " now"], [SEA, STAR], [(), (FIELD, SEA)], 3)

    assert pieces.own == [(4, 4), (4, 5)]
    assert pieces.texts[4] == FIELD
    assert 4 not in near[0]
    assert near[1].tolist()[:2] == [2, 4]


def test_pieces_that_share_no_word_are_not_near():
    _, near = found(["wholly different utterance"], [FIELD, SEA])

    assert near.tolist() == [[-1, -1]]


def test_template_that_most_pieces_share_still_makes_its_fillings_near():
    fillers = [f"x{i}" for i in range(150)]
    form = "dear {} we are glad to tell you that your order {} has left our house"
    documents = [form.format(a, b) for a, b in zip(fillers[::2], fillers[1::2], strict=True)]
    history = [f"y{i} z{i} {SEA if i % 2 else STAR}" for i in range(20)]

    _, near = found(documents, history, wanted=1)

    assert (near[1:, 0] >= 20).all()


def test_long_document_is_cut_into_pieces_that_join_to_it_and_find_their_places():
    chapters = [" ".join(f"{name}{i}" for i in range(2000)) for name in ("ab", "cd", "ef")]
    book = " ".join(chapters)

    pieces, near = found([chapters[2]], [book, FIELD], wanted=1)

    book_pieces = pieces.texts[: pieces.history - 1]
    assert "".join(book_pieces) == book
    assert max(map(len, pieces.texts)) <= 1.01 * PIECE
    assert (near[:, 0] == len(book_pieces) - 1).any()
    assert pieces.starts == [pieces.history, pieces.history + len(near)]


def test_no_documents_have_no_neighbours():
    _, near = found([], [FIELD])

    assert near.shape == (0, 2)
    assert near.dtype == np.int64
