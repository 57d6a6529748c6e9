"""Proves that a file runs in a fresh process with torch alone, and that each way to fail is one line."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.exporting.artifact import Artifact, open_file
from pytest_tsexport.runtimes.isolated_python import IsolatedRun, run_in_isolated_python
from pytest_tsexport.testing import files, wrong_devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows

SECONDS = 300.0


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    files.fresh(made.TwoOutputs(), rows()(), tmp_path / "it.pt")
    return open_file(tmp_path / "it.pt", TorchScript())


def loaded_by(artifact: Artifact, *lines: str) -> Artifact:
    """The artifact with a loader of these lines."""

    class Other(TorchScript):
        loader = "\n    ".join(("def load(path):", *lines))

    return replace(artifact, format=Other())


def run(artifact: Artifact, prologue: str = "", seconds: float = SECONDS) -> IsolatedRun:
    return run_in_isolated_python(artifact, [[rows()()["x"]]], prologue=prologue, seconds=seconds)


@pytest.mark.slow
def test_the_leaves_of_every_case_come_back(artifact: Artifact) -> None:
    cases = [[torch.randn(2, 7)], [torch.randn(2, 7)]]
    found = run_in_isolated_python(artifact, cases, seconds=SECONDS)
    assert found.failure is None
    module = artifact.load()
    for case, answer in zip(cases, found.answers, strict=True):
        assert all(map(torch.equal, answer, module(*case)))
        assert len(answer) == 2


@pytest.mark.slow
def test_an_operator_that_is_not_known_there_is_one_line(tmp_path: Path) -> None:
    files.fresh(wrong_devices.NeedsPython(), rows()(), tmp_path / "it.pt")
    found = run(open_file(tmp_path / "it.pt", TorchScript()))
    assert found == IsolatedRun(failure="RuntimeError: Unknown builtin op: tsexport_specimens::halve.")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformers", "transformers.models", "pytest_tsexport"])
def test_neither_transformers_nor_this_package_can_be_imported(artifact: Artifact, name: str) -> None:
    top = name.partition(".")[0]
    expected = f"ModuleNotFoundError: No module named {top!r} (this process has torch alone)"
    assert run(loaded_by(artifact, f"import {name}")).failure == expected


@pytest.mark.slow
def test_the_prologue_may_import_this_package(artifact: Artifact) -> None:
    assert run(artifact, prologue="import pytest_tsexport.errors").failure is None


@pytest.mark.slow
def test_it_computes_with_as_many_threads_as_here(artifact: Artifact) -> None:
    threads, unusual = torch.get_num_threads(), (os.cpu_count() or 1) + 3
    torch.set_num_threads(unusual)
    try:
        found = run(loaded_by(artifact, "return lambda x: torch.get_num_threads()"))
    finally:
        torch.set_num_threads(threads)
    assert [[leaf.item() for leaf in answer] for answer in found.answers] == [[unusual]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "failure"),
    [
        (("import os", "os._exit(3)"), "it ended with exit status 3"),
        (("raise SystemExit('no memory is left')",), "no memory is left"),
        (("import os", "os._exit(0)"), "it ended with exit status 0"),
        (("raise KeyError('weights')",), "KeyError: 'weights'"),
        (("return lambda x: [None, 1.5, (x, {'y': x > 0})]",), None),
    ],
)
def test_each_way_to_end_is_one_line(artifact: Artifact, lines: tuple[str, ...], failure: str | None) -> None:
    found = run(loaded_by(artifact, *lines))
    assert found.failure == failure
    assert [len(answer) for answer in found.answers] == ([] if failure else [3])


def answers(artifact: Artifact, *lines: str, prologue: str = "") -> list[float]:
    """What a loader of these lines answers there, as numbers."""
    found = run(loaded_by(artifact, *lines), prologue)
    assert found.failure is None
    return [leaf.item() for answer in found.answers for leaf in answer]


@pytest.mark.slow
def test_it_runs_in_an_empty_folder(artifact: Artifact) -> None:
    assert answers(artifact, "import os", "return lambda x: len(os.listdir())") == [0]


@pytest.mark.slow
def test_a_relative_path_of_the_artifact_is_found(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(artifact.path.parent)
    assert run(replace(artifact, path=Path("it.pt"))).failure is None


SHADOWS = ("tokenize", "json", "torch", "sitecustomize", "warnings", "numpy", "importlib", "run", "site", "typing")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["start folder", "sys.path", "empty entry of PYTHONPATH"])
def test_modules_with_the_names_of_pythons_are_not_imported(
    artifact: Artifact, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the tests was imported')")
    monkeypatch.chdir(tmp_path)
    if way == "sys.path":
        monkeypatch.syspath_prepend(str(tmp_path))
    elif way != "start folder":
        monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}{tmp_path / 'inner'}")
    assert run(artifact).failure is None


@pytest.mark.slow
def test_the_torch_of_this_process_is_found_there(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('another torch was imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    here = Path(torch.__file__)
    assert answers(artifact, f"return lambda x: torch.__file__ == {str(here)!r}") == [True]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["PYTHONPATH", "relative PYTHONPATH", "sys.path"])
def test_what_this_process_finds_is_found_there(
    artifact: Artifact, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch or its dependencies may lie there, or the SDK that the prologue imports."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "an_sdk.py").write_text("VERSION = 3")
    monkeypatch.chdir(tmp_path)
    if way == "sys.path":
        monkeypatch.syspath_prepend("inner")
    else:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "inner") if way == "PYTHONPATH" else "inner")
    lines = ("import an_sdk", "return lambda x: an_sdk.VERSION")
    assert answers(artifact, *lines, prologue="import an_sdk") == [3]


@pytest.mark.slow
def test_environment_variables_are_kept(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names = ("OMP_NUM_THREADS", "HF_HUB_OFFLINE")
    assert answers(artifact, "import os", f"return lambda x: [int(os.environ[one]) for one in {names}]") == [3, 1]


@pytest.mark.slow
def test_variables_of_python_that_change_how_it_starts_or_ends_do_no_harm(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "startup.py").write_text("raise SystemExit('startup.py was run')")
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert run(artifact).failure is None


@pytest.mark.slow
def test_a_process_that_does_not_end_is_stopped(artifact: Artifact) -> None:
    assert run(artifact, seconds=0.1).failure == "it did not end within 0.1 s"
