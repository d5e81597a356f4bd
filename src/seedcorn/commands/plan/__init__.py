"""`seedcorn plan RECIPE`: what a recipe would do and cost. No engine, no Ray, nothing written."""

import argparse

from seedcorn.commands.arguments import add_recipe, count, positive


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
    """Print the first prompts, then the estimates."""
    from seedcorn.commands.plan.drafts import planned
    from seedcorn.commands.plan.text import estimates, prompt_lines
    from seedcorn.commands.views.output import harmless, say
    from seedcorn.config import load_recipe
    from seedcorn.core.scheduling.leasing import require_window

    loaded = load_recipe(arguments.recipe, arguments.overrides)
    require_window(loaded.recipe)
    plan = planned(loaded, arguments.prompts)
    for draft in plan.drafts[: arguments.prompts]:
        for line in prompt_lines(draft):
            say(harmless(line))
    for line in estimates(plan, arguments.tokens_per_s, arguments.price_per_hour):
        say(line)
    return 0
