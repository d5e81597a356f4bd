"""One sample through the line: every way it can end, with a small engine that does as told."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from seedcorn.core.engine import Completion, EngineInfo, Message, Use
from seedcorn.core.errors import EngineDead, RequestRefused
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.generate.prompts import template_hash
from seedcorn.core.pipeline import SEED_ROW, make_line, use_of, write_sample
from seedcorn.core.recipe import EngineSpec, PromptSpec, ReasoningSpec, Recipe
from seedcorn.core.sample import Outcome, Parent

RECIPE = Recipe(
    name="line",
    samples=10,
    prompts=[PromptSpec(name="tell", template="Tell: {{ parent }}", system="Be brief.")],
    engine=EngineSpec(kind="simulated"),
    checks=[{"finish_reason": {}}, {"length": {"min_words": 2}}],
)
INFO = EngineInfo(engine="scripted", model="none", special_tokens=("<|end|>",))
DRAW = Plan(RECIPE, 1, Pool(0, (5,))).draw(3)
PARENT = Parent("seed:docs:0", "A document.")
GOOD = Completion("An honest answer.", 12, 4, "stop")


@dataclass
class ScriptedEngine:
    """Answers every request with one completion, or one error, and remembers what it was asked."""

    answer: Completion | Exception = GOOD
    asked: list = field(default_factory=list)

    async def start(self):
        return INFO

    async def submit(self, request):
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def stats(self):
        return {}

    async def drain(self):
        return None

    async def close(self):
        return None


def write(engine, parent=PARENT, recipe=RECIPE, rules=None):
    line = make_line(recipe, 1, INFO, recipe.fingerprint, rules or {})
    return asyncio.run(write_sample(line, DRAW, [parent], engine))


def test_good_completion_becomes_a_candidate_with_its_lineage():
    engine = ScriptedEngine()
    sample = write(engine)
    assert (sample.outcome, sample.text) == (Outcome.CANDIDATE, "An honest answer.")
    assert (sample.parents, sample.checks) == (("seed:docs:0",), ("finish_reason", "length"))
    assert (sample.prompt_tokens, sample.completion_tokens) == (12, 4)
    assert (sample.reason, sample.prompt) == ("", None)
    [request] = engine.asked
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "Tell: A document."),
    )
    assert (request.sample_id, request.index, request.seed) == (DRAW.sample_id, 3, DRAW.seed)
    assert (request.recipe, request.generation) == (RECIPE.fingerprint, 1)
    assert (request.parent, request.stratum) == ("A document.", "tell")


def test_unusable_parent_rejects_without_asking_the_engine():
    engine = ScriptedEngine()
    sample = write(engine, Parent("seed:docs:4", None, "text is null"))
    assert (sample.outcome, sample.reason) == (Outcome.REJECTED, SEED_ROW)
    assert sample.detail == "seed:docs:4: text is null"
    assert sample.parents == ("seed:docs:4",)
    assert engine.asked == []


def test_special_tokens_of_a_parent_never_reach_the_engine_and_are_counted():
    engine = ScriptedEngine()
    sample = write(engine, Parent("seed:docs:0", "stop<|end|> here <|end|>"))
    assert sample.neutralised == 2
    assert "<|end|>" not in engine.asked[0].messages[1].content


def test_failing_check_rejects_and_keeps_text_and_reason():
    sample = write(ScriptedEngine(replace(GOOD, text="Short")))
    assert (sample.outcome, sample.reason, sample.text) == (Outcome.REJECTED, "length", "Short")
    assert sample.checks == ("finish_reason",)
    assert "1 words" in sample.detail


@pytest.mark.parametrize("rules", [{}, {"reasoning": 2}])
def test_reasoning_is_kept_apart_from_the_answer_that_is_checked(rules):
    thinks = replace(RECIPE, engine=replace(RECIPE.engine, reasoning=ReasoningSpec("think")))
    texts = {"text": "<think>long thought</think>Short"}
    sample = write(ScriptedEngine(replace(GOOD, **texts)), recipe=thinks, rules=rules)
    assert (sample.reasoning, sample.text, sample.reason) == ("long thought", "Short", "length")
    cut = replace(GOOD, text="<think>no end", finish_reason="length")
    unclosed = write(ScriptedEngine(cut), recipe=thinks, rules=rules)
    assert (unclosed.reasoning, unclosed.text, unclosed.reason) == ("no end", "", "empty")


def test_use_of_an_engine_is_what_prompts_and_rules_ask_for():
    prompt = replace(RECIPE.prompts[0], system="")
    assert use_of(RECIPE, {}) == Use(chat=True, system=True)
    assert use_of(replace(RECIPE, prompts=[prompt]), {"reasoning": 2}) == Use(chat=True, split=True)
    raw = replace(prompt, continuation=True)
    assert use_of(replace(RECIPE, prompts=[raw]), {}) == Use()


def test_refused_request_fails_the_sample():
    sample = write(ScriptedEngine(RequestRefused("prompt of 9000 tokens")))
    assert (sample.outcome, sample.reason) == (Outcome.FAILED, "request_refused")
    assert sample.detail == "prompt of 9000 tokens"


def test_engine_that_gives_up_on_a_request_fails_the_sample():
    sample = write(ScriptedEngine(replace(GOOD, finish_reason="error")))
    assert (sample.outcome, sample.reason) == (Outcome.FAILED, "engine_error")


def test_template_that_cannot_be_filled_fails_the_sample():
    prompt = replace(RECIPE.prompts[0], template="{{ parent.split(':')[1] }}")
    engine = ScriptedEngine()
    sample = write(engine, recipe=replace(RECIPE, prompts=[prompt]))
    assert (sample.outcome, sample.reason) == (Outcome.FAILED, "template")
    assert engine.asked == []


def test_dead_engine_is_raised_because_the_sample_has_no_outcome_yet():
    with pytest.raises(EngineDead):
        write(ScriptedEngine(EngineDead("gone")))


def test_keep_prompt_stores_what_was_asked():
    sample = write(ScriptedEngine(), recipe=replace(RECIPE, keep_prompt=True))
    assert sample.prompt is not None
    assert "Tell: A document." in sample.prompt


def test_line_carries_the_template_hash_of_every_branch():
    line = make_line(RECIPE, 1, INFO, RECIPE.fingerprint, {})
    assert line.prompts["tell"].hash == template_hash(RECIPE.prompts[0])
