"""Names that said nothing to new readers are gone from the package, and stay gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.meta.rules import Fault, must_hold
from tests.meta.sources import PACKAGE, Source, modules, named

BANNED = {"collecting", "running", "telling", "making", "host", "apart", "Ear", "Asker", "Place", "Bench", "Held"}
BANNED |= {"let_go", "told", "usual", "borders", "unseen", "adoption", "mend", "again"}
"""Names that readers stumbled over. Each has another word now that says what the thing is."""

LOWERED = {word.lower() for word in BANNED} - {"place"}
"""Class names are banned in lower case too, since that is how an attribute would hold such an object; `place` alone is
an ordinary word."""


def is_banned(name: str) -> bool:
    """Whether a name is banned, with its leading underscores or without."""
    bare = name.lstrip("_")
    return bare in BANNED or bare in LOWERED


def names_in(module: Source) -> Iterator[tuple[int, str]]:
    """What a module defines: functions, classes, parameters, variables, attributes and rows, with their lines."""
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.value.lineno, node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name
        elif isinstance(node, ast.Tuple) and node.elts:
            yield from labels(node)


def labels(node: ast.Tuple) -> Iterator[tuple[int, str]]:
    """The label of a row: the first text of a tuple."""
    first = node.elts[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.lineno, first.value


def banned(module: Source) -> list[Fault]:
    found = sorted({(line, name) for line, name in names_in(module) if is_banned(name)})
    return [(line, f"rename {name!r}") for line, name in found]


def test_no_name_is_one_that_says_nothing_to_readers() -> None:
    must_hold(banned, modules())


def test_no_package_and_no_module_has_such_a_name() -> None:
    paths = [path for path in PACKAGE.rglob("*") if path.is_dir() or path.suffix == ".py"]
    assert [named(path) for path in paths if is_banned(path.stem)] == []


@pytest.mark.parametrize(
    "source",
    [
        "def told(): pass",
        "def f(host): pass",
        "class _Bench: pass",
        "class A:\n  unseen: int",
        "def f(self):\n  self._held = 1",
        "f(again=1)",
        "for making in (): pass",
        "import os as apart",
        "rows = (('mend', 'text'),)",
        "x.let_go()",
    ],
)
def test_the_rule_sees_what_it_is_for(source: str) -> None:
    assert len(banned(Source("x.py", source))) == 1


@pytest.mark.parametrize("source", ["place = 1", "'mend'", "f('again')", "x = 'told'", "def retold(): pass"])
def test_the_rule_leaves_other_words_alone(source: str) -> None:
    assert banned(Source("x.py", source)) == []
