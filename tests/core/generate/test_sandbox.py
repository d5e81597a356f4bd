"""The meter of templates: what it counts, deterministically, and what it lets pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError

from seedcorn.core.generate.sandbox import WORK, OverBudget, Sandbox, metered

SANDBOX = Sandbox()


def text_of(template, **values):
    return "".join(metered(SANDBOX.compiled(template), values))


def test_loop_within_the_budget_renders_and_one_beyond_it_fails():
    loop = "{% for a in range(n) %}{% for b in range(n) %}{% endfor %}{% endfor %}done"
    assert text_of(loop, n=100) == "done"
    with pytest.raises(OverBudget, match=str(WORK)):
        text_of(loop, n=1000)


def test_budget_is_one_per_rendering():
    template = SANDBOX.compiled("{% for a in range(60000) %}{% endfor %}x")
    assert ["".join(metered(template, {})) for _ in range(3)] == ["x"] * 3


@pytest.mark.parametrize("value", ["[1].index", "range", "[1]|map('string')", "'a'.upper"])
def test_value_whose_text_would_hold_an_address_is_not_printed(value):
    with pytest.raises(SecurityError, match="no value"):
        text_of("{{ " + value + " }}")


def test_generator_is_computed_where_its_items_are_needed():
    assert (
        text_of("{{ [1, 2]|map('string')|join('-') }}{{ '1' in [1]|map('string') }}") == "1-2True"
    )


def test_method_outside_the_list_is_refused_by_name():
    with pytest.raises(SecurityError, match="method 'encode' of str"):
        text_of("{{ 'x'.encode() }}")


@given(text=st.text(max_size=30), other=st.text(max_size=5))
def test_metering_does_not_change_what_a_template_says(text, other):
    template = "{{ a ~ b }}|{{ a + b }}|{{ a[1:] }}|{{ a == b }}|{{ a < b }}|{{ b in a }}"
    said = (
        f"{text + other}|{text + other}|{text[1:]}|{text == other}|{text < other}|{other in text}"
    )
    assert text_of(template, a=text, b=other) == said
