"""What is mutable in the package is listed in the architecture page, class by class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.meta.sources import PACKAGE, ROOT, functions, modules, parsed, section

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
CHANGES = {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove"}
CHANGES |= {"reverse", "setdefault", "sort", "update"}
"""Methods of Python's containers that change them."""

MAKERS = frozenset({"__init__", "__post_init__", "__new__"})


def mutable_classes() -> set[str]:
    """Every class of the package whose instances change after they are made; specimens are users' models."""
    sources = (path for path in modules() if PACKAGE / "testing" not in path.parents)
    return {node.name for path in sources for node in classes(parsed(path)) if is_mutable(node)}


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def is_mutable(node: ast.ClassDef) -> bool:
    """Whether a dataclass is not frozen, or a method other than the makers sets or changes an attribute of `self`.

    A `functools.cached_property` is computed once and counts as part of the value.
    """
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if any("dataclass" in text and "frozen=True" not in text for text in decorators):
        return True
    methods = (method for method in functions(node) if method.name not in MAKERS)
    return any(changes_self(step) for method in methods for step in ast.walk(method))


def changes_self(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(map(belongs_to_self, node.targets))
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return belongs_to_self(node.target)
    if isinstance(node, ast.Delete):
        return any(map(belongs_to_self, node.targets))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in CHANGES and belongs_to_self(node.func.value)
    return False


def belongs_to_self(node: ast.AST) -> bool:
    """Whether a target is `self.x`, `self.x[...]`, `self.x.y`, or a tuple that holds one."""
    if isinstance(node, (ast.Tuple, ast.List)):
        return any(map(belongs_to_self, node.elts))
    if isinstance(node, (ast.Subscript, ast.Starred)):
        return belongs_to_self(node.value)
    if isinstance(node, ast.Attribute):
        return belongs_to_self(node.value) or (isinstance(node.value, ast.Name) and node.value.id == "self")
    return False


def test_the_page_lists_every_mutable_class_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section(PAGE, "What is mutable"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(mutable_classes())


@pytest.mark.parametrize(
    ("body", "mutable"),
    [
        ("def run(self):\n  self.x = 1", True),
        ("def run(self):\n  self.x[0] = 1", True),
        ("def run(self):\n  self.x.y += 1", True),
        ("def run(self):\n  a, self.x = 1, 2", True),
        ("def run(self):\n  self.x.append(1)", True),
        ("def run(self):\n  del self.x[0]", True),
        ("def __init__(self):\n  self.x = 1", False),
        ("def run(self):\n  x = self.x\n  return x.count(1)", False),
    ],
)
def test_the_rule_sees_what_it_is_for(body: str, *, mutable: bool) -> None:
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    assert is_mutable(next(classes(ast.parse(f"class A:\n{lines}")))) is mutable


@pytest.mark.parametrize(("decorator", "mutable"), [("dataclass(slots=True)", True), ("dataclass(frozen=True)", False)])
def test_a_dataclass_must_be_frozen(decorator: str, *, mutable: bool) -> None:
    assert is_mutable(next(classes(ast.parse(f"@{decorator}\nclass A:\n  x: int")))) is mutable
