"""The architecture page agrees with the tree: its rooms, its layers, and its table of where to change what."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pytest_tsexport.checks import REGISTERED
from pytest_tsexport.config.names import BUILT_IN, CHECKS
from tests.meta.sources import PACKAGE, ROOT, modules, named, parsed, section

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
REFERENCE = ROOT / "docs" / "reference"
MOST = {
    "a check": 4,
    "a backend": 3,
    "a report": 2,
    "an input rule": 2,
    "an option": 1,
    "a keyword": 2,
    "the tolerance of an output": 1,
    "a specimen": 2,
}
"""How many files of the package each change may touch."""


def pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def contract(name: str, key: str) -> list[str]:
    """A list in one of the contracts of import-linter."""
    found = re.search(rf'name = "{re.escape(name)}"\n(.*?)(?=\n\[|\Z)', pyproject(), flags=re.DOTALL)
    assert found, f"pyproject.toml has no contract {name!r}"
    block = re.search(rf"^{key} = \[(.*?)\]", found[1], flags=re.DOTALL | re.MULTILINE)
    assert block, f"the contract {name!r} has no {key}"
    return re.findall(r'"([^"]+)"', block[1])


def rooms() -> list[tuple[str, str]]:
    """The rooms of the page from top to bottom, each with its half."""
    return re.findall(r"^\| `(\w+)` \| .* \| (light|heavy) \|$", section(PAGE, "The rooms"), flags=re.MULTILINE)


def changes() -> dict[str, tuple[list[str], int]]:
    """The rows of the table: what is changed, the files of the package that are touched, and their stated number."""
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (\d+) \| .* \|$", section(PAGE, "Where to change what"), flags=re.MULTILINE
    )
    return {what: (re.findall(r"`([^`]+)`", files), int(count)) for what, files, count in rows}


def matches(pattern: str) -> list[Path]:
    """The files of the package that a path of the table stands for; `<name>` is any."""
    return sorted(PACKAGE.glob(re.sub(r"<\w+>", "*", pattern)))


def test_the_rooms_are_the_layers_in_their_order() -> None:
    assert [room for room, _ in rooms()] == contract("Each room imports only what is below it", "layers")


def test_the_rooms_are_what_is_in_the_package() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {room for room, _ in rooms()} == packages | {path.stem for path in PACKAGE.glob("*.py")} - {
        "__init__",
        "__main__",
    }


def test_the_light_rooms_are_those_that_may_import_nothing_heavy() -> None:
    light = {f"pytest_tsexport.{room}" for room, half in rooms() if half == "light"}
    assert light == set(contract("What pytest loads for everyone is light", "source_modules"))


def test_every_path_of_the_page_exists() -> None:
    paths = re.findall(r"`([\w/]+\.(?:py|md|toml))`", PAGE.read_text(encoding="utf-8"))
    missing = [path for path in paths if not (ROOT / path).exists() and not (PACKAGE / path).exists()]
    assert not missing


def test_there_is_a_row_for_each_kind_of_change() -> None:
    assert list(changes()) == list(MOST)


@pytest.mark.parametrize("what", MOST)
def test_the_files_of_a_row_exist_and_are_as_many_as_it_says(what: str) -> None:
    files, count = changes()[what]
    assert [pattern for pattern in files if not matches(pattern)] == []
    assert len(files) == count <= MOST[what]


def test_each_check_has_its_own_module_and_is_registered_in_the_stated_order() -> None:
    assert list(REGISTERED) == list(CHECKS)
    assert {path.stem for path in matches("checks/<name>.py")} - {"__init__", "base"} == set(CHECKS)


def test_each_backend_has_its_own_module() -> None:
    homes = {Path(*place.partition(":")[0].split(".")).with_suffix(".py") for place in BUILT_IN.values()}
    assert {ROOT / home for home in homes} <= set(matches("backends/<name>.py"))


def test_every_module_of_wrong_specimens_is_judged() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in matches("testing/*.py")}
    unused = [
        name
        for name in sources
        if name.startswith(("wrong_", "right_")) and not any(name in sources[user] for user in sources if user != name)
    ]
    assert unused == []


def documented(page: str, pattern: str) -> set[str]:
    """What a reference page that is made from the code has rows for."""
    found = re.findall(pattern, (REFERENCE / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name.replace("-", "_") for name in found}


LISTED = {
    "a check": set(CHECKS),
    "a backend": {name.replace("-", "_") for name in BUILT_IN},
    "an option": documented("options.md", r"^\| `--ts-([\w-]+)="),
    "a keyword": documented("marker.md", r"^\| `(\w+)` \|"),
}


def words(module: Path) -> set[str]:
    """What a module could list things by: texts, annotated names (fields) and keywords of calls."""
    found: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return {word.removeprefix("--").removeprefix("ts-").removeprefix("ts_").replace("-", "_") for word in found}


@pytest.mark.parametrize("what", LISTED)
def test_things_are_listed_in_the_files_of_their_row_and_nowhere_else(what: str) -> None:
    """A module that names three quarters of them keeps a second list, to which the next one would have to be added."""
    names = LISTED[what]
    assert len(names) >= 3
    files = {path for pattern in changes()[what][0] if "<" not in pattern for path in matches(pattern)}
    others = (path for path in modules() if PACKAGE / "testing" not in path.parents and path not in files)
    assert [named(path) for path in others if len(words(path) & names) > 0.75 * len(names)] == []
