"""Installed and not used, the plugin costs a pytest run nothing: it loads no module that the run would not load."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest

CONFTEST = """
import json
import sys

def pytest_unconfigure(config):
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""
TESTS = """
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
"""


def loaded(pytester: pytest.Pytester, *args: str) -> set[str]:
    """The modules that are there when pytest has ended, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", *args]
    assert pytester.run(*command).ret == 0
    names: Sequence[str] = json.loads(pytester.path.joinpath("modules.json").read_text())
    return set(names)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args", [(), ("-p", "no:cacheprovider", "-p", "no:hypothesispytest"), ("-n0",), ("--collect-only",)], ids=" ".join
)
def test_it_loads_nothing_that_the_same_run_does_not(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other=TESTS)
    without = loaded(pytester, *args, "-p", "no:tsexport")
    assert not {name for name in without if name.startswith("pytest_tsexport")}
    with_plugin = loaded(pytester, *args)
    more = {name for name in with_plugin - without if name.partition(".")[0] != "pytest_tsexport"}
    assert more == set()


@pytest.mark.slow
def test_a_label_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other="import pytest\n\n@pytest.mark.torchscript\ndef test_x():\n    pass\n")
    assert not {"torch", "transformers", "numpy"} & loaded(pytester, "-p", "no:hypothesispytest")


@pytest.mark.slow
def test_a_collected_subject_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_other="import pytest\n\n@pytest.mark.torchscript\ndef test_x():\n    return 3\n")
    assert not {"torch", "transformers", "numpy"} & loaded(pytester, "--collect-only", "-p", "no:hypothesispytest")
