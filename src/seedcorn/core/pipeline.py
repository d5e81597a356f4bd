"""The whole line on one page. Read this first.

    seed ─→ plan ─→ prompt ─→ generate ─→ verify ─→ stage ─→ dedup ─→ shard ─→ commit ─→ ledger
             ▲      └────── write_sample ──────┘                        │
             └─ accepted samples of generation g are parents of g + 1 ──┘

| stop     | what happens                                             | where                          |
| -------- | -------------------------------------------------------- | ------------------------------ |
| recipe   | YAML with overrides becomes frozen dataclasses           | config.py, core/recipe/        |
| seed     | real documents: found, converted, read at random         | storage/seeds/                 |
| plan     | index → which prompt, axes and parents                   | core/generate/plan.py          |
| lease    | a range of plan indices goes to a worker                 | core/scheduling/leasing.py     |
| prompt   | sandboxed template, filled with axes and parents         | core/generate/prompts.py       |
| generate | one completion from an engine                            | core/engine.py, engines/       |
| verify   | reasoning is split off, the checks run                   | core/checks/                   |
| stage    | finished samples of a unit become durable segments       | runtime/worker/unit_writer.py  |
| dedup    | exact and near duplicates, a whole batch at once         | core/dedup/dedup.py            |
| shard    | accepted and dropped samples as Parquet                  | runtime/keeper/batch_sealer.py |
| commit   | one log entry makes a batch exist                        | storage/log/log.py             |
| decide   | stop, drop a stratum, lower the sample rate: log entries | core/decisions/deciding.py     |
| ledger   | a fold over the log: what each generation added          | core/ledger/ledger.py          |

`runtime/driver/coordinator.py` leads the line for one generation: it leases units, has batches sealed in
order and commits them. Texts never pass through it.

This file holds the part that happens to one sample at a time. Its invariant: every planned sample
comes back as exactly one `Sample`, with an outcome, a reason and all text there is. A bad sample is
data. Only a dead engine is an error, because then the sample has no outcome yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from seedcorn.core.checks import Check, Subject, Verdict, build, verify
from seedcorn.core.engine import Completion, Engine, EngineInfo, Request, Use
from seedcorn.core.errors import RequestRefused
from seedcorn.core.generate.prompts import (
    Prompt,
    PromptFailed,
    Rendered,
    compile_prompt,
    neutralise,
)
from seedcorn.core.generate.reasoning import Splitter, counts_marks, splitter
from seedcorn.core.recipe import Recipe
from seedcorn.core.sample import Draw, Outcome, Parent, Sample
from seedcorn.core.text.words import TextRule

SEED_ROW = "seed_row"
"""Reason of a sample whose parent cannot be used; counted and reported, never redrawn."""


@dataclass(frozen=True)
class Line:
    """What every sample of one generation shares, made once per engine."""

    fingerprint: str
    """As `generation_started` stored it."""
    generation: int
    info: EngineInfo
    prompts: Mapping[str, Prompt]
    checks: tuple[Check, ...]
    rules: Mapping[str, int]
    """As `generation_started` stored them, see `core.rule_numbers`."""
    keep_prompt: bool = False
    splitter: Splitter = field(default_factory=Splitter)


def make_line(
    recipe: Recipe,
    generation: int,
    info: EngineInfo,
    fingerprint: str,
    rules: Mapping[str, int],
) -> Line:
    """Compile a recipe's prompts and checks; raises RecipeError as `validation.validate` does.

    `fingerprint` and `rules` are those that `generation_started` stored; where no generation has
    started, the recipe's own and the newest.
    """
    prompts = {spec.name: compile_prompt(spec) for spec in recipe.prompts}
    checks = build(recipe.checks, rules)
    return Line(
        fingerprint=fingerprint,
        generation=generation,
        info=info,
        prompts=prompts,
        checks=checks,
        rules=rules,
        keep_prompt=recipe.keep_prompt,
        splitter=splitter(recipe.engine.reasoning, info, rules),
    )


def use_of(recipe: Recipe, rules: Mapping[str, int]) -> Use:
    """What the line of a generation under these rules asks of its engine."""
    chats = [prompt for prompt in recipe.prompts if not prompt.continuation]
    return Use(
        chat=bool(chats),
        system=any(prompt.system for prompt in chats),
        split=counts_marks(rules),
    )


async def write_sample(line: Line, draw: Draw, parents: Sequence[Parent], engine: Engine) -> Sample:
    """Write and verify one planned sample; raises EngineDead, after which it is planned still."""
    ids = tuple(parent.id for parent in parents)
    for parent in parents:
        if parent.text is None:
            detail = f"{parent.id}: {parent.problem}"
            return Sample(draw, Outcome.REJECTED, reason=SEED_ROW, detail=detail, parents=ids)
    texts, defused = _defuse(parents, line.info.special_tokens)
    sample = Sample(draw, Outcome.CANDIDATE, parents=ids, neutralised=defused)
    try:
        rendered = line.prompts[draw.prompt].render(draw, line.generation, texts)
    except PromptFailed as error:
        return _failed(sample, "template", str(error))
    if line.keep_prompt:
        sample = replace(sample, prompt=rendered.as_text())
    try:
        completion = await engine.submit(_request(line, draw, rendered, texts))
    except RequestRefused as error:
        return _failed(sample, "request_refused", str(error))
    return await _judge(line, sample, completion, texts)


async def _judge(
    line: Line, sample: Sample, completion: Completion, parents: Sequence[str]
) -> Sample:
    """Split off the reasoning and run the checks on the answer."""
    trace, answer = line.splitter.split(completion)
    if completion.finish_reason in ("abort", "error"):
        verdict = Verdict((), f"engine_{completion.finish_reason}", "the engine gave up on it")
        outcome = Outcome.FAILED
    else:
        subject = Subject(answer, completion, parents, TextRule.of(line.rules))
        verdict = await verify(line.checks, subject)
        outcome = Outcome.REJECTED if verdict.reason else Outcome.CANDIDATE
    return replace(
        sample,
        outcome=outcome,
        text=answer,
        reasoning=trace,
        reason=verdict.reason,
        detail=verdict.detail,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        finish_reason=completion.finish_reason,
        checks=verdict.passed,
    )


def _defuse(parents: Sequence[Parent], special_tokens: tuple[str, ...]) -> tuple[list[str], int]:
    """The parents' texts as the model may see them, and how many control tokens were broken up."""
    pairs = [neutralise(parent.text or "", special_tokens) for parent in parents]
    return [text for text, _ in pairs], sum(count for _, count in pairs)


def _request(line: Line, draw: Draw, rendered: Rendered, parents: Sequence[str]) -> Request:
    return Request(
        sample_id=draw.sample_id,
        recipe=line.fingerprint,
        generation=line.generation,
        index=draw.index,
        seed=draw.seed,
        messages=rendered.messages,
        prompt=rendered.prompt,
        parent=parents[0] if parents else "",
        stratum=draw.prompt,
    )


def _failed(sample: Sample, reason: str, detail: str) -> Sample:
    return replace(sample, outcome=Outcome.FAILED, reason=reason, detail=detail)
