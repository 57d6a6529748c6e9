"""Installed and not used, the plugin costs a run next to nothing: few modules of ours are loaded, and no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest

pytestmark = pytest.mark.slow  # each test runs pytest in separate processes

# Not by the environment: a worker that runs these tests hands its own variables down.
CONFTEST = """
import json
import sys

def pytest_unconfigure(config):
    process = getattr(config, "workerinput", {}).get("workerid", "main")
    with open(f"modules-{process}.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""
MOST_MODULES = 8
UNUSED = [
    (),
    ("-v",),
    ("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
    ("-n0",),
    ("--collect-only",),
]
TESTS = """
import unittest
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_passes(n, tmp_path):
    pass

@pytest.mark.xfail
def test_fails():
    assert 1 == 2

@pytest.mark.skip
def test_skips():
    pass

class TestMore(unittest.TestCase):
    def test_method(self):
        pass
"""


def loaded(pytester: pytest.Pytester, *args: str) -> set[str]:
    """The modules that are loaded when pytest ends, in a separate process."""
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", *args]
    assert pytester.run(*command).ret == 0
    return modules(pytester)


def modules(pytester: pytest.Pytester, process: str = "main") -> set[str]:
    names: Sequence[str] = json.loads(pytester.path.joinpath(f"modules-{process}.json").read_text())
    return set(names)


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == "pytest_tsexport"}


@pytest.mark.parametrize("args", UNUSED, ids=" ".join)
def test_few_modules_of_ours_are_loaded(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other=TESTS)
    found = ours(loaded(pytester, *args))
    assert "pytest_tsexport.plugin.hooks" in found
    assert len(found) <= MOST_MODULES, sorted(found)


def test_few_modules_of_ours_are_loaded_in_workers(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other=TESTS)
    controller = ours(loaded(pytester, "-n2"))
    for worker in ("gw0", "gw1"):
        assert len(ours(modules(pytester, worker))) <= MOST_MODULES
    # The controller must be able to schedule items of ours before it knows whether there are any.
    assert "pytest_tsexport.plugin.collection.xdist_scheduler" in controller
    assert "pytest_tsexport.plugin.active" not in controller


@pytest.mark.slow
@pytest.mark.parametrize("args", UNUSED, ids=" ".join)
def test_it_loads_nothing_that_the_same_run_does_not(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other=TESTS)
    without = loaded(pytester, *args, "-p", "no:tsexport")
    assert not {name for name in without if name.startswith("pytest_tsexport")}
    with_plugin = loaded(pytester, *args)
    assert with_plugin - without == ours(with_plugin)


@pytest.mark.slow
def test_a_bare_marker_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other="import pytest\n\n@pytest.mark.torchscript\ndef test_x():\n    pass\n")
    assert not {"torch", "transformers", "numpy"} & loaded(pytester, "-p", "no:hypothesispytest")


@pytest.mark.slow
def test_collecting_a_subject_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other="import pytest\n\n@pytest.mark.torchscript\ndef test_x():\n    return 3\n")
    assert not {"torch", "transformers", "numpy"} & loaded(pytester, "--collect-only", "-p", "no:hypothesispytest")
