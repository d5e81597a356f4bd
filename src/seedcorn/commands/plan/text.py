"""What `seedcorn plan` prints, line by line."""

from collections.abc import Iterator, Sequence

from seedcorn.commands.plan.drafts import Draft, Planned
from seedcorn.commands.plan.holding import holding_lines
from seedcorn.core.figures import counted, duration, scaled, size
from seedcorn.core.preflight import estimate
from seedcorn.core.preflight.concerns import Concern
from seedcorn.core.preflight.fit import Fit, listed
from seedcorn.core.recipe import Recipe
from seedcorn.core.scheduling.leasing import most_workers
from seedcorn.core.scheduling.scaling import amounts, need_of
from seedcorn.storage.stores.opening import open_store

SHOWN_CHARS = 1500
"""Longer prompts are cut in the middle; their length is printed."""
DETAIL_CHARS = 160
"""Characters of a problem's first instance."""


def prompt_lines(draft: Draft) -> Iterator[str]:
    """One prompt, with what it was drawn from."""
    draw = draft.draw
    axes = ", ".join(f"{name}: {value}" for name, value in draw.axes.items())
    yield f"── prompt of sample {draw.index} · stratum {draw.prompt} · id {draw.sample_id}"
    if axes:
        yield f"   axes: {axes}"
    if draft.parents:
        yield f"   parents: {', '.join(draft.parents)}"
    if draft.rendered is None:
        yield f"   no prompt; the sample will be {draft.problem}"
    elif draft.rendered.messages:
        for turn in draft.rendered.messages:
            yield f"[{turn.role}]"
            yield shortened(turn.content)
    else:
        yield "[raw text to continue]"
        yield shortened(draft.rendered.prompt)
    yield ""


def shortened(text: str) -> str:
    """The text, with its middle cut out where it is too long to read here."""
    if len(text) <= SHOWN_CHARS:
        return text
    half = SHOWN_CHARS // 2
    return f"{text[:half]} … [{len(text) - 2 * half:,} characters] … {text[-half:]}"


def estimates(
    plan: Planned, fit: Fit | None, tokens_per_s: float | None, price_per_hour: float | None
) -> Iterator[str]:
    """What the whole recipe amounts to, one fact to a line."""
    recipe = plan.recipe
    yield f"recipe       {recipe.name}, fingerprint {recipe.fingerprint}"
    yield f"corpus       {_place(recipe)}"
    sources = ", ".join(source.path for source in recipe.seed) or "none"
    yield f"seed         {counted(plan.seed_rows, 'row')}: {sources}"
    yield from holding_lines(recipe, plan.held, plan.seed_rows)
    yield (
        f"samples      {recipe.samples:,} a generation x {recipe.generations} = "
        f"{recipe.samples * recipe.generations:,}, in batches of "
        f"{recipe.units.unit * recipe.units.batch:,}"
    )
    shares = (
        f"{name} {100 * share:.3g} %" for name, share in estimate.shares(recipe.prompts).items()
    )
    yield f"strata       {', '.join(shares)}"
    yield _engines(recipe)
    yield _tokens(plan, fit)
    yield from _time(plan, tokens_per_s, price_per_hour)
    yield from _room(plan)


def _place(recipe: Recipe) -> str:
    if not recipe.corpus:
        return "(none yet: set corpus=URI)"
    uri = open_store(recipe.corpus, recipe.store).uri
    if uri.endswith(f"/{recipe.corpus}"):
        return f"{uri} ({recipe.corpus} in the current folder)"
    return uri


def _engines(recipe: Recipe) -> str:
    spec = recipe.engine
    each = f"each asks for {amounts(need_of(spec).whole) or 'nothing'}"
    if not spec.scales:
        return f"engines      {spec.least_workers} at once, {each}"
    most = most_workers(spec, recipe.units, recipe.samples)
    return (
        f"engines      auto: as many as the cluster holds, at most {most:,} (more "
        f"would not stay busy with units.unit x units.batch x units.ahead as it is); {each}"
    )


def _tokens(plan: Planned, fit: Fit | None) -> str:
    recipe, chars = plan.recipe, plan.mean_chars
    if fit is not None and fit.tokens:
        mean = sum(fit.tokens.values()) / len(fit.tokens)
        read, basis = mean * recipe.samples * recipe.generations, f"{mean:,.0f} tokens"
    else:
        read = estimate.prompt_tokens(recipe, chars)
        basis = f"{chars:,.0f} characters, {estimate.CHARS_PER_TOKEN} a token"
    return (
        f"tokens       at most {scaled(estimate.ceiling(recipe))} written "
        f"({recipe.engine.sampling.max_tokens} a sample), about {scaled(read)} read (prompts of "
        f"{basis})"
    )


def _time(plan: Planned, tokens_per_s: float | None, price: float | None) -> Iterator[str]:
    if tokens_per_s is None:
        yield "time         give --tokens-per-s (all engines together) and --price-per-hour"
        return
    seconds = estimate.ceiling(plan.recipe) / tokens_per_s
    yield f"time         at most {duration(seconds)} at {tokens_per_s:,.0f} tokens/s"
    if price is not None:
        yield f"price        at most {price * seconds / 3600:,.2f} at {price:,.2f} an hour"


def _room(plan: Planned) -> Iterator[str]:
    recipe = plan.recipe
    documents = plan.indexed_rows + recipe.samples * recipe.generations
    whole, stored = estimate.indexing(documents), estimate.storage(recipe)
    yield (
        f"index        {size(whole.memory)} for {documents:,} documents (indexed seed and every "
        f"sample accepted), at most {size(whole.peak)} while it grows; {_actors(recipe)}"
    )
    yield (
        f"storage      at most {size(stored.shards)} of shards and {size(stored.sketches)} of "
        "sketches, if every sample is full length"
    )
    if plan.indexed_rows:
        yield f"at start     {estimate.indexing_line(plan.indexed_rows)}; once, then checkpointed"
    else:
        yield "at start     nothing to index"


def _actors(recipe: Recipe) -> str:
    actors = recipe.dedup.actors
    return "in one actor" if actors == 1 else f"shared by {actors} actors"


def length_lines(plan: Planned, fit: Fit | None, unknown: str) -> Iterator[str]:
    """What came of the sample of prompts, and how many do not fit the model's context."""
    yield f"rendered     {rendering(plan)}"
    if fit is not None:
        yield f"fit          {fit.text}"
    elif unknown:
        yield f"fit          {unknown}"


def rendering(plan: Planned) -> str:
    """Which prompts were rendered, and what became of those that were not."""
    recipe, sample = plan.recipe, plan.sample
    prompts = -(-recipe.samples // recipe.samples_per_prompt)
    problems = [draft.problem for draft in sample if draft.problem]
    first = {problem.partition(" (")[0]: problem for problem in reversed(problems)}
    lost = "".join(
        f"; {sum(problem.startswith(kind) for problem in problems)} will be {example[:DETAIL_CHARS]}"
        for kind, example in sorted(first.items())
    )
    return (
        f"{len(sample)} of {prompts:,} prompts of generation 1 (samples "
        f"{listed([draft.draw.index for draft in sample])}){lost}"
    )


def concern_lines(concerns: Sequence[Concern]) -> Iterator[str]:
    """What is probably not meant, and what to do."""
    for concern in concerns:
        yield f"warning      {concern.key}: {concern.text}"
        yield f"             → {concern.advice}"
