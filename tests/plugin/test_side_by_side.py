"""Two backends in one run: the model is loaded once for the items of both, and each backend is judged separately."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tsexport.export import Export
from tests.plugin.conftest import Project, Run

pytestmark = pytest.mark.slow  # each test exports on two backends

BACKENDS = """
from pytest_tsexport.testing.backends import Faulty, Offset

def pytest_ts_backends():
    return {
        "broken": "nowhere",
        "right": Faulty("right", wrap=lambda model: model),
        "wrong": Faulty("wrong", wrap=lambda model: Offset(model, 1.0)),
    }
"""
MARKER = "@pytest.mark.torchscript(inputs=IDS, checks={checks}, max_examples=20)\n"
SUBJECT = MARKER.format(checks="['trace', 'tied_weights', 'parity']")
FIXTURE = """
@pytest.fixture
def model():
    with open("set_up.log", "a") as log:
        log.write("set up\\n")
    return TiedHead()

"""
TWO_SUBJECTS = (
    FIXTURE + "@pytest.mark.parametrize('n', [1, 2])\n" + SUBJECT + "def test_x(n, model):\n    return model\n"
)
ONE_SUBJECT = FIXTURE + SUBJECT + "def test_x(model):\n    return model\n"


def set_ups(pytester: pytest.Pytester) -> int:
    return len(pytester.path.joinpath("set_up.log").read_text().splitlines())


def test_one_model_is_loaded_for_both_backends(
    project: Project, run: Run, pytester: pytest.Pytester, built: Callable[[], int], plugin_args: tuple[str, ...]
) -> None:
    project(TWO_SUBJECTS, conftest_py=BACKENDS)
    run("--ts-backend=jit,right", *plugin_args).assert_outcomes(passed=12)
    assert (built(), set_ups(pytester)) == (2, 2)


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_shuffling_loads_no_model_twice(
    project: Project, pytester: pytest.Pytester, built: Callable[[], int], args: tuple[str, ...]
) -> None:
    project(TWO_SUBJECTS, conftest_py=BACKENDS)
    pytester.runpytest("-p", "randomly", "--randomly-seed=2", "--ts-backend=jit,right", *args).assert_outcomes(
        passed=12
    )
    assert (built(), set_ups(pytester)) == (2, 2)


def test_shuffled_items_stand_backend_by_backend_and_check_by_check(
    project: Project, pytester: pytest.Pytester
) -> None:
    project(TWO_SUBJECTS, conftest_py=BACKENDS)
    shuffled = pytester.runpytest(
        "-p", "randomly", "--randomly-seed=2", "--collect-only", "-q", "--ts-backend=right,jit"
    )
    names = [line.partition("[")[2] for line in shuffled.outlines if "::" in line]
    ours = [f"{backend}-{check}]" for backend in ("jit", "right") for check in ("trace", "tied_weights", "parity")]
    assert [name[0] for name in names] in ([*"111111", *"222222"], [*"222222", *"111111"])
    assert [name[2:] for name in names] == [*ours, *ours]


def test_each_backend_gets_its_own_verdicts(project: Project, run: Run, plugin_args: tuple[str, ...]) -> None:
    project(ONE_SUBJECT, conftest_py=BACKENDS)
    result = run("--ts-backend=jit,wrong", "-v", *plugin_args)
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["wrong-parity: *"])


@pytest.mark.parametrize("backends", ["jit,broken", "broken,right"])
def test_an_export_error_of_one_backend_is_its_own(
    project: Project, run: Run, built: Callable[[], int], backends: str
) -> None:
    project(ONE_SUBJECT, conftest_py=BACKENDS)
    result = run(f"--ts-backend={backends}")
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    assert sum(line.startswith("test_x: backend 'nowhere' is not known") for line in result.outlines) == 1
    assert built() == 1


def test_an_error_of_the_function_fails_once_a_backend(project: Project, run: Run, built: Callable[[], int]) -> None:
    project(SUBJECT + "def test_x():\n    if TiedHead():\n        return None\n    return 1\n", conftest_py=BACKENDS)
    result = run("--ts-backend=jit,right")
    result.assert_outcomes(failed=2, skipped=4)
    assert sum("test_x returned None" in line and line.startswith("test_x") for line in result.outlines) == 2
    assert built() == 1


def test_a_fixture_that_changes_the_model_is_named_on_the_other_backend_too(project: Project, run: Run) -> None:
    project(
        """
@pytest.fixture
def model():
    model = TiedHead()
    yield model
    model.embed.weight.data.zero_()

