"""The house rules that no linter knows hold in every module of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.sources import PACKAGE, functions, imported, modules, named, parsed

MOST_LINES = 250
MOST_LINES_OF_PLUGIN = 135
MOST_LINES_OF_FUNCTIONS = 25
every_module = pytest.mark.parametrize("module", modules(), ids=named)


def what_is_wrong(line: str) -> str | None:
    """Why a first line does not say what its module is for; None if it is a sentence or `X -> Y: ...`."""
    if len(line.split()) < 3:
        return "it has fewer than three words"
    if re.match(r".+ -> .+: \S", line) or line[-1] in ".:?":
        return None
    return "it ends without a full stop, and is not of the form `X -> Y: ...`"


@every_module
def test_the_first_line_says_what_the_module_is_for(module: Path) -> None:
    first = (ast.get_docstring(parsed(module)) or "").partition("\n")[0]
    assert not what_is_wrong(first), f"{named(module)} opens with {first!r}: {what_is_wrong(first)}"


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("Draws the cases of a search.", True),
        ("cases -> findings: what a search saw, and", True),
        ("", False),
        ("The cases.", False),
        ("Draws the cases of a search", False),
        ("cases -> findings", False),
    ],
)
def test_a_first_line_is_a_sentence_or_an_arrow(line: str, *, good: bool) -> None:
    assert (what_is_wrong(line) is None) is good


@every_module
def test_a_module_is_read_in_one_sitting(module: Path) -> None:
    most = MOST_LINES_OF_PLUGIN if module == PACKAGE / "plugin" / "hooks.py" else MOST_LINES
    assert len(module.read_text(encoding="utf-8").splitlines()) <= most


def test_functions_are_short() -> None:
    lengths = sorted(
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{named(module)}:{node.lineno} {node.name}")
        for module in modules()
        for node in functions(parsed(module))
    )
    length, where = lengths[int(0.95 * (len(lengths) - 1))]
    assert length <= MOST_LINES_OF_FUNCTIONS, f"one function in twenty is longer than {where}, which has {length} lines"


@every_module
def test_there_is_no_global_state(module: Path) -> None:
    found = [node.lineno for node in ast.walk(parsed(module)) if isinstance(node, ast.Global)]
    assert not found, f"`global` in {named(module)}, lines {found}"


@every_module
def test_pytest_is_used_by_its_public_names(module: Path) -> None:
    assert not [name for name in imported(parsed(module)) if name.split(".")[0] == "_pytest"]


@every_module
def test_a_file_is_named_for_what_it_holds(module: Path) -> None:
    assert module.stem not in {"utils", "util", "common", "helpers", "helper", "misc"}


BROAD = frozenset({"Exception", "BaseException"})


def broad(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Handlers of everything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in BROAD for kind in caught):
                yield node


def without_reason(source: str) -> list[int]:
    """The lines of broad handlers that have no reason beside them.

    A handler that ends with a bare `raise` only cleans up, and needs none. One of `BaseException` must be such a one,
    or stand after `except INTERRUPTS: raise`.
    """
    lines, tree = source.splitlines(), ast.parse(source)
    after = after_interrupts(tree)
    return [node.lineno for node in broad(tree) if not is_explained(node, lines[node.lineno - 1], after=node in after)]


def after_interrupts(tree: ast.AST) -> set[ast.ExceptHandler]:
    """The handlers that interrupts cannot reach, because one before them raises them again."""
    tries = (node.handlers for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers)
    return {
        handler
        for first, *others in tries
        if ast.unparse(first) == "except INTERRUPTS:\n    raise"
        for handler in others
    }


def is_explained(node: ast.ExceptHandler, line: str, *, after: bool) -> bool:
    last = node.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return True
    reason = line.partition("#")[2].replace("noqa", "").strip()
    narrow = node.type is not None and "BaseException" not in ast.unparse(node.type)
    return len(reason.split()) >= 3 and (narrow or (after and node.type is not None))


@every_module
def test_a_broad_except_says_why(module: Path) -> None:
    found = without_reason(module.read_text(encoding="utf-8"))
    assert not found, f"{named(module)}, lines {found}: say in a comment on the line why anything may be raised"


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception:\n  x = 1", [3]),
        ("except Exception:  # a model may raise anything\n  x = 1", []),
        ("except (ValueError, Exception):\n  x = 1", [3]),
        ("except:\n  x = 1", [3]),
        ("except:  # a model may raise anything\n  x = 1", [3]),
        ("except BaseException:  # a model may raise anything\n  x = 1", [3]),
        ("except BaseException:\n  x = 1\n  raise", []),
        ("except INTERRUPTS:\n  raise\nexcept BaseException:  # a model may raise anything\n  x = 1", []),
        ("except INTERRUPTS:\n  raise\nexcept BaseException:\n  x = 1", [5]),
        ("except INTERRUPTS:\n  x = 1\nexcept BaseException:  # a model may raise anything\n  x = 1", [5]),
        ("except ValueError:\n  raise\nexcept BaseException:  # a model may raise anything\n  x = 1", [5]),
        ("except ValueError:\n  x = 1", []),
    ],
)
def test_the_rule_of_broad_handlers_sees_what_it_is_for(handler: str, found: list[int]) -> None:
    assert without_reason(f"try:\n  pass\n{handler}") == found
