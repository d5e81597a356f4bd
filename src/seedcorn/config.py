"""Recipes: YAML and `key=value` overrides become frozen dataclasses. The only omegaconf import.

Every failure is one line that names the file (or the override) and the dotted key, before anything
starts. Values may refer to other keys (`${engine.model}`); nothing else is interpolated, because
whatever a recipe says is stored with the corpus and the environment holds secrets. A field that
holds text gets the text as written (`core.recipe.scalars`), whatever YAML makes of it.
"""

import copy
import os
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from types import GenericAlias
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import CSafeLoader, Node, ScalarNode, YAMLError, load

from seedcorn.core.checks.build import CHECKS
from seedcorn.core.errors import RecipeError
from seedcorn.core.preflight.validation import validate
from seedcorn.core.recipe import LoadedRecipe, Recipe, resolved
from seedcorn.core.recipe.limits import MAX_FILE, check_numbers, check_size
from seedcorn.core.recipe.scalars import Scalar, hint_at, settle
from seedcorn.core.recipe.secrets import refuse_known_secrets
from seedcorn.core.recipe.tree import (
    dotted,
    hints_of,
    nested,
    nested_spec,
    recipe_from_dict,
    refuse_keys,
)

__all__ = ["LoadedRecipe", "load_recipe", "recipe_from_dict"]

_UNMERGED = (OmegaConfBaseException, TypeError, ValueError)
"""What OmegaConf raises for values that do not fit their keys; a list for a mapping is a TypeError."""
_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{")
_KEY_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{[\w.\[\]-]+\}")
_STEP = re.compile(r"[^.\[\]]+")
_SETTINGS = {code: get_type_hints(kind) for code, kind in CHECKS.items()}
_HINTS = {**hints_of(Recipe), "checks": GenericAlias(list, (_SETTINGS,))}
"""What every key of a recipe holds, down to the settings of checks."""

_SIGN = re.compile("could not determine a constructor for the tag '(!.*|.*:(value|merge))'")
_WRITTEN = {"value": "=", "merge": "<<"}
"""Signs of YAML by the name that it gives them; a tag of the writer's own is `!name`."""
_UNQUOTED = ("found character", "found undefined alias")
"""How YAML's messages about text that begins with a sign of its own begin."""


class _Loader(CSafeLoader):
    """Reads the scalars that OmegaConf's loader reads, and keeps their text."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        value = super().construct_object(node, deep)
        if isinstance(node, ScalarNode) and isinstance(value, bool | int | float | None):
            return Scalar(node.value, value)
        return value


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?[0-9]+(_[0-9]+)*(\.[0-9_]*)?([eE][-+]?[0-9]+)?$|\.[0-9]+(_[0-9]+)*([eE][-+][0-9]+)?$"
    ),
    list("-+.0123456789"),
)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in _Loader.yaml_implicit_resolvers.items()
}


def load_recipe(path: str, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Read a recipe file, apply `dotted.key=value` overrides, validate; raises RecipeError.

    List items are addressed by number (`prompts.0.weight=2`). An override's value is read as YAML.
    """
    try:
        return _load(path, overrides)
    except RecursionError:
        raise RecipeError(f"{path}: lists or mappings nest too deep") from None


def _load(path: str, overrides: Sequence[str]) -> LoadedRecipe:
    tree = _read(path)
    keys = ", ".join(override.partition("=")[0] for override in overrides)
    where = f"{path} with {keys} overridden" if overrides else path
    try:
        recipe = _structured(_override(tree, overrides), where)
    except RecipeError:
        # Blame the file where it does not stand on its own, else the override.
        _structured(tree, path)
        raise
    try:
        validate(recipe)
        refuse_known_secrets(resolved(recipe), os.environ)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error
    return LoadedRecipe(recipe, str(Path(path).resolve().parent), path)


def _read(path: str) -> DictConfig:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise RecipeError(f"{path}: is larger than {MAX_FILE} bytes, too large for a recipe")
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise RecipeError(f"{path}: is not UTF-8 text (byte {error.start})") from error
        cause = getattr(error, "strerror", None) or error
        raise RecipeError(f"{path}: cannot read the recipe: {cause}") from error
    try:
        tree = OmegaConf.load(StringIO(text))  # Refuses what no recipe may hold.
        written = load(text, _Loader)
    except YAMLError as error:
        raise RecipeError(f"{path}: {_yaml_problem(error)}") from error
    except (OmegaConfBaseException, OSError, ValueError) as error:
        raise RecipeError(f"{path}: {_first_line(error)}") from error
    if not isinstance(tree, DictConfig) or not isinstance(written, dict):
        raise RecipeError(
            f"{path}: a recipe is a mapping of keys to values, such as `name: my-recipe`"
        )
    try:
        return OmegaConf.create(settle(written, _HINTS))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _override(tree: DictConfig, overrides: Sequence[str]) -> DictConfig:
    changed = copy.deepcopy(tree)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"override {key!r}: must read key=value")
        try:
            OmegaConf.from_dotlist([f"value={text}"])  # Refuses as above.
            hint = hint_at(_HINTS, _STEP.findall(key))
            value = "" if hint is str and not text else settle(load(text, _Loader), hint, key)
            OmegaConf.update(changed, key, value, merge=False)
        except RecipeError as error:
            raise RecipeError(f"override {error}") from error
        except YAMLError as error:
            raise RecipeError(f"override {key!r}: {_yaml_problem(error)}") from error
        except (OmegaConfBaseException, IndexError, TypeError, ValueError) as error:
            raise RecipeError(f"override {key!r}: {_first_line(error)}") from error
    return changed


