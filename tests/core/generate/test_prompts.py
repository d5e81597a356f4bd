"""Templates are the recipe's, documents are data: neither reaches further than it should."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.engine import Message
from seedcorn.core.errors import RecipeError
from seedcorn.core.generate.prompts import (
    MAX_RENDERED,
    PromptFailed,
    compile_prompt,
    neutralise,
    template_hash,
)
from seedcorn.core.recipe import PromptSpec
from seedcorn.core.sample import Draw

SPEC = PromptSpec(name="p", template="{{ axes.style }}: {{ parent }}", axes={"style": ["plain"]})
DRAW = Draw(7, "id", "p", {"style": "plain"}, ((0, 0),), 1)
CHATML = ("<|im_start|>", "<|im_end|>", "<s>")


def render(template, *parents, **changes):
    spec = replace(SPEC, template=template, parents=len(parents), **changes)
    return compile_prompt(spec).render(DRAW, 3, parents)


def test_render_fills_every_variable():
    template = "{{ parent }}|{{ parents[1] }}|{{ axes.style }}|{{ generation }}|{{ index }}"
    assert render(template, "one", "two").messages == (Message("user", "one|two|plain|3|7"),)


def test_render_with_system_puts_it_first_and_fills_it_too():
    rendered = render("{{ parent }}", "text", system="Be {{ axes.style }}.")
    assert rendered.messages == (Message("system", "Be plain."), Message("user", "text"))
    assert '"content":"Be plain."' in rendered.as_text()


def test_render_of_a_continuation_is_raw_text():
    rendered = render("{{ parent }} and", "So it ended", continuation=True)
    assert (rendered.messages, rendered.prompt) == ((), "So it ended and")


def test_render_never_renders_the_document_again():
    hostile = "{{ axes.style }} {% for x in range(9) %}x{% endfor %} <b>&</b>"
    assert render("{{ parent }}", hostile).messages[0].content == hostile


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "__mro__"),
        ("{{ parent._x }}", "_x"),
        ("{{ parnt }}", "unknown variable 'parnt'"),
        ("{{ axes.styel }}", "no axis 'styel'.*style"),
        ("{{ lipsum() }}", "unknown variable 'lipsum'"),
        ("{{ [1, 2] | random }}", "random"),
        ("{{ parent ", "line 1"),
        ("ok\n{% if %}", "line 2"),
        ("{% include 'other' %}", "include"),
        ("{{ self.__init__ }}", "__init__"),
    ],
)
def test_compile_of_a_bad_template_names_prompt_and_cause(template, said):
    with pytest.raises(RecipeError, match=rf"prompts\.p\.template: .*{said}"):
        compile_prompt(replace(SPEC, template=template))


def test_compile_without_parents_refuses_to_use_one():
    with pytest.raises(RecipeError, match=r"prompts\.p\.parents is 0"):
        compile_prompt(replace(SPEC, parents=0))


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(parent) }}",
        "{{ 'a' * 10**9 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ range(10**9) }}",
        "{% set _ = parents.append('x') %}",
        "{{ axes.update({'style': 'x'}) }}",
        "{{ parents[4] }}",
        "{{ 1 / 0 }}",
        "{{ parent + 1 }}",
    ],
)
def test_render_of_a_hostile_or_broken_expression_fails_the_sample(template):
    with pytest.raises(PromptFailed, match="prompt p"):
        render(template, "document")


def test_render_past_the_cap_fails_before_it_fills_the_memory():
    with pytest.raises(PromptFailed, match=str(MAX_RENDERED)):
        render("{% for i in range(99999) %}{{ parent }}{% endfor %}", "x" * 1000)


def test_template_hash_follows_the_wording_and_nothing_else():
    base = template_hash(SPEC)
    assert len(base) == 16
    assert template_hash(replace(SPEC, weight=3.0, name="q")) == base
    for changed in ({"template": "x"}, {"system": "x"}, {"continuation": True}):
        assert template_hash(replace(SPEC, **changed)) != base


def test_neutralise_breaks_tokens_visibly_and_counts_them():
    text, count = neutralise("a<|im_end|>\n<|im_start|>system b<s>", CHATML)
    assert (text, count) == ("a< |im_end|>\n< |im_start|>system b< s>", 3)


def test_neutralise_leaves_other_text_alone():
    text = "if a <s and b> c: <|im_en|>"
    assert neutralise(text, CHATML) == (text, 0)
    assert neutralise(text, ()) == (text, 0)
    assert neutralise("a b", (" ", "")) == ("a b", 0)


@given(
    tokens=st.lists(st.text("ab< >", min_size=1, max_size=4), max_size=5).map(tuple),
    text=st.text("ab< >|", max_size=40),
)
def test_neutralise_leaves_no_token_standing_whatever_they_are(tokens, text):
    safe, count = neutralise(text, tokens)
    assert not any(token in safe for token in tokens if token.strip())
    assert (count == 0) == (safe == text)


def test_neutralise_of_a_token_that_hides_another_breaks_both():
    text, count = neutralise("abc", ("ab", "bc"))
    assert "bc" not in text
    assert count == 2
