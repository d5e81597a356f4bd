"""Which texts have nothing to see."""

import pytest

from seedcorn.core.text.visible import is_empty


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t\x00\x1f\x7f", "\u00a0\u3000\u2800", "\u200b\u200d\ufeff\ufe0f\u0085\u3164"],
)
def test_text_without_a_visible_character_is_empty(text):
    assert is_empty(text)


@pytest.mark.parametrize(
    "text", [".", "a", "\x00-", "\u0301", "😀", "\u3002", "\ufffd", "\u0601", "2"]
)
def test_text_with_a_visible_character_is_not_empty(text):
    assert not is_empty(text)
    assert not is_empty(f" \u200b{text}\u00a0")
