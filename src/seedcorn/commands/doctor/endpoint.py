"""An endpoint's part of `seedcorn doctor`: one tiny request, and what a run would make of the answer."""

from collections.abc import Iterator

from seedcorn.core.engine import Message
from seedcorn.core.errors import EngineError
from seedcorn.core.recipe import Recipe
from seedcorn.engines.endpoint_probe import QUESTION, Probed, probe
from seedcorn.runtime.event_loop import run_to_end
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Finding

_KEY = "engine.openai"
_SYSTEM = Message(
    "system", "You answer every question with a single word and never with more than that."
)


def asked(recipe: Recipe) -> tuple[list[Finding], int]:
    """The findings, and the context that the endpoint says it has; 0: it does not say."""
    name = "the endpoint answers"
    drawn = [prompt for prompt in recipe.prompts if prompt.weight > 0]
    with_system = [prompt.name for prompt in drawn if prompt.system]
    chats = [[QUESTION], [_SYSTEM, QUESTION]] if with_system else [[QUESTION]]
    continuation = all(prompt.continuation for prompt in drawn)
    try:
        answers = run_to_end(probe(recipe.engine, chats, continuation))
    except EngineError as problem:
        advice = "correct engine.openai or engine.model, or start the endpoint"
        return [Finding(name, FAILS, str(problem), advice, f"{_KEY}.base_url")], 0
    first = answers[0]
    context = f"context of {first.context:,} tokens" if first.context else "it names no context"
    found = [Finding(name, OK, f"{first.asked}, {context}", key=f"{_KEY}.base_url")]
    found += [_form(first), *_accounts(first), _model(first)]
    if len(answers) > 1:
        found.append(_system(*answers))
    return found, first.context


def _form(answer: Probed) -> Finding:
    name = "a run can read its answers"
    try:
        read = answer.read()
    except EngineError as problem:
        advice = "ask the endpoint for plain text: no run can use this"
        return Finding(name, FAILS, f"content is {answer.form}: {problem}", advice, _KEY)
    if read.finish_reason in ("error", "abort"):
        detail = f"it ended for {answer.finish_reason or 'no reason'!r}, which no sample survives"
        return Finding(name, FAILS, detail, "the endpoint must say stop or length", _KEY)
    return Finding(
        name, OK, f"content is {answer.form}, ended for {answer.finish_reason!r}", key=_KEY
    )


def _accounts(answer: Probed) -> Iterator[Finding]:
    name = "it counts its tokens"
    usage = answer.answer.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    missing = [k for k in ("prompt_tokens", "completion_tokens") if not counts.get(k)]
    if missing:
        detail = f"usage has no {' and no '.join(missing)}"
        yield Finding(name, WARNING, detail, "the ledger will count no tokens of this engine", _KEY)
    else:
        detail = f"{counts['prompt_tokens']} read, {counts['completion_tokens']} written"
        yield Finding(name, OK, detail, key=_KEY)


def _model(answer: Probed) -> Finding:
    name, key = "the model that answers is the one asked for", "engine.model"
    if answer.model in ("", answer.asked):
        return Finding(name, OK, answer.asked, key=key)
    detail = f"asked for {answer.asked}, answered by {answer.model}"
    return Finding(name, WARNING, detail, "name the model that answers, so that the log does", key)


def _system(without: Probed, with_turn: Probed) -> Finding:
    """By the tokens read: the same number with a system turn and without means that none arrived."""
    name, key = "the system turn reaches the model", "prompts"
    read = [_prompt_tokens(answer) for answer in (without, with_turn)]
    if not all(read):
        return Finding(name, WARNING, "unknown: the endpoint counts no prompt tokens", key=key)
    detail = f"{read[0]} tokens are read without it, {read[1]} with it"
    if read[1] > read[0]:
        return Finding(name, OK, detail, key=key)
    return Finding(name, FAILS, detail, "write what it says into the templates", key)


def _prompt_tokens(answer: Probed) -> int:
    try:
        return answer.read().prompt_tokens
    except EngineError:
        return 0
