"""`--ts-baseline` writes the interface of each export, and later runs are compared with it, with workers too."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Project, Run
from tests.plugin.workers import also_in_workers

MODELS = """
@pytest.mark.torchscript(inputs=ROWS, checks=["-shapes", "-padding", "-round_trip"], max_examples=20)
def test_doubles():
    return Doubles()

@pytest.mark.torchscript(inputs=IDS, checks=["interface"])
@pytest.mark.parametrize("n", [1, 2])
def test_tied(n):
    return TiedHead()
"""
CHANGED = """
class Renamed(torch.nn.Module):
    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return {"doubled": x * 2}
""" + MODELS.replace("Doubles()", "Renamed()").replace("inputs=ROWS", "inputs={**ROWS, 'scale': torch.ones(1)}")
INTERFACES = {
    "test_export.py::test_doubles": {
        "jit": {
            "forward": ["x"],
            "inputs": ["x: float32 of rank 2"],
            "outputs": ["0 = output: float32 of rank 2"],
            "structure": ["the output: tuple"],
        }
    },
    **{
        f"test_export.py::test_tied[{n}]": {
            "jit": {
                "forward": ["ids"],
                "inputs": ["ids: int64 of rank 2"],
                "outputs": ["0 = output: float32 of rank 3"],
                "structure": ["the output: tuple"],
            }
        }
        for n in (1, 2)
    },
}


def entries_in(pytester: pytest.Pytester, name: str = "ts-baseline.json") -> object:
    return json.loads(pytester.path.joinpath(name).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_baseline_is_written_once_and_then_compared_with(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(MODELS)
    result = run("--ts-baseline=ts-baseline.json", *plugin_args)
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(["ts-baseline.json was written: 3 new"])
    assert entries_in(pytester) == INTERFACES
    result = run(*plugin_args)
    result.assert_outcomes(passed=5, skipped=1)
    assert "was written" not in result.stdout.str()
    project(CHANGED)
    result = run("--ts-seed=5", *plugin_args)
    result.assert_outcomes(passed=4, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "jit-interface: not the interface that callers were promised",
            "  promised in      ts-baseline.json",
            "  argument 2       is new: scale",
            "  input 2          is new: scale: float32 of rank 1",
            "  output 1         was 0 = output: float32 of rank 2, is 0 = doubled: float32 of rank 2",
            "  fix              keep the promise in a wrapper, or tell callers and run with "
            "--ts-baseline=ts-baseline.json",
            '  rerun            pytest "test_export.py::test_doubles[[]jit-interface]" --ts-seed=5',
        ],
        consecutive=True,
    )


@also_in_workers
def test_entries_of_tests_that_did_not_run_stay_and_changes_are_shown(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(MODELS)
    pytester.path.joinpath("other").mkdir()
    name = "other/interfaces.json"
    old = {"gone.py::test_gone": {"neuron": {"forward": ["x"]}}, **INTERFACES}
    doubles: dict[str, list[str]] = INTERFACES["test_export.py::test_doubles"]["jit"]
    old["test_export.py::test_doubles"] = {"jit": {**doubles, "forward": ["y"]}}
    pytester.path.joinpath(name).write_text(json.dumps(old))
    result = run(f"--ts-baseline={name}", "-k", "doubles or 1", *plugin_args)
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "note            interface: argument 1: was y, is x (test_doubles)",
            "other/interfaces.json was written: 1 changed, 1 as before; 2 did not run and stay",
        ]
    )
    assert entries_in(pytester, name) == {**old, **INTERFACES}


@pytest.mark.slow
def test_the_option_takes_one_file_and_leaves_tests_to_pytest(project: Project, run: Run) -> None:
    project(MODELS)
    run("--ts-baseline", "new.json", "test_export.py").assert_outcomes(passed=5, skipped=1)
    run("--ts-baseline=new.json", "test_export.py").stdout.fnmatch_lines(["new.json was written: 3 as before"])


@pytest.mark.slow
def test_the_ini_names_the_file_to_compare_with_and_the_option_the_file_to_write(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(MODELS, pytest_ini="[pytest]\nts_baseline = a.json\n")
    result = run()
    result.assert_outcomes(passed=2, failed=3, skipped=1)
    sentence = (
        "jit-interface: a.json promises nothing for this test on jit; "
        "look at what it takes and gives, and add it with --ts-baseline=a.json"
    )
    assert result.outlines.count(sentence) == 3
    run("--ts-baseline=b.json").assert_outcomes(passed=5, skipped=1)
    assert entries_in(pytester, "b.json") == INTERFACES
    assert not pytester.path.joinpath("a.json").exists()
    run("--ts-baseline=a.json").assert_outcomes(passed=5, skipped=1)
    run().assert_outcomes(passed=5, skipped=1)


@pytest.mark.slow
def test_a_message_names_the_path_as_typed_from_another_folder(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(MODELS, pytest_ini="[pytest]\nts_baseline = a.json\n")
    below = pytester.path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "../test_export.py")
    result.stdout.fnmatch_lines(
        ["jit-interface: ../a.json promises nothing *, and add it with --ts-baseline=../a.json"]
    )


def test_without_a_baseline_no_item_is_made(project: Project, run: Run) -> None:
    project("@pytest.mark.torchscript(inputs=ROWS)\ndef test_x():\n    return Doubles()\n")
    result = run("--collect-only", "-q")
    assert "interface" not in result.stdout.str()
    result = run("--collect-only", "-q", "--ts-baseline=new.json")
    result.stdout.fnmatch_lines(["*jit-padding]", "*jit-interface]", "*jit-round_trip]"])


@pytest.mark.parametrize("how", ["marker", "option"])
def test_interface_fails_if_it_is_named_without_a_baseline(project: Project, run: Run, how: str) -> None:
    checks = ", checks=['interface']" if how == "marker" else ""
    project(f"@pytest.mark.torchscript(inputs=ROWS{checks})\ndef test_x():\n    return Doubles()\n")
    result = run(*(["--ts-checks=interface"] if how == "option" else []))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "jit-interface: there is no baseline to compare with; "
            "write one with --ts-baseline=ts-baseline.json and commit it"
        ]
    )


def test_a_damaged_file_fails_and_is_not_overwritten(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    pytester.path.joinpath("ts-baseline.json").write_text("{<<<<<<< HEAD")
    sentence = (
        "ts-baseline.json cannot be read as a baseline (Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)); restore it, or delete it and write a new one with --ts-baseline=ts-baseline.json"
    )
    result = run("-k", "doubles")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines([f"jit-interface: {sentence}"])
    result = run("--ts-baseline=ts-baseline.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert pytester.path.joinpath("ts-baseline.json").read_text() == "{<<<<<<< HEAD"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "--ts-baseline is empty; give a path"),
        ("test_export.py/x.json", "--ts-baseline is '*test_export.py', where no folder can be made (File exists)"),
        (".", ". cannot be read as a baseline (Is a directory); restore it, or delete it *"),
    ],
)
def test_a_file_that_cannot_be_written_is_exit_code_4(project: Project, run: Run, value: str, sentence: str) -> None:
    project(MODELS)
    result = run(f"--ts-baseline={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "line"),
    [
        ("path.mkdir()", "out/new.json cannot be read as a baseline (Is a directory); restore it, *"),
        ("path.parent.rmdir()", "out/new.json was not written: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_written_at_the_end_fails_the_run(
    project: Project, run: Run, harm: str, line: str
) -> None:
    project(
        MODELS,
        conftest_py=f"""
