"""Whether a model's chat template shows the model its system turn: many have no branch for one."""

from collections.abc import Callable, Sequence

from seedcorn.core.engine import Message

Render = Callable[[Sequence[Message]], str]
"""A chat as the model reads it; raises whatever it raises for a chat that it refuses."""
_SYSTEM = Message("system", "mark 4f1c of a system turn")
_USER = Message("user", "a question")


def drops_system_turn(render: Render) -> bool:
    """Whether what a system turn says never reaches the model; raises what `render` raises.

    Its own words are looked for: a template that answers any system turn with a default of its own
    renders the two chats differently, and drops the turn all the same.
    """
    return _SYSTEM.content not in render((_SYSTEM, _USER))
