"""message -> text: no message shows a `{name}` that an `f` was to fill in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.meta.rules import Fault, must_hold
from tests.meta.sources import Source, modules

UNFILLED = re.compile(r"\{[A-Za-z_][\w.]*(\[[^\]]*\])?(\([^)]*\))?(![rsa])?(:[^{}]*)?\}")


def messages(module: Source) -> Iterator[ast.Constant]:
    """Texts that are neither docstrings nor the fixed parts of f-strings."""
    inside = {id(part) for node in module.nodes if isinstance(node, ast.JoinedStr) for part in node.values} | {
        id(node.value) for node in module.nodes if isinstance(node, ast.Expr)
    }
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node


def unfilled(module: Source) -> Iterator[Fault]:
    for node in messages(module):
        text = str(node.value)
        # A program for another process is not a message, and contains f-strings.
        if UNFILLED.search(text) and not text.startswith("\nimport "):
            yield node.lineno, f"write f before the quotes of {text!r}, or leave the braces out"


def test_no_message_has_braces_that_were_to_be_filled_in() -> None:
    must_hold(unfilled, modules())


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
    assert [line for line, _ in unfilled(Source("x.py", source))] == [1] * found
