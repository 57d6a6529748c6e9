"""one eager call -> numbers: what the code of the model compares with or divides by, as its source says.

A trace shows the numbers that meet a size, but not those after `int(x.shape[1])` or `len(x)`. So the source of each
function that eager has run is read: a comparison, a division, a range, a lookup. Names and attributes stand for what
they are when the function returns: whole numbers, and containers of them.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from pytest_tsexport.subjects.whose_code import owner

_CUTS = ("split", "chunk", "tensor_split", "unfold", "islice")
_SEARCHES = ("bisect", "bisect_left", "bisect_right", "searchsorted", "bucketize")
CALLS = frozenset(("range", "min", "max", "arange", "clamp", *_CUTS, *_SEARCHES))
"""Functions whose arguments are sizes."""

LOOKUPS = frozenset(("get", "pop", "index"))
"""Methods of a container that are given what it holds."""

MOST = 64
"""A container with more numbers is a table of ids, and no list of sizes; no more multiples of a number are visited."""

CONTAINERS = (dict, set, frozenset, list, tuple)
"""Containers whose numbers, or whose keys, may be sizes."""

LARGEST = 2**16
"""A larger number is an id, a mask value or a number of rows, and no size."""


class CodeNumbers:
    """While active, reads the functions of the model that are called. Mutable: it collects the numbers."""

    def __init__(self) -> None:
        self.found: set[int] = set()
        self._read: set[CodeType] = set()
        self._is_on = False

    def __enter__(self) -> CodeNumbers:
        self._is_on = sys.getprofile() is None  # a profiler of the user's stays, and nothing is read
        if self._is_on:
            sys.setprofile(self._returned)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_on:
            sys.setprofile(None)

    def _returned(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "return" or frame.f_code in self._read:
            return
        self._read.add(frame.f_code)
        if owner(frame.f_code.co_filename) == "model":
            numbers = set(_numbers(frame))
            self.found |= {number for number in numbers if 1 < number <= LARGEST}


def _numbers(frame: FrameType) -> Iterator[int]:
    tree = _parsed(frame.f_code)
    if tree is None:  # without its source, each number of its code may be one
        yield from (one for one in frame.f_code.co_consts if type(one) is int)
        return
    for node in ast.walk(tree):
        yield from (*_multiples(node, frame), *_keys(node, frame))
        for one, others in _met(node):
            if not others or any(_may_be_size(other, frame) for other in others):
                yield from _values(one, frame)


@lru_cache(maxsize=512)
def _parsed(code: CodeType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):  # it has no source, or begins within a statement, as a lambda may
        return None


def _met(node: ast.AST) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """Expressions that may be such a number, and what each meets; nothing for arguments of a function about sizes."""
    operands: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.FloorDiv, ast.Mod)):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Call) and _called(node) in CALLS:
        yield from ((one, []) for one in node.args)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKUPS:
        yield node.func.value, node.args[:1]
    elif isinstance(node, ast.Match):
        parts = (part for case in node.cases for part in ast.walk(case.pattern))
        yield from ((part.value, [node.subject]) for part in parts if isinstance(part, ast.MatchValue))
    for place, one in enumerate(operands):
        yield one, operands[:place] + operands[place + 1 :]


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _may_be_size(node: ast.expr, frame: FrameType) -> bool:
    """Whether a local whole number, a call or an item is in it: all else is the same at every size."""
    return any(
        isinstance(part, (ast.Call, ast.Subscript))
        or (isinstance(part, ast.Name) and type(frame.f_locals.get(part.id)) is int)
        for part in ast.walk(node)
    )


def _values(node: ast.expr, frame: FrameType) -> list[int]:
    """The whole numbers that an expression stands for, or that the container holds for which it stands."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        inside: list[object] = [_value(one, frame) for one in node.elts]
    elif isinstance(node, ast.Dict):
        inside = [_value(key, frame) for key in node.keys if key is not None]
    else:
        found = _object(node, frame)
        inside = list(found) if isinstance(found, CONTAINERS) and len(found) <= MOST else [_value(node, frame)]
    return [one for one in inside if type(one) is int][:MOST]


def _keys(node: ast.AST, frame: FrameType) -> list[int]:
    """The keys of a dict of which a size may be one: `gains[length]`."""
    if isinstance(node, ast.Subscript) and _may_be_size(node.slice, frame):
        is_dict = isinstance(node.value, ast.Dict) or isinstance(_object(node.value, frame), dict)
        return _values(node.value, frame) if is_dict else []
    return []


def _multiples(node: ast.AST, frame: FrameType) -> Iterator[int]:
    """Of a table that is looked up by `size // number`: the multiples of the number, up to the end of the table."""
    if isinstance(node, ast.Call) and _called(node) == "min":
        ends = [end for one in node.args if (end := _value(one, frame)) is not None]
        parts: list[ast.expr] = node.args
    elif isinstance(node, ast.Subscript):
        table = _object(node.value, frame)
        ends = [len(table)] if isinstance(table, (list, tuple)) else []
        parts = [node.slice]
    else:
        return
    for part in parts:
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.FloorDiv) and _may_be_size(part.left, frame):
            number = _value(part.right, frame) or 0
            yield from (number * times for end in ends for times in range(1, min(end, MOST) + 1))


def _value(node: ast.expr, frame: FrameType) -> int | None:
    """The whole number that an expression stands for; None if it is none, or if only running it could tell."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _value(node.operand, frame)
    if isinstance(node, ast.BinOp):
        return _combined(node, frame)
    found = _object(node, frame)
    return found if type(found) is int else None


def _combined(node: ast.BinOp, frame: FrameType) -> int | None:
    one, other = _value(node.left, frame), _value(node.right, frame)
    if one is None or other is None:
        return None
    if isinstance(node.op, ast.Add):
        return one + other
    if isinstance(node.op, ast.Sub):
        return one - other
    return one * other if isinstance(node.op, ast.Mult) else None


def _object(node: ast.expr, frame: FrameType) -> object:
    """What a constant, a name or an attribute stands for; no property is run."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        return inspect.getattr_static(_object(node.value, frame), node.attr, None)
    return None
