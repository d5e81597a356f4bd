"""`seedcorn plan RECIPE`: what a recipe would do and cost. No engine, no Ray, nothing written."""

import argparse

from seedcorn.commands.arguments import add_recipe, command, count, positive


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_recipe(parser)
    parser.add_argument(
        "--prompts", type=count, default=3, metavar="N", help="prompts to print (default 3)"
    )
    parser.add_argument(
        "--tokens-per-s",
        type=positive,
        metavar="X",
        help="tokens per second of all engines together",
    )
    parser.add_argument(
        "--price-per-hour",
        type=positive,
        metavar="Y",
        help="price per hour of all engines together",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the first prompts, then the estimates, then what will not fit and what looks odd."""
    from seedcorn.commands.plan.drafts import planned
    from seedcorn.commands.plan.lengths import Lengths
    from seedcorn.commands.plan.text import concern_lines, estimates, length_lines, prompt_lines
    from seedcorn.commands.views.output import harmless, say
    from seedcorn.config import load_recipe
    from seedcorn.core.scheduling.leasing import require_window

    loaded = load_recipe(arguments.recipe, arguments.overrides)
    recipe = loaded.recipe
    require_window(recipe.engine, recipe.units, recipe.samples)
    lengths = Lengths(recipe)
    plan = planned(loaded, arguments.prompts, lengths.special_tokens)
    fit = lengths.fit(plan.sample)
    for draft in plan.drafts:
        for line in prompt_lines(draft):
            say(harmless(line))
    for line in estimates(plan, fit, arguments.tokens_per_s, arguments.price_per_hour):
        say(harmless(line))
    for line in (*length_lines(plan, fit, lengths.unknown), *concern_lines(plan.concerns)):
        say(harmless(line))
    if loaded.recipe.engine.settings.needs_model:
        say(
            harmless(f"next         {command(arguments, verb='doctor')} looks at model or endpoint")
        )
    return 0
