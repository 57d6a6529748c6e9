"""object -> the objects that it refers to, and copies that refer to others in their place.

`copy.deepcopy` goes into containers, objects, bound methods and partials, and not into functions. `module.forward` may
be a function whose closure holds the module itself: a copy by `deepcopy` alone would call the module that it is copied
from.
"""

from __future__ import annotations

import copy
import dis
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import WRAPPER_ASSIGNMENTS, partial
from types import CellType, FunctionType, MethodType
from typing import Any, TypeVar

import torch
from torch import nn

from pytest_tsexport.tensors.named_tensors import ATOMS, VALUES, Objects, attributes

Key = TypeVar("Key")

Users = dict[int, list[int]]
"""For an object, what refers to it; by identity."""


def redirected(
    values: Mapping[Key, Any], replacements: Mapping[int, Any], fixed: Mapping[int, object]
) -> dict[Key, Any]:
    """Those of `values` that refer to a replaced object, copied so that they refer to its replacement.

    `replacements` has the new objects by the identity of the old ones. Only what refers to an old one is copied,
    directly or through others, functions and their closures too; all else is shared. What is in `fixed` is shared as
    it is, whatever it refers to. Raises what `copy.deepcopy` raises.
    """
    users: Users = {}
    found = reachable(values.values(), {**fixed, **replacements}, users=users)
    referring = _referring(users, replacements)
    memo: dict[int, Any] = {key: one for key, one in found.items() if key not in referring}
    memo |= {**fixed, **replacements}
    functions = [one for key, one in found.items() if key in referring and isinstance(one, FunctionType)]
    fill = _copy_functions(functions, referring | set(replacements), memo)
    for key in referring:
        method = found[key]
        if isinstance(method, MethodType):  # `deepcopy` keeps its function
            memo[key] = MethodType(copy.deepcopy(method.__func__, memo), copy.deepcopy(method.__self__, memo))
    changed = {
        name: copy.deepcopy(value, memo)
        for name, value in values.items()
        if id(value) in referring or id(value) in replacements
    }
    fill()
    return changed


def references(value: object) -> Iterable[object]:
    """What a value refers to as far as Python shows it: its contents, its attributes, the closure of a function."""
    if isinstance(value, (*ATOMS, torch.Tensor)):
        return ()
    if isinstance(value, dict):
        return (*dict.keys(value), *dict.values(value), *(one for _, one in attributes(value)))
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return (*value, *(one for _, one in attributes(value)))
    if isinstance(value, FunctionType):
        contents = [one for cell in value.__closure__ or () for one in _contents(cell)]
        return (*contents, value.__defaults__, value.__kwdefaults__, vars(value))
    if isinstance(value, MethodType):
        return (value.__self__, value.__func__)
    return [one for _, one in attributes(value)]


def references_and_globals(value: object) -> Iterable[object]:
    """Also the modules, and what is bound to one, that a function uses by a global name."""
    yield from references(value)
    if isinstance(value, FunctionType):
        steps = dis.get_instructions(value.__code__)
        used = (value.__globals__.get(step.argval) for step in steps if step.opname == "LOAD_GLOBAL")
        yield from (one for one in used if isinstance(one, (nn.Module, MethodType, partial)))


def reachable(
    starts: Iterable[object],
    ends: Collection[int],
    refer: Callable[[object], Iterable[object]] = references,
    users: Users | None = None,
) -> Objects:
    """What can be reached from `starts`, these included; an object with its identity in `ends` is not part of it.

    `users`, if given, is filled: for each object and each of the ends, what of the result refers to it.
    """
    found: Objects = {}
    users = {} if users is None else users
    stack = list(starts)
    while stack:
        one = stack.pop()
        if id(one) in found or id(one) in ends or isinstance(one, ATOMS):
            continue
        found[id(one)] = one
        for child in refer(one):
            if type(child) not in VALUES:
                users.setdefault(id(child), []).append(id(one))
                stack.append(child)
    return found


def _referring(users: Users, targets: Iterable[int]) -> set[int]:
    """The identities of what refers to a target, directly or through others."""
    referring: set[int] = set()
    stack = [key for key in targets if key in users]
    while stack:
        fresh = set(users.get(stack.pop(), ())) - referring
        referring |= fresh
        stack.extend(fresh)
    return referring


def _contents(cell: CellType) -> tuple[object, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # it is still empty
        return ()


def _copy_functions(
    functions: Iterable[FunctionType], moved: Collection[int], memo: dict[int, Any]
) -> Callable[[], None]:
    """Puts copies of functions into `memo`; the result fills them, and is called when all copies are made.

    Functions that had a cell of a closure in common have one again. A cell is shared unless what it holds is `moved`.
    """
    cells: dict[int, tuple[CellType, CellType]] = {}
    copies: list[tuple[FunctionType, FunctionType]] = []
    for function in functions:
        for cell in function.__closure__ or ():
            is_moved = any(id(one) in moved for one in _contents(cell))
            cells.setdefault(id(cell), (cell, CellType() if is_moved else cell))
        closure = tuple(cells[id(cell)][1] for cell in function.__closure__ or ())
        made = FunctionType(function.__code__, function.__globals__, function.__name__, None, closure)
        for name in WRAPPER_ASSIGNMENTS:
            setattr(made, name, getattr(function, name))
        memo[id(function)] = made
        copies.append((function, made))

    def fill() -> None:
        for cell, fresh in cells.values():
            if fresh is not cell:
                fresh.cell_contents = copy.deepcopy(cell.cell_contents, memo)
        for function, made in copies:
            made.__defaults__ = copy.deepcopy(function.__defaults__, memo)
            made.__kwdefaults__ = copy.deepcopy(function.__kwdefaults__, memo)
            vars(made).update(copy.deepcopy(vars(function), memo))

    return fill