import pathlib
def pytest_ts_report(verdicts):
    path = pathlib.Path("out/new.json")
    {harm}
""",
    )
    result = run("--ts-baseline=out/new.json")
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines([line])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_without_an_interface_nothing_is_written_and_the_run_says_so(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(MODELS)
    result = run("--ts-baseline=new.json", "--ts-checks=trace", "-k", "doubles")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["new.json was not written: no export was asked for its interface"])
    assert not pytester.path.joinpath("new.json").exists()


@pytest.mark.slow
def test_the_fixture_writes_and_compares_too(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("def test_x(ts_export):\n    ts_export(Doubles(), ROWS, max_examples=20).validate()\n")
    run("--ts-baseline=ts-baseline.json").assert_outcomes(passed=1)
    assert entries_in(pytester) == {"test_export.py::test_x": INTERFACES["test_export.py::test_doubles"]}
    run().assert_outcomes(passed=1)
    pytester.path.joinpath("ts-baseline.json").write_text("{}")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*jit-interface: ts-baseline.json promises nothing for this test on jit; *"])


@pytest.mark.slow
def test_backends_with_the_same_interface_share_an_entry(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        "@pytest.mark.torchscript(inputs=ROWS, checks=['interface'])\ndef test_x():\n    return Doubles()\n",
        conftest_py="""
from pytest_tsexport.testing import Faulty
import torch

class Renames(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return {"doubled": self.model(x), "mean": x.mean()}

def pytest_ts_backends():
    return {"same": Faulty("same", lambda model: model), "other": Faulty("other", Renames)}
""",
    )
    run("--ts-backend=jit,other,same", "--ts-baseline=ts-baseline.json").assert_outcomes(passed=3)
    (entries,) = json.loads(pytester.path.joinpath("ts-baseline.json").read_text()).values()
    assert list(entries) == ["jit, same", "other"]
    assert entries["other"]["outputs"] == ["0: float32 of rank 2", "1: float32 of rank 0"]
    run("--ts-backend=other,same").assert_outcomes(passed=2)
