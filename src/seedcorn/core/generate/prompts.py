"""Prompts: sandboxed Jinja templates, compiled once, rendered from a draw and its parents.

A template is the recipe's; a parent's text is data. Text that came from a seed is inserted once
and never rendered again, and the control tokens of the model's tokenizer are broken up inside it,
so that no document can open a chat turn of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, meta, nodes
from jinja2.exceptions import SecurityError

from seedcorn.core.engine import Message
from seedcorn.core.errors import RecipeError, SeedcornError
from seedcorn.core.generate.sandbox import Sandbox, metered
from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.recipe import PromptSpec
from seedcorn.core.sample import Draw

MAX_RENDERED = 1_000_000
"""Characters of one rendered prompt; no engine here takes a prompt that long."""
MAX_TEMPLATE = 200_000
"""Characters of a template: compiling takes longer than in proportion."""
MAX_DETAIL = 500
"""Characters of a failure's message; it may quote a document."""
VARIABLES = frozenset({"parent", "parents", "axes", "generation", "index"})
"""What a template may read."""

_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Everything that an expression of a sandboxed template raises on values it did not expect."""


_UNCOMPILABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What Python's own compiler raises for what Jinja let pass: nesting, endless numbers."""


class PromptFailed(SeedcornError):
    """A template that could not be rendered for one draw: the sample fails, others go on.

    `forbidden` is True for what the sandbox refuses, whatever the document says.
    """

    forbidden = False


_ENVIRONMENT = Sandbox()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is asked of the engine: a chat, or raw text to continue."""

    messages: tuple[Message, ...] = ()
    prompt: str = ""

    def as_text(self) -> str:
        """The prompt as one string, for a shard's `prompt` column: JSON of the chat, or the text."""
        if not self.messages:
            return self.prompt
        turns = [{"role": turn.role, "content": turn.content} for turn in self.messages]
        return canonical_json(turns).decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One branch of the recipe, compiled."""

    name: str
    hash: str
    """`template_hash` of its spec."""
    continuation: bool
    template: Template
    system: Template | None

    def render(self, draw: Draw, generation: int, parents: Sequence[str]) -> Rendered:
        """Fill the template; raises PromptFailed for values it cannot take."""
        values = {
            "parents": list(parents),
            "axes": dict(draw.axes),
            "generation": generation,
            "index": draw.index,
        }
        if parents:
            values["parent"] = parents[0]
        text = _fill(self.template, values, self.name)
        if self.continuation:
            return Rendered(prompt=text)
        turn = Message("user", text)
        if self.system is None:
            return Rendered(messages=(turn,))
        system = Message("system", _fill(self.system, values, self.name))
        return Rendered(messages=(system, turn))


def compile_prompt(spec: PromptSpec) -> Prompt:
    """Compile one branch; raises RecipeError for bad syntax, unknown variables or axes."""
    system = _compile(spec, spec.system, "system") if spec.system else None
    template = _compile(spec, spec.template, "template")
    return Prompt(spec.name, template_hash(spec), spec.continuation, template, system)


def template_hash(spec: PromptSpec) -> str:
    """16 hex digits over what decides the wording: system and template text, and the chat form."""
    return digest("template", spec.system, spec.template, int(spec.continuation), size=8).hex()


def neutralise(text: str, special_tokens: tuple[str, ...]) -> tuple[str, int]:
    """Break up every special token inside `text`, visibly; returns the text and how many.

    A space goes after a token's first character. Where that would leave a token standing (one
    character, or one that starts with a space) the whole token becomes U+FFFD. Breaking one
    token can bare another that overlapped it, hence the rounds: none is left at the end.
    """
    tokens = _defusals(special_tokens)
    if tokens is None:
        return text, 0
    pattern, broken = tokens
    text, count = pattern.subn(lambda match: broken[match[0]], text)
    if not count:
        return text, 0
    total = count
    while count:
        text, count = pattern.subn("\ufffd", text)
        total += count
    return text, total


@lru_cache(maxsize=16)
def _defusals(tokens: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]] | None:
    """A pattern of all tokens, longest first, and what each one becomes."""
    known = sorted({t for t in tokens if t.strip() and t != "\ufffd"}, key=lambda t: (-len(t), t))
    if not known:
        return None
    pattern = re.compile("|".join(map(re.escape, known)))
    spaced = {token: f"{token[0]} {token[1:]}" for token in known}
    return pattern, {t: "\ufffd" if pattern.search(s) else s for t, s in spaced.items()}


def _fill(template: Template, values: dict[str, Any], name: str) -> str:
    parts: list[str] = []
    length = 0
    try:
        for part in metered(template, values):
            parts.append(part)
            length += len(part)
            if length > MAX_RENDERED:
                raise PromptFailed(
                    f"prompt {name} renders to more than {MAX_RENDERED} characters: shorten its "
                    "template or lower max_chars of the seed"
                )
    except _FAILURES as error:
        message = f"prompt {name}: {type(error).__name__}: {error}"
        failed = PromptFailed(message[:MAX_DETAIL])
        failed.forbidden = isinstance(error, SecurityError)
        raise failed from error
    return "".join(parts)


def _compile(spec: PromptSpec, source: str, key: str) -> Template:
    where = f"prompts.{spec.name}.{key}"
    if len(source) > MAX_TEMPLATE:
        raise RecipeError(f"{where}: has {len(source)} characters, at most {MAX_TEMPLATE}")
    try:
        tree = _ENVIRONMENT.parse(source)
        template = _ENVIRONMENT.compiled(source)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        raise RecipeError(f"{where}: line {line}: {error.message}") from error
    except _UNCOMPILABLE as error:
        raise RecipeError(
            f"{where}: cannot be compiled ({type(error).__name__}: {error}); nest it less deep, and "
            "use shorter numbers"
        ) from error
    _refuse_names(spec, tree, where)
    _refuse_attributes(spec, tree, where)
    return template


def _refuse_names(spec: PromptSpec, tree: nodes.Template, where: str) -> None:
    names = meta.find_undeclared_variables(tree)
    unknown = sorted(names - VARIABLES - _ENVIRONMENT.globals.keys())
    if unknown:
        known = ", ".join(sorted(VARIABLES))
        raise RecipeError(f"{where}: unknown variable {unknown[0]!r}; a template may use {known}")
    if not spec.parents and names & {"parent", "parents"}:
        raise RecipeError(f"{where}: uses a parent, but prompts.{spec.name}.parents is 0")
    if list(meta.find_referenced_templates(tree)):  # None stands for a name computed later
        raise RecipeError(f"{where}: include, import and extends are not available in recipes")


def _refuse_attributes(spec: PromptSpec, tree: nodes.Template, where: str) -> None:
    for node in tree.find_all(nodes.Getattr):
        if node.attr.startswith("_"):
            raise RecipeError(
                f"{where}: line {node.lineno}: attribute {node.attr!r} is not allowed"
            )
        on_axes = isinstance(node.node, nodes.Name) and node.node.name == "axes"
        if on_axes and node.attr not in spec.axes and not hasattr(dict, node.attr):
            known = ", ".join(spec.axes) or "none"
            raise RecipeError(
                f"{where}: line {node.lineno}: no axis {node.attr!r}; the prompt's axes: {known}"
            )
