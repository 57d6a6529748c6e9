"""A bare marker on a test that returns nothing changes nothing, as in timm, if the project does not configure us."""

from __future__ import annotations

import pytest

from pytest_tsexport.plugin.collection.bare_markers import returns_something
from tests.plugin.conftest import LIGHT, Project, Run

BARE = """
pytestmark = pytest.mark.torchscript

def test_plain():
    def inner():
        return 3
    assert inner() == 3

@pytest.mark.torchscript()
@pytest.mark.parametrize("n", [1, 2])
def test_parametrised(n):
    return None

class TestGroup:
    def test_method(self):
        pass
"""
BARE_IDS = ["test_plain", "test_parametrised?1?", "test_parametrised?2?", "TestGroup::test_method"]


def test_tests_with_a_bare_marker_run_as_without_the_plugin(
    project: Project, run: Run, plugin_args: tuple[str, ...]
) -> None:
    project(BARE, head=LIGHT)
    result = run("-v", *plugin_args)
    result.assert_outcomes(passed=4)
    for name in BARE_IDS:
        result.stdout.fnmatch_lines([f"*{name}*"])
    result.stdout.fnmatch_lines(["bare marker *4 tests returned nothing and validated nothing:*"])


@pytest.mark.parametrize(
    "word", ["--ts-backend=jit", "--ts-checks=trace", "--ts-budget=60", "ts_budget=60", "ts_seed=3"]
)
def test_a_forgotten_return_fails_in_a_project_that_configures_the_plugin(
    project: Project, run: Run, word: str
) -> None:
    project(BARE, head=LIGHT)
    result = run(*([word] if word.startswith("--") else ["-o", word]))
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["test_plain returned None; a function marked torchscript must return an nn.Module, *"])


def test_what_the_call_returns_decides(project: Project, run: Run) -> None:
    project("""
def check(model):
    pass

@pytest.mark.torchscript
def test_x():
    return check(Doubles())
""")
    result = run("-rs")
    result.assert_outcomes(passed=1, skipped=5)
    result.stdout.fnmatch_lines(["SKIPPED [[]5[]] tsexport: the marked function returned None, and has already run"])
    assert "validated nothing" in " ".join(line.strip() for line in result.outlines)


def test_a_model_that_the_source_hides_fails(project: Project, run: Run) -> None:
    project("""
def returning(model):
    def decorate(function):
        def call():
            return model

        call.__wrapped__ = function
        return call

    return decorate

@pytest.mark.torchscript
@returning(Doubles())
def test_x():
    pass
""")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*returned a Doubles, which no check looked at: its source shows no `return` *"])


def test_a_bare_marker_on_a_testcase_is_legal(project: Project, run: Run) -> None:
    project("""
import unittest

@pytest.mark.torchscript
class TestX(unittest.TestCase):
    def test_passes(self):
        pass

    def test_fails(self):
        raise ValueError("a reason of its own")

    @unittest.skip("not here")
    def test_skips(self):
        pass
""")
    result = run()
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["E *ValueError: a reason of its own"])


def nothing() -> None:
    def inner() -> int:
        return 3

    [lambda: 3 for _ in range(inner())]


def explicit_nothing() -> None:
    return None


async def awaits() -> None:
    return await awaits()


def something(*, flag: bool) -> object:
    for _ in range(3):
        if flag:
            return 3
    return None


def test_the_source_says_what_is_returned() -> None:
    functions = [nothing, explicit_nothing, awaits, something, len, eval("lambda: 3")]
    assert [returns_something(function) for function in functions] == [False, False, False, True, False, False]
