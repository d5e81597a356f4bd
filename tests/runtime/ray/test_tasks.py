"""Pieces of work as Ray tasks: every piece once, answers merged in any order, errors as themselves."""

import pytest
import ray

from seedcorn.core.errors import SeedError
from seedcorn.runtime.local.tasks import LocalTasks
from seedcorn.runtime.ray.tasks import RayTasks

pytestmark = pytest.mark.ray


def squares(shared: int, piece: int) -> frozenset[tuple[int, int]]:
    if piece < 0:
        raise SeedError(f"piece {piece} of {shared} cannot be read")
    return frozenset({(piece, shared + piece * piece)})


def both(one: frozenset, other: frozenset) -> frozenset:
    assert not one & other
    return one | other


def inside(pieces: list[int]) -> frozenset:
    """As a task that has others do the pieces."""
    return RayTasks().merged(squares, 100, pieces, both)


@pytest.mark.parametrize("pieces", [[3], list(range(7))])
def test_pieces_are_done_once_each_and_merge_to_what_one_process_says(ray_cluster, pieces):
    expected = LocalTasks().merged(squares, 100, pieces, both)

    assert RayTasks().merged(squares, 100, pieces, both) == expected
    assert ray.get(ray.remote(num_cpus=0)(inside).remote(pieces)) == expected


def test_piece_that_cannot_be_read_raises_its_own_error(ray_cluster):
    with pytest.raises(SeedError, match="piece -1 of 100 cannot be read"):
        RayTasks().merged(squares, 100, [1, -1, 2], both)