"""
        + SUBJECT
        + "def test_x(model):\n    return model\n",
        conftest_py=BACKENDS,
    )
    result = run("--ts-backend=jit,right", "-k", "jit-trace or right-parity or right-trace")
    result.assert_outcomes(passed=1, failed=2)
    assert result.outlines.count('the model changed when fixture `model` ended; give it scope="module"') == 2


def test_inputs_that_differ_each_time_are_not_a_change_of_the_model(project: Project, run: Run) -> None:
    # Not drawn by torch, whose generator an export leaves as it was.
    hook = """
import itertools, torch

def pytest_ts_inputs(model, counted=itertools.count()):
    return {"x": torch.full((2, 3), 0.5 + next(counted))}
"""
    marker = MARKER.format(checks="['trace', 'parity']").replace("inputs=IDS, ", "")
    project(marker + "def test_x():\n    return Doubles()\n", conftest_py=BACKENDS + hook)
    run("--ts-backend=jit,right").assert_outcomes(passed=4)


def test_an_export_that_changes_the_model_fails_only_trace(project: Project, run: Run) -> None:
    project(
        """
def export(model, inputs, path):
    torch.jit.save(torch.jit.trace(model, tuple(inputs.values())), path)
    model.embed.weight.data.add_(1)

@pytest.mark.torchscript(inputs=IDS, checks=["trace", "parity"], max_examples=20, export=export)
def test_x():
    return TiedHead()
""",
        conftest_py=BACKENDS,
    )
    result = run("--ts-backend=jit,right", "-v")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*jit-parity? PASSED*", "*right-parity? PASSED*"])
    result.stdout.fnmatch_lines(["jit-trace: *", "right-trace: *"])


def test_after_an_unexpected_error_the_model_is_reloaded(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    hook = """
import specimens

def pytest_ts_inputs(model, asked=[]):
    asked.append(model)
    if len(asked) == 1:
        raise SystemExit("not yet")
    return specimens.IDS
"""
    project(ONE_SUBJECT.replace("inputs=IDS, ", ""), conftest_py=BACKENDS + hook)
    result = run("--ts-backend=jit,right")
    # What crashed while it was exported is not exported again for the next check.
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(["jit-parity: crashed: SystemExit: not yet; not judged"])
    assert set_ups(pytester) == 2


def test_a_rerun_on_the_other_backend_reloads_what_was_released(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(
        FIXTURE
        + "LOADED = []\n\n"
        + MARKER.format(checks="['shapes']").replace("IDS", "ROWS")
        + "def test_x(model):\n    LOADED.append(model)\n    return BakesBatch() if len(LOADED) == 1 else Doubles()\n",
        conftest_py=BACKENDS,
    )
    result = run("--reruns=1", "-p", "no:xdist", "--ts-backend=jit,right", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*jit-shapes? RERUN*", "*jit-shapes? FAILED*", "*right-shapes? RERUN*", "*right-shapes? PASSED*"]
    )
    assert set_ups(pytester) == 2


def test_last_failed_runs_the_one_backend_that_failed(project: Project, run: Run, plugin_args: tuple[str, ...]) -> None:
    project(ONE_SUBJECT, conftest_py=BACKENDS)
    run("--ts-backend=jit,wrong", *plugin_args).assert_outcomes(passed=5, failed=1)
    run("--ts-backend=jit,wrong", "--lf", *plugin_args).assert_outcomes(failed=1)


def test_an_export_is_closed_before_the_next_is_made(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    made, closed = Export.__init__, Export.close

    def make(export: Export, *args: Any) -> None:
        made(export, *args)
        seen.append(f"{export.backend} made")

    def close(export: Export) -> None:
        seen.append(f"{export.backend} closed")
        closed(export)

    monkeypatch.setattr(Export, "__init__", make)
    monkeypatch.setattr(Export, "close", close)
    project(TWO_SUBJECTS, conftest_py=BACKENDS)
    run("--ts-backend=jit,right").assert_outcomes(passed=12)
    assert seen == ["jit made", "jit closed", "right made", "right closed"] * 2


def test_the_model_is_released_after_its_last_item(project: Project, run: Run) -> None:
    project(
        "import gc, weakref\n\nMADE = []\n\n"
        + SUBJECT
        + """def test_x():
    model = TiedHead()
    MADE.append(weakref.ref(model))
    return model

def test_afterwards():
    gc.collect()
    assert MADE[0]() is None
""",
        conftest_py=BACKENDS,
    )
    run("--ts-backend=jit,right").assert_outcomes(passed=7)
