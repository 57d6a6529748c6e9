"""message -> text: no message shows a `{name}` that an `f` was to fill in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.sources import modules, named, parsed

UNFILLED = re.compile(r"\{[A-Za-z_][\w.]*(\[[^\]]*\])?(\([^)]*\))?(![rsa])?(:[^{}]*)?\}")


def messages(tree: ast.Module) -> Iterator[ast.Constant]:
    """Texts that are neither docstrings nor the fixed parts of f-strings."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values} | {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node


def unfilled(tree: ast.Module) -> list[tuple[int, str]]:
    texts = [(node.lineno, str(node.value)) for node in messages(tree)]
    # A program for another process is not a message, and contains f-strings.
    return [(line, text) for line, text in texts if UNFILLED.search(text) and not text.startswith("\nimport ")]


@pytest.mark.parametrize("module", modules(), ids=named)
def test_no_message_has_braces_that_were_to_be_filled_in(module: Path) -> None:
    assert unfilled(parsed(module)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise ValueError("no {name} here")', 1),
        ('raise ValueError("no {self.name!r:>3} here")', 1),
        ('raise ValueError(f"no {name} here")', 0),
        ('x = {"a": "{}", "b": "{0: \\"batch\\"}"}', 0),
    ],
)
def test_the_rule_sees_what_it_is_for(source: str, found: int) -> None:
    assert len(unfilled(ast.parse(source))) == found
