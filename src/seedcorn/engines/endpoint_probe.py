"""One tiny request to an endpoint, to see in what form it answers before a run depends on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seedcorn.core.engine import Completion, Message, Request
from seedcorn.core.errors import EngineError
from seedcorn.core.recipe import EngineSpec
from seedcorn.engines.endpoint_engine import EndpointEngine, Transient, completion

TOKENS = 16
"""What the answer may take: enough to see its form."""
QUESTION = Message("user", "Say yes.")


@dataclass(frozen=True, slots=True)
class Probed:
    """What an endpoint said of itself, and in an answer."""

    asked: str
    """The model that was asked for."""
    context: int
    """Tokens of prompt and answer that it says it takes; 0: it does not say."""
    answer: Mapping[str, Any]

    @property
    def model(self) -> str:
        """The model that the answer names; empty where it names none."""
        return str(self.answer.get("model") or "")

    @property
    def form(self) -> str:
        """What the answer's text is: a string, parts by their types, nothing."""
        content = _message(self.answer).get("content", _message(self.answer).get("text"))
        if isinstance(content, list):
            kinds = [str(p.get("type")) if isinstance(p, dict) else "?" for p in content]
            return f"a list of parts: {', '.join(kinds) or 'none'}"
        return {str: "a string", type(None): "nothing"}.get(type(content), type(content).__name__)

    @property
    def finish_reason(self) -> str:
        """As the endpoint writes it; empty where it gives none."""
        return str(_choice(self.answer).get("finish_reason") or "")

    def read(self) -> Completion:
        """The answer as a run would take it; raises EngineError where it could not."""
        try:
            return completion(self.answer)
        except Transient as problem:
            raise EngineError(str(problem)) from problem


async def probe(
    spec: EngineSpec, chats: Sequence[Sequence[Message]], continuation: bool
) -> list[Probed]:
    """One answer for each chat, or for raw text; raises EngineError where there is none."""
    engine = EndpointEngine(
        replace(spec, sampling=replace(spec.sampling, max_tokens=TOKENS, min_tokens=0))
    )
    try:
        info = await engine.start()
        context = info.max_prompt_tokens + TOKENS if info.max_prompt_tokens else 0
        if continuation:
            requests = [Request("doctor", "", 1, 0, 0, prompt=QUESTION.content)]
        else:
            requests = [Request("doctor", "", 1, 0, 0, messages=tuple(chat)) for chat in chats]
        return [Probed(info.model, context, await engine.ask(request)) for request in requests]
    finally:
        await engine.close()


def _choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _message(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    choice = _choice(answer)
    message = choice.get("message", choice)
    return message if isinstance(message, dict) else {}
