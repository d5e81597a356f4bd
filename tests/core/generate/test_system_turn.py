"""Chat templates with and without a branch for the system turn."""

import jinja2
import pytest

from seedcorn.core.generate.system_turn import drops_system_turn

KEEPS = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>{% endfor %}"
FOLDS = (
    "{% set first = messages[0].content + '\n' if messages[0].role == 'system' else '' %}"
    "{% for m in messages if m.role != 'system' %}[INST]{{ first }}{{ m.content }}[/INST]{% endfor %}"
)
SKIPS = "{% for m in messages if m.role != 'system' %}[INST]{{ m.content }}[/INST]{% endfor %}"
REPLACES = (
    "{% if messages[0].role == 'system' %}<system>You are Bot.</s>{% endif %}"
    "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
)


def rendered_by(template):
    compiled = jinja2.Environment().from_string(template)
    return lambda messages: compiled.render(messages=messages)


@pytest.mark.parametrize(
    ("template", "dropped"), [(KEEPS, False), (FOLDS, False), (SKIPS, True), (REPLACES, True)]
)
def test_system_turn_that_does_not_reach_the_model_is_found(template, dropped):
    assert drops_system_turn(rendered_by(template)) is dropped


def test_template_that_refuses_a_system_turn_says_so_itself():
    refuses = "{{ messages[0].role and {}.missing.attribute }}"
    with pytest.raises(jinja2.UndefinedError):
        drops_system_turn(rendered_by(refuses))
