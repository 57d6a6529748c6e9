"""A hook or a file of the user that is wrong costs one sentence, which names it, and nothing else of the run."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import LIGHT, Project, Run

RIGHT = """
@pytest.mark.torchscript(inputs=ROWS, checks=["trace", "parity"], max_examples=5)
def test_x():
    return Doubles()
"""
DERIVED = "@pytest.mark.torchscript(checks=['trace', 'parity'])\ndef test_x():\n    return Doubles()\n"
FROM_HOOK = "return {argument name: tensor}, or None to leave the model to another hook"


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ("return 5", f"test_x: pytest_ts_inputs returned 5; {FROM_HOOK}"),
        ("raise ValueError('boom')", f"test_x: pytest_ts_inputs raised ValueError: boom (conftest.py:1); {FROM_HOOK}"),
        ("return {'y': 5}", "test_x: inputs names 'y', which Doubles.forward does not take; *"),
    ],
)
def test_a_hook_that_gives_no_inputs_fails_one_item_in_a_sentence(
    project: Project, run: Run, hook: str, sentence: str
) -> None:
    project(DERIVED, conftest_py=f"def pytest_ts_inputs(model): {hook}\n")
    result = run()
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines([sentence.replace("[", "[[]")])
    assert "pytest_tsexport/" not in result.stdout.str()


@pytest.mark.slow
def test_a_hook_may_still_end_the_whole_run(project: Project, run: Run) -> None:
    project(DERIVED, conftest_py="import pytest\n\ndef pytest_ts_inputs(model): pytest.exit('enough', 7)\n")
    assert run().ret == 7


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("'no_such_module:Mine'", "ModuleNotFoundError: No module named 'no_such_module' (*)"),
        ("'specimens:Gone'", "AttributeError: module 'specimens' has no attribute 'Gone' (*)"),
    ],
)
def test_a_backend_that_cannot_be_made_fails_one_item_in_a_sentence(
    project: Project, run: Run, given: str, why: str
) -> None:
    project(RIGHT, conftest_py=f"def pytest_ts_backends(): return {{'mine': {given}}}\n")
    result = run("--ts-backend=mine")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines([f"test_x: backend {given} cannot be made: {why}; give module:Class"])
    assert "pytest_tsexport/" not in result.stdout.str()


@pytest.mark.parametrize(
    ("hook", "what"),
    [
        ("return 5", "returned 5"),
        ("raise ValueError('boom')", "raised ValueError: boom (conftest.py:1)"),
    ],
)
def test_a_hook_that_gives_no_backends_is_exit_code_4(project: Project, run: Run, hook: str, what: str) -> None:
    project("def test_x():\n    pass\n", head=LIGHT, conftest_py=f"def pytest_ts_backends(): {hook}\n")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: pytest_ts_backends {what}; return a mapping of names to 'module:Class' or to a backend"]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hook", "raised"),
    [
        ("raise ValueError('boom')", "ValueError: boom (conftest.py:*)"),
        ("pytest.fail('boom')", "Failed: boom (*)"),
        ("pytest.skip('boom')", "Skipped: boom (*)"),
        ("sys.exit('boom')", "SystemExit: boom (conftest.py:*)"),
    ],
)
def test_a_hook_of_reports_that_raises_fails_the_run_and_costs_no_report(
    project: Project, run: Run, pytester: pytest.Pytester, hook: str, raised: str
) -> None:
    project(RIGHT, conftest_py=f"import sys\nimport pytest\n\ndef pytest_ts_report(verdicts): {hook}\n")
    result = run("--ts-report=x.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["1 export: 1 right; *", f"pytest_ts_report raised {raised}", "x.json was written: *"])
    assert len(json.loads((pytester.path / "x.json").read_text())["verdicts"]) == 2


FILES = {
    "fifo": ("os.mkfifo('f.pt')", "'f.pt'", "artifact f.pt is a fifo; give the path of a file *"),
    "folder": ("os.mkdir('f.pt')", "'f.pt'", "artifact f.pt is a folder; give the path of a file *"),
    "gone": ("None", "'f.pt'", "artifact f.pt does not exist; give the path of a file *"),
    "long": ("None", "'f' * 5000", "artifact ffff*f… cannot be read (File name too long); give the path of a file *"),
    "null": ("None", "'f\\0.pt'", "artifact f*.pt cannot be read (embedded null *); give the path of a file *"),
}


@pytest.mark.parametrize(("made", "path", "sentence"), FILES.values(), ids=FILES)
def test_a_path_that_is_no_file_is_told_what_it_is(
    project: Project, run: Run, made: str, path: str, sentence: str
) -> None:
    marker = f"@pytest.mark.torchscript(inputs=ROWS, artifact={path}, checks=['trace'])"
    project(f"import os\n{made}\n{marker}\ndef test_x():\n    return Doubles()\n")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"test_x: {sentence}"])
    assert max(map(len, result.outlines)) < 500


def test_a_file_that_is_removed_while_it_is_judged_is_said_to_be_gone(project: Project, run: Run) -> None:
    project("""
import os
import warnings

@pytest.fixture(autouse=True)
def removed(request):
    if "parity" in request.node.name:
        os.unlink("f.pt")
    yield

@pytest.mark.torchscript(inputs=ROWS, artifact="f.pt", checks=["trace", "parity"])
def test_x():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Doubles(), ROWS["x"]).save("f.pt")
    return Doubles()
""")
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["jit-parity: crashed: its file f.pt was removed after it was exported; not judged"])
    assert "fault of the plugin" not in result.stdout.str()


@pytest.mark.slow
def test_a_test_with_a_name_longer_than_a_file_may_have_is_judged(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    names = [f"test_{'x' * 300}{end}" for end in "ab"]
    project("\n".join(RIGHT.replace("test_x", name) for name in names))
    run("--ts-export-dir=kept").assert_outcomes(passed=4)
    assert len([path for path in pytester.path.joinpath("kept").iterdir() if path.suffix == ".pt"]) == 2
