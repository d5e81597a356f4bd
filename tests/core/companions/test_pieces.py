"""Pieces of long texts: nothing lost, nothing torn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.companions.pieces import PIECE, content_hashes, cut
from seedcorn.core.text.buffers import pack

texts = st.lists(
    st.builds(
        lambda unit, times: unit * times,
        st.text(st.sampled_from("ab é\n界"), min_size=1, max_size=40),
        st.integers(0, 3000),
    ),
    max_size=4,
)


@given(texts)
def test_pieces_join_to_the_documents_and_tear_no_character(documents):
    data, offsets = pack([text.encode() for text in documents])

    ends, owner = cut(data, offsets)

    found = ["" for _ in documents]
    for piece, document in enumerate(owner.tolist()):
        raw = bytes(data[ends[piece] : ends[piece + 1]])
        assert len(raw) <= PIECE + 4
        found[document] += raw.decode()
    assert found == documents


def test_long_text_is_cut_behind_white_space():
    data, offsets = pack([("word " * 20_000).encode()])

    ends, owner = cut(data, offsets)

    assert len(owner) == 7
    assert all(bytes(data[:end])[-1:] == b" " for end in ends[1:])


def test_content_hash_is_of_the_bytes_alone_and_tells_near_ones_apart():
    some = [b"", b"a", b"\0", b"\0\0", b"abcdefgh", b"abcdefgh\0", b"abcdefghi", b"abcdefgi"]
    data, offsets = pack(some)
    alone = [int(content_hashes(*pack([text]))[0]) for text in some]

    assert content_hashes(data, offsets).tolist() == alone
    assert len(np.unique(alone)) == len(some)
