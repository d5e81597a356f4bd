"""A system turn that the model would never read is found before anything is generated.

Rendered by transformers' own code, which vLLM renders with; `tests/engines/test_vllm_engine_templates.py`
starts vLLM itself on such templates.
"""

import pytest

from seedcorn.core.engine import Use
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.generate.system_turn import drops_system_turn
from seedcorn.core.pipeline import use_of
from seedcorn.core.recipe import PromptSpec, Recipe
from seedcorn.engines.tokenizer import LocalTokenizer

transformers = pytest.importorskip("transformers")

TURN = "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
ALL = "{% for m in messages %}" + TURN + "{% endfor %}"
OTHERS = "{% for m in messages if m['role'] != 'system' %}" + TURN + "{% endfor %}"
FIRST = "{% if messages[0]['role'] == 'system' %}"
DROPS = {
    "no branch for it": OTHERS,
    "only the last turn": "{% set m = messages[-1] %}" + TURN,
    "a default of its own in its place": FIRST + "You are a helpful bot.\n{% endif %}" + OTHERS,
    "a default where there is none": FIRST
    + "{% else %}You are a helpful bot.\n{% endif %}"
    + OTHERS,
    "only its role": FIRST + "<|im_start|>system<|im_end|>\n{% endif %}" + OTHERS,
}
KEEPS = {
    "a turn like any other": ALL,
    "a default where there is none": FIRST + "{% else %}You are a bot.\n{% endif %}" + ALL,
    "before the first question": FIRST
    + "[{{ messages[0]['content'] | trim }}]{% endif %}"
    + OTHERS,
    "in capitals of its own role": ALL.replace("{{ m['role'] }}", "{{ m['role'] | upper }}"),
}
REFUSES = FIRST + "{{ raise_exception('System role not supported') }}{% endif %}" + OTHERS


def chat_of(template):
    """What a model with this chat template reads."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    plain = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain)
    tokenizer.chat_template = template
    return LocalTokenizer(tokenizer, {}).chat


@pytest.mark.parametrize("template", DROPS.values(), ids=DROPS)
def test_template_that_drops_the_system_turn_is_found(template):
    assert drops_system_turn(chat_of(template))


@pytest.mark.parametrize("template", KEEPS.values(), ids=KEEPS)
def test_template_that_shows_the_system_turn_is_fine(template):
    assert not drops_system_turn(chat_of(template))


def test_template_that_refuses_the_system_turn_says_so_in_its_own_words():
    with pytest.raises(EngineUnavailable, match="System role not supported"):
        drops_system_turn(chat_of(REFUSES))


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        (PromptSpec("p", "Hello.", system="Be brief."), Use(chat=True, system=True)),
        (PromptSpec("p", "Hello."), Use(chat=True)),
        (PromptSpec("p", "Once upon a time", continuation=True), Use()),
    ],
)
def test_only_a_recipe_with_a_system_turn_asks_for_one(prompt, asked):
    assert use_of(Recipe("r", prompts=[prompt]), {}) == asked
