"""What in a recipe is probably not meant: parents that no template reads, axes without effect.

Nothing here is an error: a recipe may mean it. But each costs a run that looks well and is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import meta, nodes

from seedcorn.core.generate.sandbox import Sandbox
from seedcorn.core.recipe import PromptSpec, Recipe

_ENVIRONMENT = Sandbox()


@dataclass(frozen=True, slots=True)
class Concern:
    """Something in a recipe that is probably not meant: its key, what is odd, what to do."""

    key: str
    text: str
    advice: str


def concerns(recipe: Recipe) -> Iterator[Concern]:
    """About every prompt that is drawn; its templates compile."""
    for number, spec in enumerate(recipe.prompts):
        if spec.weight > 0:
            where = f"prompts.{number}"
            trees = [_ENVIRONMENT.parse(text) for text in (spec.template, spec.system) if text]
            yield from _parents(spec, where, trees)
            yield from _places(spec, where, trees)
            yield from _axes(spec, where, trees)


def _parents(spec: PromptSpec, where: str, trees: list[nodes.Template]) -> Iterator[Concern]:
    names = set[str]().union(*(meta.find_undeclared_variables(tree) for tree in trees))
    if spec.parents and not names & {"parent", "parents"}:
        drawn = "a document" if spec.parents == 1 else f"{spec.parents} documents"
        yield Concern(
            f"{where}.template",
            f"prompt {spec.name} draws {drawn} and never uses it: the model sees none of the seed",
            f"write {{{{ parent }}}} where the document belongs, or set {where}.parents: 0",
        )
    elif spec.parents > 1 and "parents" not in names:
        yield Concern(
            f"{where}.template",
            f"prompt {spec.name} draws {spec.parents} documents and uses the first alone",
            f"loop over parents, or set {where}.parents: 1",
        )


def _places(spec: PromptSpec, where: str, trees: list[nodes.Template]) -> Iterator[Concern]:
    """`parents[3]` where three are drawn: the sample fails, unless a condition guards it."""
    wanted = {
        place for tree in trees for place in _constants(tree, "parents") if isinstance(place, int)
    }
    for place in sorted(p for p in wanted if not -spec.parents <= p < spec.parents):
        yield Concern(
            f"{where}.template",
            f"prompt {spec.name} uses parents[{place}], but draws {spec.parents}, counted from 0",
            f"raise {where}.parents, or use a lower number",
        )


def _axes(spec: PromptSpec, where: str, trees: list[nodes.Template]) -> Iterator[Concern]:
    used: set[str] = set()
    for tree in trees:
        named = {axis for axis in _constants(tree, "axes") if isinstance(axis, str)}
        named |= {node.attr for node in tree.find_all(nodes.Getattr) if _is_name(node.node, "axes")}
        if not named <= spec.axes.keys() or _mentions(tree, "axes") > _named_uses(tree, "axes"):
            return  # Used as a whole: a loop over its items, or by a name computed later.
        used |= named
    for axis in [axis for axis in spec.axes if axis not in used]:
        yield Concern(
            f"{where}.axes.{axis}",
            f"no template of prompt {spec.name} uses this axis: its values change nothing",
            f"write {{{{ axes.{axis} }}}} in the template, or remove the axis",
        )


def _constants(tree: nodes.Template, name: str) -> Iterator[object]:
    """The constants that a variable is subscripted with."""
    for node in tree.find_all(nodes.Getitem):
        if _is_name(node.node, name):
            if isinstance(node.arg, nodes.Const):
                yield node.arg.value
            elif isinstance(node.arg, nodes.Neg) and isinstance(node.arg.node, nodes.Const):
                yield -node.arg.node.value


def _mentions(tree: nodes.Template, name: str) -> int:
    return sum(node.name == name for node in tree.find_all(nodes.Name))


def _named_uses(tree: nodes.Template, name: str) -> int:
    dotted = sum(_is_name(node.node, name) for node in tree.find_all(nodes.Getattr))
    return dotted + len(list(_constants(tree, name)))


def _is_name(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
