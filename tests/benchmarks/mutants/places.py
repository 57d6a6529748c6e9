"""Says what runs the code at a position of a module (calls or the import), and where mutation is skipped."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

Position = tuple[int, int]
"""Line, counted from 1, and column, counted from 0 in characters."""

Node = ast.expr | ast.stmt
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a position is run.

    `lines` are those of the statement, if a function runs it; those of the function's body for a decorator or a
    default. `names` are what a statement that the import runs gives a value to.
    """

    lines: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()


def why_skipped(source: str) -> Callable[[Position], str | None]:
    """A function of a position: why a change there says nothing about the tests, or None."""
    lines = source.splitlines()
    regions = [(_start(node, lines), _end(node, lines), reason) for node, reason in _skipped(ast.parse(source))]

    def reason_at(position: Position) -> str | None:
        return next((reason for start, end, reason in regions if start <= position < end), None)

    return reason_at


def compares_words(source: str) -> Callable[[Position], bool]:
    """A function of a position: whether a comparison with a text that is written there stands at it."""
    lines = source.splitlines()
    compared = [
        (_end(left, lines), _start(right, lines))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        for left, right in pairwise((node.left, *node.comparators))
        if any(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in (left, right))
    ]
    return lambda position: any(start <= position < end for start, end in compared)


def place_of(tree: ast.Module, line: int) -> Place:
    """The innermost statement that has the line, as what runs it."""
    around = _around(tree, line)
    functions = [node for node in around if isinstance(node, Function)]
    if not functions:
        return Place(names=frozenset(_given(around[-1]) if around else ()))
    body = range(functions[-1].body[0].lineno, (functions[-1].end_lineno or line) + 1)
    return Place(lines=_own_lines(around[-1]) if line in body else frozenset(body))


def readers(tree: ast.Module, names: frozenset[str]) -> set[int]:
    """The lines that read one of these names, or an attribute called so."""
    return {
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names)
        or (isinstance(node, ast.Attribute) and node.attr in names)
    }


def _skipped(tree: ast.Module) -> Iterator[tuple[Node, str]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            yield node.annotation, "annotation"
        elif isinstance(node, Function) and node.returns:
            yield node.returns, "annotation"
        elif isinstance(node, ast.If) and _says(node.test, "TYPE_CHECKING"):
            yield node, "TYPE_CHECKING"
        elif isinstance(node, ast.Assign) and any(_says(one, "__all__") for one in node.targets):
            yield node, "__all__"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node, "docstring"
        elif isinstance(node, ast.ClassDef):
            yield from _skipped_of_class(node)
        elif isinstance(node, ast.Call) and _says(node.func, "zip"):
            yield from _asserted(node)
    # Names of types are written in CamelCase: `Leaves = Mapping[str, torch.Tensor] | None`.
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _camel(node.targets[0].id):
            yield node.value, "type alias"


def _skipped_of_class(node: ast.ClassDef) -> Iterator[tuple[Node, str]]:
    """`frozen` and `slots` keep programmers from a mistake and change no answer; a protocol's body never runs."""
    for decorator in node.decorator_list:
        if _says(decorator.func if isinstance(decorator, ast.Call) else decorator, "dataclass"):
            yield decorator, "@dataclass and its options"
    if any(_says(base, "Protocol") for base in node.bases):
        yield from ((one, "protocol") for one in node.body)


def _asserted(node: ast.Call) -> Iterator[tuple[Node, str]]:
    """`strict=True` asserts what the lines above have made sure of: while it holds, no input tells it from False."""
    for keyword in node.keywords:
        if keyword.arg == "strict" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
            yield keyword.value, "strict=True of zip"


def _says(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def _camel(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()


def _start(node: Node, lines: list[str]) -> Position:
    """A decorator starts at its `@`, which belongs to no node; so does what a class or a function is decorated with."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first: Node = decorators[0] if decorators else node
    line, column = first.lineno, _column(lines, first.lineno, first.col_offset)
    before = lines[line - 1][:column]
    return (line, len(before) - 1) if before.strip() == "@" else (line, column)


def _end(node: Node, lines: list[str]) -> Position:
    line, offset = node.end_lineno or node.lineno, node.end_col_offset or 0
    return line, _column(lines, line, offset)


def _column(lines: list[str], line: int, offset: int) -> int:
    """`ast` counts bytes of UTF-8."""
    return len(lines[line - 1].encode()[:offset].decode())


def _around(tree: ast.Module, line: int) -> list[ast.stmt]:
    """The statements that have a line, outermost first."""
    statements = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
    return [node for node in statements if line in _lines(node)]


def _lines(node: ast.stmt) -> range:
    """The lines of a statement, with its decorators."""
    first = min(one.lineno for one in (node, *getattr(node, "decorator_list", ())))
    return range(first, (node.end_lineno or first) + 1)


def _own_lines(node: ast.stmt) -> frozenset[int]:
    """The lines of a statement, without those of the statements inside."""
    inner = [one for one in ast.walk(node) if isinstance(one, ast.stmt) and one is not node]
    return frozenset(_lines(node)).difference(*map(_lines, inner))


def _given(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name)) if target is not None else ()
