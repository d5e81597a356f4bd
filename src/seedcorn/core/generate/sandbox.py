"""Jinja that cannot reach out, and cannot run on: every template has a budget of work.

Jinja's own sandbox keeps a template away from Python's internals, but lets it loop for ever and
build strings of any size. Here every iteration, call, filter and value costs units, counted the
same way on every machine, and a template that has spent its budget fails. The syntax tree is
rewritten before it is compiled (`_Metered`), because loops, `~`, comparisons and slices never ask
the environment. Filters and methods are allow-lists: what is not known to be bounded is not there.
"""

import math
import operator
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from contextvars import ContextVar
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import StrictUndefined, Template, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import _PassArg
from jinja2.visitor import NodeTransformer

from seedcorn.core.generate.sandbox_costs import ESTIMATES, FILTERS, METHODS

WORK = 5_000_000
"""Units that one rendering may spend: less than a second of one core."""
STEP = 50
"""Units of one iteration, call or filter; an element of a container costs ITEM, a character 1."""
ITEM = 10
MAX_NUMBER = 10_000
"""Largest number a filter or method takes (a width, a precision, a count)."""
MAX_BITS = 4096
"""Largest product of whole numbers."""
MAX_DEPTH = 32
"""Deepest nesting of lists and mappings."""
COUNTED, TICK = "counted value", "work done"
"""Names of filters that a template cannot spell, and could call without harm."""

_LEAVES = (str, int, float, Undefined, type(None))
_VIEWS = (KeysView, ValuesView, ItemsView)
_CONTAINERS = (list, tuple, set, frozenset, range, *_VIEWS)
_spent: ContextVar[list[int]] = ContextVar("seedcorn_template_work")


class OverBudget(SecurityError):
    """A template that does more than `WORK`."""


def metered(template: Template, values: dict[str, Any]) -> Iterator[str]:
    """The parts of the rendered text, within one budget; raises what the template raises."""
    _spent.set([0])
    yield from template.generate(values)


def spend(units: int) -> None:
    """Count work; raises OverBudget."""
    spent = _spent.get()
    spent[0] += units
    if spent[0] > WORK:
        raise OverBudget(
            f"the template does too much: more than {WORK} units of work, of which an iteration "
            f"costs {STEP} and a character 1; shorten its loops"
        )


def charge(value: Any, depth: int = 0) -> None:
    """Spend the size of a value, whatever it holds; raises for what is no plain value."""
    if isinstance(value, str):
        spend(ITEM + len(value))
    elif isinstance(value, _LEAVES):
        spend(ITEM)
    elif depth >= MAX_DEPTH:
        raise SecurityError(f"lists and mappings nest more than {MAX_DEPTH} deep")
    elif isinstance(value, dict):
        for pair in value.items():
            charge(pair, depth + 1)
    elif isinstance(value, _CONTAINERS):
        spend(ITEM)
        for item in value:
            charge(item, depth + 1)
    else:
        # Its text would hold a memory address: another prompt at every rendering.
        raise SecurityError(f"a {type(value).__name__} is no value to work with")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with a budget, without randomness, with allow-lists."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalized,
            # Folding constants would run filters while compiling, outside of any budget.
            optimized=False,
        )
        self.globals = {"range": self.globals["range"]}
        self.filters = {name: _filter(name, self.filters[name]) for name in FILTERS}
        self.filters |= {COUNTED: _counted, TICK: _tick}
        self.tests = {name: _test(test) for name, test in self.tests.items()}

    def compiled(self, source: str) -> Template:
        """The template, metered; raises TemplateError."""
        tree = _Metered().visit(self.parse(source))
        return self.template_class.from_code(self, self.compile(tree), self.make_globals(None))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Numbers, within limits; `+` joins texts and lists, at the cost of both."""
        if isinstance(left, int | float) and isinstance(right, int | float):
            _check_numbers(operator, left, right)
        elif operator == "+":
            left, right = _settled(left), _settled(right)
        else:
            raise SecurityError(f"operator {operator} works on numbers only")
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A macro, a loop, `range`, or a method of the allow-list with bounded arguments."""
        spend(STEP)
        if isinstance(__obj, BuiltinMethodType | MethodType) and not _is_loop_method(__obj):
            name, of = __obj.__name__, __obj.__self__
            if name not in METHODS.get(type(of), ()):
                raise SecurityError(f"method {name!r} of {type(of).__name__} is not available")
            return _bounded(name, __obj, [of], args, kwargs)
        loops = isinstance(__obj, LoopContext | Macro | BlockReference) or _is_loop_method(__obj)
        if not loops and __obj is not __self.globals["range"]:
            raise SecurityError(f"a {type(__obj).__name__} cannot be called here")
        return super().call(__context, __obj, *args, **kwargs)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As Jinja's; hashing a key costs its size."""
        charge(argument)
        return super().getitem(obj, argument)


