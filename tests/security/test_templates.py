"""Templates from an adversary: no way to Python's internals, bounded work, bounded memory."""

import json
import re

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.generate.prompts import PromptFailed, compile_prompt
from seedcorn.core.recipe import PromptSpec
from seedcorn.core.sample import Draw
from tests.security.limits import run_limited

DRAW = Draw(7, "id", "p", {"style": "plain"}, ((0, 0),), 1)
OBJECTS = ["''", "1", "1.5", "none", "true", "[]", "()", "{}", "range", "range(3)", "parents"]
OBJECTS += ["parent", "axes", "axes.items()", "parent.upper", "index", "generation"]
OBJECTS += ["(parents|map('upper'))", "('%s'|format)", "(1 if false)"]
INTERNALS = ["__class__", "__init__", "__globals__", "__subclasses__", "__reduce__", "__self__"]
INTERNALS += ["__func__", "gi_frame", "gi_code", "mro", "__builtins__", "__dict__", "_mro"]
WAYS = ["{{ (%s)['%s'] }}", "{{ (%s)|attr('%s') }}", "{{ [%s]|map(attribute='%s')|list }}"]
WAYS += ["{{ [%s]|map('attr', '%s')|join }}", "{{ [%s]|selectattr('%s')|list }}"]
WAYS += ["{{ [%s]|sort(attribute='%s')|list }}", "{{ [%s]|groupby('%s')|list }}"]
ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ url_for.__globals__ }}",
    "{{ config.items() }}",
    "{{ request }}",
    "{{ ''|attr('_'~'_class_'~'_') }}",
    "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(parent) }}",
    "{{ '{a.__class__}'.format_map({'a': parent}) }}",
    "{{ ('{0.__class__}'|attr('format'))(parent) }}",
    "{{ ['{0.__class__}']|map('format', parent)|first }}{{ parent.format.__globals__ }}",
    "{% set f = parent.format %}{{ f('{0.__class__}', 1) }}",
    "{% for k in {}.__class__.__base__.__subclasses__() %}x{% endfor %}",
    "{% macro m() %}{{ m._func }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for x in [1] %}{{ loop['__class__'] }}{% endfor %}",
    "{% include parent %}",
    "{% import parent as x %}",
    "{% extends parent %}",
    "{% from '/etc/passwd' import x %}",
    "{{ ''.encode().decode() }}",
    "{{ (1).to_bytes(10**4, 'big') }}",
    "{{ ().count.__self__ }}",
    "{{ {}.fromkeys(range(99999)) }}",
    "{{ parents.clear() }}",
    "{{ axes.pop('style') }}",
    "{{ range.__call__(3) }}",
    "{{ range }}",
    "{{ parent.upper }}",
    "{{ parents|map('upper') }}",
    "{{ [parents.index]|string }}",
]
BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ 10**10**10 }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'.ljust(10**9) }}{{ 'a'.zfill(10**9) }}",
    "{{ '\t'.expandtabs(10**9) }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '%*d'|format(999999999, 1) }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ parent|indent(10**9) }}",
    "{{ ('\n' * 1)|indent(10**9, true, true) }}",
    "{{ [1]|batch(10**9, 'x')|list }}",
    "{{ [1]|slice(10**9)|list }}",
    "{{ 1|round(10**9) }}",
    "{{ [[[1]]]|tojson(indent=10**9) }}",
    "{{ range(10**9)|list }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% set x = parent ~ a %}{% endfor %}",
    "{% for a in range(99999) %}{% if 'zz' in big %}{% endif %}{% endfor %}",
    "{% for a in range(99999) %}{% if big == big ~ '' %}{% endif %}{% endfor %}",
    "{% for a in range(99999) %}{% set x = big[1:] %}{% endfor %}",
    "{% for a in range(99999) %}{% set x = {big: 1} %}{% endfor %}",
    "{% for a in range(99999) %}{% set x = axes[big] is defined %}{% endfor %}",
    "{% set x %}{% for a in range(99999) %}{{ big }}{% endfor %}{% endset %}",
    "{% set x %}{% for a in range(99999) %}" + "L" * 20000 + "{% endfor %}{% endset %}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "{% for x in [[1, 2]] recursive %}{{ loop([[1, 2], [3]]) }}{% endfor %}",
    "{% set x = big %}" + "{% set x = x ~ x %}" * 40 + "{{ x|length }}",
    "{% set x = big %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
    "{% set x = [big] %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|string }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 30 + "{{ x == x }}{{ x in [x] }}",
    "{% set x = (1,) %}" + "{% set x = (x, x) %}" * 30 + "{{ {x: 1} }}",
    "{% set x = 99999999 %}" + "{% set x = x * x %}" * 40 + "{{ x > 1 }}",
    "{{ big|replace('', big) }}",
    "{{ big.replace('a', big) }}",
    "{{ big.join(big) }}",
    "{{ range(99999)|join(big) }}",
    "{{ range(99999)|map('center', 9999)|list|length }}",
    "{{ big|list|map('replace', '', big)|list|length }}",
    "{{ big|wordwrap(1, wrapstring=big) }}",
    "{{ big|list|tojson(indent=10000) }}",
    "{{ ('%s' ~ '%s' * 1)|format(big, big) }}",
    "{{ range(9999)|map('string')|sum(start='') }}",
    "{{ [[1]]|sum(start=[]) }}",
    "{% filter replace('', big) %}" + "y" * 99999 + "{% endfilter %}",
    "{{ ('<' ~ big)|replace('a', '&')" + "|forceescape" * 40 + "|length }}",
    "{{ big|replace('a', '%')" + "|urlencode" * 40 + "|length }}",
    "{% for a in range(99999) %}{% set x = [-10**9]|map('work done')|list %}{% endfor %}",
    "{% for a in range(99999) %}{{ (big|list)|sort|unique|groupby(0)|list|length }}{% endfor %}",
]
UNCOMPILABLE = [
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "[" * 500 + "]" * 500 + " }}",
    "{% for a in [1] %}" * 50 + "{% endfor %}" * 50,
    "{% if true %}" * 2000 + "{% endif %}" * 2000,
    "{{ " + "9" * 5000 + " }}",
    "{{ 1e999 }}",
    "{{ parent[-1e999:] }}{% if 1e999 > index %}{% endif %}",
    "{{ " + "not " * 3000 + "1 }}",
    "{{ 1" + " + 1" * 4000 + " }}",
    "{{ parent" + "|upper" * 1000 + " }}",
    "{{ parent" + "[0]" * 5000 + " }}",
    "x" * 200_001,
    "{{ \ud800 }}",
    "{{ '\0' }}{{",
    "{% raw %}",
    "{% trans %}x{% endtrans %}",
    "{% do parents.append(1) %}",
    "{{ parent|xmlattr }}{{ parent|urlize }}{{ parent|pprint }}",
]


