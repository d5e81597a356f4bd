"""A sample of the plan's prompts against the model's context."""

import pytest

from seedcorn.core.intervals import clopper_pearson
from seedcorn.core.preflight.fit import SAMPLED, Fit, listed, sampled

TOKENS = {3: 700, 5: 900, 8: 1100, 9: 800}


def test_sample_is_the_same_for_the_same_recipe_and_another_for_another():
    first = sampled("a", 10_000, 1)
    assert first == sampled("a", 10_000, 1) == sorted(set(first))
    assert len(first) == SAMPLED
    assert set(first) <= set(range(10_000))
    assert first != sampled("b", 10_000, 1)


def test_sample_is_spread_over_the_whole_plan():
    seen = [index for name in range(200) for index in sampled(str(name), 1000, 1)]
    tenths = [sum(index // 100 == tenth for index in seen) for tenth in range(10)]
    assert min(tenths) > 0.85 * len(seen) / 10


@pytest.mark.parametrize(
    ("samples", "per_prompt", "prompts"), [(48, 1, 48), (40, 4, 10), (9, 4, 3)]
)
def test_small_plan_is_rendered_whole_each_prompt_once(samples, per_prompt, prompts):
    assert sampled("a", samples, per_prompt) == list(range(0, samples, per_prompt))
    assert len(sampled("a", samples, per_prompt)) == prompts


def test_prompt_that_leaves_exactly_max_tokens_fits():
    assert [Fit(TOKENS, True, 100, context).too_long for context in (1200, 1199, 999, 799)] == [
        *(0, 1, 2, 4)
    ]


def test_text_counts_names_the_longest_and_says_how_sure_it_is():
    text = Fit(TOKENS, False, 100, 1000).text
    assert text.startswith("1 of 4 rendered prompts do not fit (")
    share = clopper_pearson(1, 4)
    assert f"({100 * share.low:.2g} to {100 * share.high:.2g} % of all, 95 %)" in text
    assert "max_tokens 100 against max_model_len 1,000" in text
    assert "the longest, sample 8, has 1,100 tokens" in text
    assert "(exact: these are all)" in Fit(TOKENS, True, 100, 1000).text


def test_unknown_context_and_no_prompts_are_said():
    assert Fit(TOKENS, False, 100, 0).text == (
        "the longest, sample 8, has 1,100 tokens; the engine's context is not known here"
    )
    assert Fit({}, False, 100, 1000).text == "unknown: no prompt could be rendered"


def test_long_lists_of_indices_are_shortened():
    assert listed([1, 2, 3]) == "1, 2, 3"
    assert listed(list(range(64))) == "0, 1, 2, 3, 4, 5, …, 63"
