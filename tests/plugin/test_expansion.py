"""A marked function becomes ordinary items, one for each backend and check, with the check last in the id."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.plugin.conftest import Project, Run

CHECKS = ["trace", "tied_weights", "parity", "shapes", "padding", "round_trip"]


def collected(result: pytest.RunResult) -> list[str]:
    return [line.split("::", maxsplit=1)[1] for line in result.outlines if "::" in line]


def test_one_item_for_each_check_and_nothing_is_built(project: Project, run: Run, built: Callable[[], int]) -> None:
    project("@pytest.mark.torchscript\ndef test_x():\n    return TiedHead()\n")
    result = run("--collect-only", "-q")
    assert collected(result) == [f"test_x[jit-{check}]" for check in CHECKS]
    assert built() == 0


def test_the_check_stays_last_whatever_else_parametrises(project: Project, run: Run) -> None:
    project(
        """
class TestGroup:
    @pytest.mark.parametrize("size", [1, 2])
    @pytest.mark.torchscript(checks=["trace"])
    def test_x(self, size, either):
        return TiedHead()
""",
        conftest_py="""
import pytest

@pytest.fixture(params=["a", "b"])
def either(request):
    return request.param

@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("late")
    metafunc.parametrize("late", ["z"])
""",
    )
    ids = [f"TestGroup::test_x[{rest}-z-jit-trace]" for rest in ("a-1", "a-2", "b-1", "b-2")]
    assert sorted(collected(run("--collect-only", "-q"))) == ids


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--ts-checks=parity,shapes"], ["parity", "shapes"]),
        (["--ts-checks=parity", "--ts-checks=trace"], ["trace", "parity"]),
        (["--ts-checks=-round_trip,-padding"], CHECKS[:4]),
        (["--ts-backend=jit", "-k", "padding"], ["padding"]),
        (["-o", "ts_checks=trace"], ["trace"]),
        (["-o", "ts_checks=trace", "--ts-checks=shapes"], ["shapes"]),
    ],
)
def test_the_command_line_says_which_checks(project: Project, run: Run, args: list[str], expected: list[str]) -> None:
    project("@pytest.mark.torchscript\ndef test_x():\n    return TiedHead()\n")
    assert collected(run("--collect-only", "-q", *args)) == [f"test_x[jit-{check}]" for check in expected]


def test_the_closest_marker_wins_keyword_by_keyword(project: Project, run: Run) -> None:
    project("""
pytestmark = pytest.mark.torchscript(checks=["trace"], max_examples=7)

def test_module():
    return TiedHead()

@pytest.mark.torchscript(checks=["parity"])
class TestGroup:
    def test_class(self):
        return TiedHead()

    @pytest.mark.torchscript(checks=["shapes"])
    def test_function(self):
        return TiedHead()

    @pytest.mark.torchscript(max_examples=3)
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.torchscript(checks=["padding", "trace"]))])
    def test_parameter(self, n):
        return TiedHead()
""")
    assert collected(run("--collect-only", "-q")) == [
        "test_module[jit-trace]",
        "TestGroup::test_class[jit-parity]",
        "TestGroup::test_function[jit-shapes]",
        "TestGroup::test_parameter[1-jit-parity]",
        "TestGroup::test_parameter[2-jit-trace]",
        "TestGroup::test_parameter[2-jit-padding]",
    ]


def test_the_command_line_beats_the_marker_and_the_marker_beats_the_ini(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.torchscript(checks=['parity'])\ndef test_x():\n    return TiedHead()\n",
        pytest_ini="[pytest]\nts_checks = trace\n",
    )
    assert collected(run("--collect-only", "-q")) == ["test_x[jit-parity]"]
    assert collected(run("--collect-only", "-q", "--ts-checks=shapes")) == ["test_x[jit-shapes]"]


def test_a_backend_of_a_hook_has_items_of_its_own(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.torchscript(checks=['trace'])\ndef test_x():\n    return TiedHead()\n",
        conftest_py="def pytest_ts_backends():\n    return {'my-jit': 'pytest_tsexport.backends.jit:Jit'}\n",
    )
    assert collected(run("--collect-only", "-q", "--ts-backend=jit,my-jit")) == [
        "test_x[jit-trace]",
        "test_x[my-jit-trace]",
    ]
    assert collected(run("--collect-only", "-q")) == ["test_x[jit-trace]"]


@pytest.mark.slow
def test_last_failed_runs_what_failed(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.torchscript(inputs=ROWS, max_examples=20, checks=['parity', 'shapes'])\n"
        "def test_x():\n    return BakesBatch()\n"
    )
    run().assert_outcomes(passed=1, failed=1)
    result = run("--lf", "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_x?jit-shapes? FAILED*"])


def test_the_marker_is_known_to_pytest(project: Project, run: Run) -> None:
    project("")
    run("--markers", "--strict-markers").stdout.fnmatch_lines(["@pytest.mark.torchscript(*inputs*xfail*"])
