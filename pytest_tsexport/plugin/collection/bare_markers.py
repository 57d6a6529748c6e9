"""source of a function -> does it return something: what tells a test to judge from one that is only labelled."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def returns_something(function: Callable[..., Any]) -> bool:
    """Whether the source has a `return` of something else than None; False where there is no source.

    A heuristic, for collection alone, where nothing may run: `return check(model)` and decorators without
    `functools.wraps` fool it, and what the call returns has the last word. `return await ...`, which only an
    `async def` can have and which no check can judge, is left to that.
    """
    body = _body(function)
    return any(isinstance(node, ast.Return) and not _is_nothing(node.value) for node in _own_nodes(body))


def _body(function: Callable[..., Any]) -> list[ast.stmt]:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        statement = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        # No file, no Python function, or a piece that is not a statement by itself (a lambda in a call).
        return []
    return statement.body if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) else []


def _own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node but those of nested functions and classes, whose returns are their own."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _SCOPES):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or isinstance(value, ast.Await) or (isinstance(value, ast.Constant) and value.value is None)
