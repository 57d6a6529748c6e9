"""modules -> rules: the house rules that no linter knows hold in every module of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.meta.sources import PACKAGE, functions, imported, modules, named, parsed

MOST_LINES = 250
MOST_LINES_OF_PLUGIN = 135
MOST_LINES_OF_FUNCTIONS = 25
every_module = pytest.mark.parametrize("module", modules(), ids=named)


@every_module
def test_the_first_line_says_what_goes_in_and_what_comes_out(module: Path) -> None:
    first = (ast.get_docstring(parsed(module)) or "").partition("\n")[0]
    assert " -> " in first, f"{named(module)} opens with {first!r}; write `X -> Y: what it does`"


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