def _structured(tree: DictConfig, where: str) -> Recipe:
    plain: Any = OmegaConf.to_container(tree)
    _refuse_interpolation(plain, "", where)
    check_size(plain, where)
    check_numbers(plain, where)
    refuse_keys(Recipe, plain, "", where)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Recipe), tree)
        recipe = OmegaConf.to_object(merged)
    except _UNMERGED as error:
        _refuse_types(Recipe, plain, "", where)
        raise RecipeError(f"{where}: {_problem(error, '')}") from error
    assert isinstance(recipe, Recipe)
    return recipe


def _refuse_types(spec: type, node: Mapping[str, Any], prefix: str, where: str) -> None:
    """The first value of a wrong type, level by level: OmegaConf's own key stops at a list item.

    References to other keys have no type of their own and are left to the whole.
    """
    hints = get_type_hints(spec)
    leaves = {
        name: value
        for name, value in node.items()
        if nested_spec(hints[name]) is None and not (isinstance(value, str) and "${" in value)
    }
    for name, value in leaves.items():
        try:
            OmegaConf.merge(OmegaConf.structured(spec), {name: value})
        except OmegaConfBaseException as error:
            raise RecipeError(f"{where}: {_problem(error, prefix)}") from error
        except (TypeError, ValueError) as error:
            raise RecipeError(f"{where}: {dotted(prefix, name)}: {_first_line(error)}") from error
    for key, child, value in nested(spec, node, prefix, where):
        _refuse_types(child, value, key, where)


def _refuse_interpolation(node: Any, prefix: str, where: str) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            _refuse_interpolation(value, dotted(prefix, key), where)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            _refuse_interpolation(value, dotted(prefix, number), where)
    elif isinstance(node, str) and _INTERPOLATION.search(_KEY_INTERPOLATION.sub("", node)):
        raise RecipeError(
            f"{where}: {prefix}: only ${{other.key}} is interpolated; the environment and other "
            r"resolvers are not (write \${ for a literal ${)"
        )


def _problem(error: Exception, prefix: str) -> str:
    full = getattr(error, "full_key", None)
    key = dotted(prefix, full) if full else prefix
    return f"{key}: {_first_line(error)}" if key else _first_line(error)


def _yaml_problem(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or _first_line(error)
    if sign := _SIGN.search(problem):
        text = _WRITTEN.get(sign[2], sign[1])
        problem = f"{text} is a sign of YAML's own; quote it for the text: '{text}'"
    elif problem.startswith(_UNQUOTED):
        problem = f"{problem}; quote the value if it is text"
    return f"line {mark.line + 1}: invalid YAML: {problem}" if mark else f"invalid YAML: {problem}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
