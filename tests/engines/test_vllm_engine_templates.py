"""vLLM at start: chat templates that cannot do what the recipe's prompts ask of them."""

import os
from dataclasses import replace

import pytest

from seedcorn.core.engine import Use
from seedcorn.core.errors import EngineUnavailable
from seedcorn.engines.vllm_engine import VllmEngine
from tests.engines.conftest import MODEL, make_request, vllm_spec

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300)]

TURNS = (
    "{% for message in messages if message['role'] != 'system' %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
REFUSES = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
)


def model_with(template, folder):
    """The tests' model under another chat template."""
    for file in MODEL.iterdir():
        if file.name != "chat_template.jinja":
            os.symlink(file, folder / file.name)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return replace(vllm_spec(), model=str(folder))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (TURNS, "drops the system turn, its chat template has no place for it: write what"),
        pytest.param(
            REFUSES + TURNS,
            r"refuses a system turn \(no system role\): write what `system` says",
            marks=pytest.mark.long,
        ),
    ],
)
def test_vllm_refuses_a_template_that_hides_the_system_turn_before_anything_is_generated(
    template, said, tmp_path, runner, shared_vllm
):
    shared_vllm.discard()
    engine = VllmEngine(model_with(template, tmp_path), Use(chat=True, system=True))
    with pytest.raises(EngineUnavailable, match=said):
        runner.run(engine.start())


@pytest.mark.long
def test_vllm_tells_how_a_thinking_model_marks_its_traces_and_how_the_prompt_ends(
    tmp_path, runner, shared_vllm
):
    shared_vllm.discard()
    engine = VllmEngine(model_with(TURNS, tmp_path), Use(chat=True, split=True))
    try:
        info = runner.run(engine.start())
        done = runner.run(engine.submit(make_request(0)))
    finally:
        runner.run(engine.close())
    assert info.markers is not None
    assert info.markers.open == "<think>"
    assert done.prompt_end.endswith("<|im_start|>assistant\n<think>\n")
