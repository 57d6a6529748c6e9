"""Whether the source of a function returns a value: other projects have a marker of the same name on plain tests."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def returns_something(function: Callable[..., Any]) -> bool:
    """Whether the source has a `return` with a value other than None; False if there is no source.

    A heuristic for collection, where nothing may run. `return check(model)` and decorators without `functools.wraps`
    mislead it; what the call really returns decides. `return await ...` does not count: only an `async def` can have
    it, and no check can judge one.
    """
    body = _body(function)
    return any(isinstance(node, ast.Return) and not _is_nothing(node.value) for node in _own_nodes(body))


def _body(function: Callable[..., Any]) -> list[ast.stmt]:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        statement = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        # No file, not a Python function, or a fragment that does not parse alone (a lambda in a call).
        return []
    return statement.body if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) else []


def _own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node outside nested functions and classes: their `return` statements do not count."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _SCOPES):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or isinstance(value, ast.Await) or (isinstance(value, ast.Constant) and value.value is None)
