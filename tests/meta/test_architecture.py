"""The architecture page agrees with the tree: its rooms, its layers, and its table of where to change what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pytest_tsexport.checks import REGISTERED
from pytest_tsexport.config.names import BUILT_IN, CHECKS
from tests.meta.rules import Fault, Rule, must_hold
from tests.meta.sources import PACKAGE, ROOT, Source, modules, section

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


def faults_of(row: str, files: list[str], count: int) -> Iterator[str]:
    """What is wrong with a row of the table."""
    for pattern in files:
        if not matches(pattern):
            yield f"{row}: there is no file {pattern}"
    if len(files) != count:
        yield f"{row}: the row names {len(files)} files and says {count}"
    if count > MOST[row]:
        yield f"{row}: {count} files are touched, and may be {MOST[row]}"


def test_the_files_of_a_row_exist_and_are_as_many_as_it_says() -> None:
    assert [fault for row, (files, count) in changes().items() for fault in faults_of(row, files, count)] == []


def test_the_rule_of_rows_sees_what_it_is_for() -> None:
    assert list(faults_of("a report", ["reports/<name>.py", "config/gone.py"], 3)) == [
        "a report: there is no file config/gone.py",
        "a report: the row names 2 files and says 3",
        "a report: 3 files are touched, and may be 2",
    ]


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


@cache
def words(module: Source) -> frozenset[str]:
    """What a module could list things by: texts, annotated names (fields) and keywords of calls."""
    found: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    bare = (word.removeprefix("--").removeprefix("ts-").removeprefix("ts_") for word in found)
    return frozenset(word.replace("-", "_") for word in bare)


@pytest.mark.parametrize("what", LISTED)
def test_things_are_listed_in_the_files_of_their_row_and_nowhere_else(what: str) -> None:
    """A module that names three quarters of them keeps a second list, to which the next one would have to be added."""
    names = LISTED[what]
    assert len(names) >= 3
    files = {path for pattern in changes()[what][0] if "<" not in pattern for path in matches(pattern)}
    others = [path for path in modules() if PACKAGE / "testing" not in path.parents and path not in files]
    must_hold(second_list(what, names), others)


def second_list(what: str, names: set[str]) -> Rule:
    def rule(module: Source) -> Iterator[Fault]:
        if len(words(module) & names) > 0.75 * len(names):
            yield 1, f"the module lists them; only the files in the row of {what!r} may"

    return rule


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("x = ['one', '--ts-two', 'three', 'four-and-more']", True),
        ("class X:\n  one: int\n  two: int\n  three: int\nf(four_and_more=1)", True),
        ("x = ['one', 'two', 'three']", False),
        ("one, two, three, four_and_more = 1, 2, 3, 4", False),
    ],
)
def test_the_rule_sees_a_second_list(text: str, *, is_found: bool) -> None:
    rule = second_list("x", {"one", "two", "three", "four_and_more"})
    assert bool(list(rule(Source("x.py", text)))) is is_found
