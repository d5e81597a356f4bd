"""What a recipe is known by: fingerprint, template hashes, plan, ids, seeds, rendered prompts.

Used once to write `identities.json` and ever since to compare with it, so that both mean the same.
"""

import json
from functools import cache
from pathlib import Path

from seedcorn.config import load_recipe
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.generate.prompts import compile_prompt, template_hash
from seedcorn.core.identity import canonical_json, sha256_hex
from seedcorn.core.recipe import resolved
from seedcorn.core.recipe.tree import recipe_from_dict

FOLDER = Path(__file__).parent
RECIPES = FOLDER / "recipes"
IDENTITIES = FOLDER / "identities.json"
PARENT = (
    "Parent {0} of generation {1}: \u201cit\u2019s <|im_start|> {{{{ index }}}} n\u00e3o\u201d."
)
"""Stands for every parent's text when prompts are rendered."""


@cache
def load(recipe, *overrides):
    """A recipe of the golden folder."""
    return load_recipe(str(RECIPES / recipe), overrides).recipe


def names_of(recipe):
    """Fingerprint, and template hash by prompt."""
    return {
        "fingerprint": recipe.fingerprint,
        "templates": {spec.name: template_hash(spec) for spec in recipe.prompts},
    }


def plan_of(recipe, generation, pools, mixes=None):
    """The plan over pools given as {generation: block sizes}, generation 0 being the seed."""
    held = {int(number): Pool(int(number), sizes) for number, sizes in pools.items()}
    earlier = [held[number] for number in sorted(held) if 0 < number < generation]
    plan = Plan(recipe, generation, held[0], earlier)
    if mixes:
        plan.decide({int(batch): weights for batch, weights in mixes.items()})
    return plan


def draw_of(plan, index):
    """One draw as plain JSON, with the hash of the prompt that it renders to."""
    draw = plan.draw(index)
    spec = next(spec for spec in plan.recipe.prompts if spec.name == draw.prompt)
    return {
        "index": index,
        "sample_id": draw.sample_id,
        "seed": draw.seed,
        "prompt": draw.prompt,
        "axes": dict(draw.axes),
        "parents": [list(parent) for parent in draw.parents],
        "rendered": _rendered(spec, draw, plan.generation),
    }


def _rendered(spec, draw, generation):
    texts = [PARENT.format(row, number) for number, row in draw.parents]
    found = compile_prompt(spec).render(draw, generation, texts)
    return sha256_hex(found.as_text().encode())


def changed(recipe, path, value):
    """The recipe with the value at a dotted path replaced, as a stored recipe would be read."""
    tree = json.loads(canonical_json(resolved(recipe)))
    node, *steps = tree, *path.split(".")
    for step in steps[:-1]:
        node = node[int(step) if isinstance(node, list) else step]
    last = steps[-1]
    node[int(last) if isinstance(node, list) else last] = value
    return recipe_from_dict(tree)
