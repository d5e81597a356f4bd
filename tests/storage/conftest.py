"""A sound corpus, grown once, and copies of it to damage."""

import pytest

from tests.corpora.damaging import copy_of
from tests.storage.sound_corpus import NUMBERS, RECIPE, grown


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    return grown(tmp_path_factory.mktemp("seed"), RECIPE)


@pytest.fixture
def store(sound):
    """A copy to damage."""
    return copy_of(sound, f"damaged-{next(NUMBERS)}")
