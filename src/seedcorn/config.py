"""Recipes: YAML and `key=value` overrides become frozen dataclasses. The only omegaconf import.

Every failure is one line that names the file (or the override) and the dotted key, before anything
starts. Values may refer to other keys (`${engine.model}`); nothing else is interpolated, because
whatever a recipe says is stored with the corpus and the environment holds secrets.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import Recipe
from seedcorn.core.validation import validate

_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{")
_KEY_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{[\w.\[\]-]+\}")

Spec = TypeVar("Spec")


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe, the file it came from and the folder its relative paths start at."""

    recipe: Recipe
    base: str
    path: str


def load_recipe(path: str, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Read a recipe file, apply `dotted.key=value` overrides, validate; raises RecipeError.

    List items are addressed by number (`prompts.0.weight=2`). An override's value is read as YAML.
    """
    tree = _read(path)
    # The file must stand on its own first, so that a problem is blamed on who caused it.
    recipe = _structured(tree, path)
    if overrides:
        tree = _override(tree, overrides)
        keys = ", ".join(override.partition("=")[0] for override in overrides)
        recipe = _structured(tree, f"{path} with {keys} overridden")
    try:
        validate(recipe)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error
    return LoadedRecipe(recipe, str(Path(path).resolve().parent), path)


def recipe_from_dict(stored: Mapping[str, Any]) -> Recipe:
    """The recipe that `core.recipe.resolved` stored; raises RecipeError for keys unknown here.

    Nothing is interpolated: what is stored is final. Keys that are absent take today's defaults.
    """
    _walk(Recipe, stored, "", "stored recipe")
    return _from_plain(Recipe, stored)


def _read(path: str) -> Any:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the recipe: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    try:
        tree = OmegaConf.create(text or "{}")
    except YAMLError as error:
        raise RecipeError(f"{path}: {_yaml_problem(error)}") from error
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {_first_line(error)}") from error
    if not OmegaConf.is_dict(tree):
        raise RecipeError(f"{path}: a recipe is keys with values, such as `name: my-recipe`")
    return tree


def _override(tree: Any, overrides: Sequence[str]) -> Any:
    changed = OmegaConf.create(OmegaConf.to_container(tree))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"override {key!r}: must read key=value")
        try:
            parsed = OmegaConf.from_dotlist([f"value={text}"])
            value = next(iter(OmegaConf.to_container(parsed).values()))  # pyright: ignore
            OmegaConf.update(changed, key, value, merge=False)
        except YAMLError as error:
            raise RecipeError(f"override {key!r}: {_yaml_problem(error)}") from error
        except (OmegaConfBaseException, IndexError, TypeError, ValueError) as error:
            raise RecipeError(f"override {key!r}: {_first_line(error)}") from error
    return changed


def _structured(tree: Any, where: str) -> Recipe:
    plain = OmegaConf.to_container(tree)
    _refuse_interpolation(plain, "", where)
    _walk(Recipe, plain, "", where)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Recipe), tree)
        recipe = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise RecipeError(f"{where}: {_problem(error, '')}") from error
    assert isinstance(recipe, Recipe)
    return recipe


def _walk(spec: type, node: Any, prefix: str, where: str) -> None:
    """Unknown and missing keys, then types, level by level, with the whole dotted key."""
    if not isinstance(node, Mapping):
        raise RecipeError(f"{where}: {prefix or 'recipe'}: must be keys with values")
    known = {item.name: item for item in fields(spec)}
    for key in node:
        if key not in known:
            raise RecipeError(f"{where}: {_dotted(prefix, key)}: unknown key; {_near(key, known)}")
    for name, item in known.items():
        required = item.default is MISSING and item.default_factory is MISSING
        if required and node.get(name) is None:
            raise RecipeError(f"{where}: {_dotted(prefix, name)}: is missing")
    nested = dict(_nested(spec, node, prefix, where))
    _check_types(spec, {k: v for k, v in node.items() if k not in nested}, prefix, where)
    for name, (child, items) in nested.items():
        for suffix, value in items:
            _walk(child, value, _dotted(prefix, name) + suffix, where)


def _nested(
    spec: type, node: Mapping[str, Any], prefix: str, where: str
) -> Iterator[tuple[str, tuple[type, list[tuple[str, Any]]]]]:
    """Fields of a level that hold specs themselves: (name, (spec, [(key suffix, value)]))."""
    hints = get_type_hints(spec)
    for name, value in node.items():
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield name, (hint, [("", value)])
        elif get_origin(hint) is list and is_dataclass(get_args(hint)[0]):
            if not isinstance(value, list | tuple):
                raise RecipeError(f"{where}: {_dotted(prefix, name)}: must be a list")
            items = [(f".{number}", item) for number, item in enumerate(value)]
            yield name, (get_args(hint)[0], items)


def _check_types(spec: type, leaves: dict[str, Any], prefix: str, where: str) -> None:
    """Leaves of one level against their annotations. References to other keys are typed later."""
    plain = {k: v for k, v in leaves.items() if not (isinstance(v, str) and "${" in v)}
    try:
        OmegaConf.merge(OmegaConf.structured(spec), plain)
    except OmegaConfBaseException as error:
        raise RecipeError(f"{where}: {_problem(error, prefix)}") from error


def _refuse_interpolation(node: Any, prefix: str, where: str) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            _refuse_interpolation(value, _dotted(prefix, key), where)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            _refuse_interpolation(value, _dotted(prefix, number), where)
    elif isinstance(node, str) and _INTERPOLATION.search(_KEY_INTERPOLATION.sub("", node)):
        raise RecipeError(
            f"{where}: {prefix}: only ${{other.key}} is interpolated; the environment and other "
            r"resolvers are not (write \${ for a literal ${)"
        )


def _from_plain(spec: type[Spec], node: Mapping[str, Any]) -> Spec:
    hints = get_type_hints(spec)
    values: dict[str, Any] = {}
    for name, value in node.items():
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            values[name] = _from_plain(hint, value)
        elif get_origin(hint) is list and is_dataclass(get_args(hint)[0]):
            values[name] = [_from_plain(get_args(hint)[0], item) for item in value]
        else:
            values[name] = value
    return spec(**values)


def _problem(error: OmegaConfBaseException, prefix: str) -> str:
    key = _dotted(prefix, error.full_key) if error.full_key else prefix
    return f"{key}: {_first_line(error)}" if key else _first_line(error)


def _yaml_problem(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or _first_line(error)
    return f"line {mark.line + 1}: invalid YAML: {problem}" if mark else f"invalid YAML: {problem}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _dotted(prefix: str, key: object) -> str:
    return f"{prefix}.{key}" if prefix else str(key)


def _near(key: object, known: Mapping[str, Any]) -> str:
    close = get_close_matches(str(key), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