class _Metered(NodeTransformer):
    """Puts the meter where the compiled template would not ask the environment."""

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        """Infinity has no spelling in the Python that Jinja compiles to."""
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise TemplateSyntaxError("a number is too large", node.lineno)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """An iteration costs, also one that the loop's own condition passes over."""
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_tick_node()))
        if node.test is not None:
            node.test = nodes.And(_tick_node(), node.test)
        return node

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:
        """Literal text costs its length, each time it is written."""
        self.generic_visit(node)
        literal = sum(len(n.data) for n in node.nodes if isinstance(n, nodes.TemplateData))
        return [nodes.ExprStmt(_tick_node(literal)), node]

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """`~` is a join."""
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes), "join", [], [], None, None)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """Both sides are read."""
        self.generic_visit(node)
        node.expr = _counted_node(node.expr)
        for operand in node.ops:
            operand.expr = _counted_node(operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        """A slice is a copy."""
        self.generic_visit(node)
        return _counted_node(node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:
        """Keys are hashed."""
        self.generic_visit(node)
        node.key = _counted_node(node.key)
        return node


def _tick_node(units: int = 0) -> nodes.Filter:
    return nodes.Filter(nodes.Const(units), TICK, [], [], None, None)


def _counted_node(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.Const):
        return node
    return nodes.Filter(node, COUNTED, [], [], None, None)


@pass_context
def _tick(context: Any, units: int) -> bool:
    spend(STEP + (units if isinstance(units, int) and units > 0 else 0))
    return True


@pass_context
def _counted(context: Any, value: Any) -> Any:
    return _settled(value)


@pass_context
def _finalized(context: Any, value: Any) -> Any:
    charge(value)
    return value


def _settled(value: Any) -> Any:
    """The value, paid for; what is still to be computed becomes a list."""
    if isinstance(value, Iterator):
        return list(_paid(value))
    charge(value)
    return value


def _paid(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        charge(item)
        yield item


def _filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    passed = _PassArg.from_obj(function)

    @pass_context
    def bounded(context: Any, *args: Any, **kwargs: Any) -> Any:
        spend(STEP)
        lead = {
            _PassArg.context: [context],
            _PassArg.eval_context: [context.eval_ctx],
            _PassArg.environment: [context.environment],
        }
        return _bounded(name, function, [], args, kwargs, lead.get(passed, []) if passed else [])

    return bounded


def _bounded(
    name: str,
    function: Callable[..., Any],
    owner: list[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    lead: list[Any] | None = None,
) -> Any:
    """Call with values that are paid for; what it may grow to is estimated before it grows."""
    values = [_settled(value) for value in args]
    named = {key: _settled(value) for key, value in kwargs.items()}
    every = [*owner, *values]
    for number in (*every[1:], *named.values()):
        if isinstance(number, int | float) and abs(number) > MAX_NUMBER:
            raise SecurityError(f"{name}: {number!r:.20} is more than {MAX_NUMBER}")
    charge(owner)
    if name in ESTIMATES:
        spend(ESTIMATES[name](*every, **named))
    result = function(*(lead or []), *values, **named)
    return result if isinstance(result, Iterator) else _settled(result)


def _test(test: Callable[..., Any]) -> Callable[..., Any]:
    passed = _PassArg.from_obj(test)

    def bounded(*args: Any) -> Any:
        spend(STEP)
        for value in args if passed is None else args[1:]:
            if not callable(value):
                charge(value)
        return test(*args)

    return passed_on(bounded, passed)


def passed_on(function: Callable[..., Any], passed: _PassArg | None) -> Callable[..., Any]:
    """Mark `function` as taking what `passed` says, as Jinja's decorators do."""
    if passed is not None:
        function.jinja_pass_arg = passed  # type: ignore[attr-defined]
    return function


def _is_loop_method(called: Any) -> bool:
    return isinstance(getattr(called, "__self__", None), LoopContext)


def _check_numbers(symbol: str, left: float, right: float) -> None:
    if symbol == "**" and (abs(left) > 1e6 or abs(right) > 16):
        raise SecurityError("operator ** is limited to small numbers")
    if symbol == "*" and isinstance(left, int) and isinstance(right, int):
        bits = operator.index(left).bit_length() + operator.index(right).bit_length()
        if bits > MAX_BITS:
            raise SecurityError(f"operator * gives a number of more than {MAX_BITS} bits")
