"""The files and pages that the house rules are about, and how to read them."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_tsexport"


@dataclass(frozen=True)
class Source:
    """The text of a file and its path in the repository."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.name)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree: each rule about the code goes over all of them."""
        return tuple(ast.walk(self.tree))

    @property
    def stem(self) -> str:
        return Path(self.name).stem


@cache
def read(path: Path) -> Source:
    """A file, read and parsed once for all rules, with its line ends as they are."""
    return Source(named(path), path.read_bytes().decode("utf-8"))


@cache
def modules() -> tuple[Path, ...]:
    """The modules of the package that hold anything, in order."""
    return tuple(sorted(path for path in PACKAGE.rglob("*.py") if path.read_text(encoding="utf-8").strip()))


def parsed(path: Path) -> ast.Module:
    return read(path).tree


def named(path: Path) -> str:
    """A path as it is shown: from the root of the repository, if it is in it."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a module names in its imports, at any depth."""
    for node in ast.walk(tree):
        yield from imported_by(node)


def imported_by(node: ast.AST) -> Iterator[str]:
    """The modules that one statement names, if it is an import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository; all files where there is no git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        return tuple(path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in named(path))
    return tuple(path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file())


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert found, f"{named(page)} has no section {heading!r}"
    return found[1]