def outcome(template, document="A document."):
    """'text', or the typed error that the template ended in."""
    spec = PromptSpec("p", template, axes={"style": ["plain"]})
    try:
        return compile_prompt(spec).render(DRAW, 1, [document]).messages[0].content
    except (RecipeError, PromptFailed) as error:
        return error


@pytest.mark.parametrize("way", WAYS)
def test_internals_of_every_reachable_object_stay_out_of_reach(way):
    for name in INTERNALS:
        for value in OBJECTS:
            told = outcome(way % (value, name))
            if isinstance(told, str):
                assert not re.search("<|0x|function|method|module|code", told), (way, value, name)


@pytest.mark.parametrize("template", ESCAPES)
def test_escape_from_the_sandbox_is_a_typed_error(template):
    assert isinstance(outcome(template), RecipeError | PromptFailed)


@pytest.mark.parametrize("template", UNCOMPILABLE)
def test_template_that_no_compiler_takes_is_refused_or_harmless(template):
    told = outcome(template)
    assert isinstance(told, RecipeError | PromptFailed) or len(told) < 10


def test_bombs_end_within_their_budget_of_work_and_memory(tmp_path):
    program = """
import json, sys
from tests.security.test_templates import outcome
for template in json.load(open(sys.argv[1])):
    prelude = "{% set big = parent %}"
    told = outcome(prelude + template, "a" * 20_000)
    print(json.dumps("text" if isinstance(told, str) else type(told).__name__))
"""
    bombs = tmp_path / "bombs.json"
    bombs.write_text(json.dumps(BOMBS))
    done = run_limited(program, str(bombs), memory=2048)
    told = [json.loads(line) for line in done.output.splitlines()]
    survivors = [bomb for bomb, how in zip(BOMBS, told, strict=True) if how == "text"]
    assert survivors == []
    assert done.peak < 700


def test_ordinary_templates_are_none_the_wiser():
    for template, expected in {
        "{{ parents|join(', ') }}": "A document.",
        "{{ parent|upper|replace('A ', 'The ') }}": "The DOCUMENT.",
        "{{ parent.split(' ')|map('lower')|list|tojson }}": '["a", "document."]',
        "{{ axes.items()|list }}": "[('style', 'plain')]",
        "{{ parent|wordwrap(9) }}": "A\ndocument.",
        "{{ '%s-%03d'|format(axes.style, 7) }}": "plain-007",
        "{{ parent|indent(2, true) }}": "  A document.",
        "{{ [3, 1, 2]|sort|join }}{{ [1, 2]|sum }}{{ [1.26]|first|round(1) }}": "12331.3",
        "{% for n in range(3) if n != 1 %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{% endfor %}": (
            "1a2b"
        ),
        "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(parent[:1]) ~ m(2) }}": "<A><2>",
        "{{ parent is string and 'doc' in parent and 3 > 2 }}": "True",
    }.items():
        assert outcome(template) == expected
