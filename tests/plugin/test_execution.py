"""The function and its fixtures run once for all checks of a subject; order and workers do not change a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.plugin.conftest import Project, Run

ONE_SUBJECT = "@pytest.mark.torchscript(inputs=IDS, checks=['trace', 'tied_weights', 'parity'], max_examples=20)\n"
THREE_SUBJECTS = "@pytest.mark.parametrize('n', [1, 2, 3])\n" + ONE_SUBJECT + "def test_x(n):\n    return TiedHead()\n"


@pytest.mark.slow
def test_the_model_is_built_once_for_each_subject(
    project: Project, run: Run, built: Callable[[], int], plugin_args: tuple[str, ...]
) -> None:
    project(THREE_SUBJECTS)
    run(*plugin_args).assert_outcomes(passed=9)
    assert built() == 3


@pytest.mark.slow
def test_shuffling_builds_no_model_twice(project: Project, pytester: pytest.Pytester, built: Callable[[], int]) -> None:
    project(THREE_SUBJECTS)
    pytester.runpytest("-p", "randomly").assert_outcomes(passed=9)
    assert built() == 3


@pytest.mark.slow
def test_shuffling_and_workers_change_neither_builds_nor_verdicts(
    project: Project, pytester: pytest.Pytester, built: Callable[[], int]
) -> None:
    project(
        THREE_SUBJECTS
        + "@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=['parity', 'shapes'])\n"
        + "def test_wrong():\n    return BakesBatch()\n",
        conftest_py="""
import json

def pytest_ts_report(verdicts):
    # The second run begins with the counterexample of the first, so it needs fewer cases to the first breach.
    apart = {"seconds": 0, "sha256": "", "first_breach": None}
    found = {v.subject + v.name: {**v.to_dict(), **apart} for v in verdicts}
    with open("verdicts.json", "w") as file:
        json.dump(found, file, sort_keys=True)
""",
    )
    found = []
    for run, args in enumerate((("-p", "no:randomly"), ("-p", "randomly", "-n2")), start=1):
        # In separate processes: hypothesis draws constants from the sources of the modules that are loaded.
        result = pytester.runpytest_subprocess("-W", "error", "--ts-seed=5", *args)
        result.assert_outcomes(passed=10, failed=1)
        found.append(json.loads(pytester.path.joinpath("verdicts.json").read_text()))
        assert built() == 3 * run
    assert len(found[0]) == 11
    assert found[0] == found[1]


@pytest.mark.slow
def test_fixtures_of_the_function_are_set_up_once_and_others_each_time(project: Project, run: Run) -> None:
    project(
        """
@pytest.fixture(autouse=True)
def around():
    print("around", end=";")

@pytest.fixture
def asked_by_mark():
    print("by mark", end=";")

@pytest.fixture
def weights():
    print("weights", end=";")

@pytest.fixture
def model(weights):
    print("model", end=";")
    return TiedHead()

@pytest.mark.usefixtures("asked_by_mark")
"""
        + ONE_SUBJECT
        + "def test_x(model):\n    return model\n"
    )
    result = run("-s", "-q")
    result.assert_outcomes(passed=3)
    seen = "".join(result.outlines)
    assert [seen.count(f"{name};") for name in ("around", "by mark", "weights", "model")] == [3, 3, 1, 1]


def test_a_fixture_that_changes_the_model_is_named(project: Project, run: Run) -> None:
    project(
        """
@pytest.fixture
def model():
    model = TiedHead()
    yield model
    model.embed.weight.data.zero_()

"""
        + ONE_SUBJECT
        + "def test_x(model):\n    return model\n"
    )
    result = run()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(['the model changed when fixture `model` ended; give it scope="module"'])


def test_a_function_in_a_class_is_called_as_a_method(project: Project, run: Run) -> None:
    project("class TestGroup:\n    made = 1\n\n" + indented(ONE_SUBJECT + METHOD))
    run().assert_outcomes(passed=3)


METHOD = "def test_x(self, tmp_path):\n    assert self.made == 1\n    return TiedHead()\n"


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def test_an_error_or_a_skip_of_the_function_is_that_of_its_items(project: Project, run: Run) -> None:
    project(
        ONE_SUBJECT
        + "def test_raises():\n    raise OSError('no such checkpoint')\n    return 1\n\n"
        + ONE_SUBJECT
        + "def test_skips():\n    pytest.skip('no checkpoint here')\n    return 1\n"
    )
    result = run()
    result.assert_outcomes(failed=3, skipped=3)
    result.stdout.fnmatch_lines(["E  *OSError: no such checkpoint"])


@pytest.mark.slow
def test_a_rerun_rebuilds_what_was_released(project: Project, run: Run, built: Callable[[], int]) -> None:
    project(
        "@pytest.mark.torchscript(inputs=ROWS, checks=['shapes'], max_examples=20)\n"
        "def test_x():\n    TiedHead()\n    return BakesBatch()\n"
    )
    result = run("--reruns=1", "-p", "no:xdist")
    result.assert_outcomes(failed=1)
    assert "1 rerun" in result.stdout.str()
    assert built() == 2


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["hypothesispytest", "cacheprovider", "xdist", "rerunfailures"])
def test_runs_without_that_plugin(project: Project, run: Run, plugin: str) -> None:
    project(ONE_SUBJECT + "def test_x():\n    return TiedHead()\n")
    run("-p", f"no:{plugin}").assert_outcomes(passed=3)


def test_runs_without_a_terminal(project: Project, pytester: pytest.Pytester) -> None:
    project(ONE_SUBJECT + "def test_x():\n    return TiedHead()\n")
    assert pytester.inline_run("-p", "no:terminal", "-p", "no:randomly").ret == 0
