"""`ts_export` in tests written by hand: an export to look at, and a `validate()` that raises."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.plugin.conftest import Project, Run


def test_an_export_can_be_looked_at(project: Project, run: Run, plugin_args: tuple[str, ...]) -> None:
    project("""
def test_x(ts_export):
    export = ts_export(Doubles(), ROWS, max_examples=20)
    assert export.path.exists()
    assert export.subject.inputs["x"].shape == (2, 3)
    assert export.backend == "jit"
    (answer,) = export.module(ROWS["x"])
    assert torch.equal(answer, ROWS["x"] * 2)
    assert export.check("parity").outcome.value == "passed"
    export.validate(["trace", "shapes"])
""")
    result = run(*plugin_args)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_export.py::test_x (jit)", "* parity *passed*", "* shapes *passed*"])


def test_a_test_that_asks_for_the_fixture_while_it_runs_reports_too(
    project: Project, run: Run, plugin_args: tuple[str, ...]
) -> None:
    project("""
def test_x(request):
    export = request.getfixturevalue("ts_export")
    export(Doubles(), ROWS).validate(["trace"])

def test_y(ts_export):
    ts_export(Doubles(), ROWS).validate(["trace"])
""")
    result = run(*plugin_args)
    result.assert_outcomes(passed=2)
    for name in ("test_x", "test_y"):
        result.stdout.fnmatch_lines([f"test_export.py::{name} (jit)", "* trace *passed*"])


@pytest.mark.slow
def test_validate_raises_what_is_wrong(project: Project, run: Run) -> None:
    project("""
import pytest_tsexport

def test_caught(ts_export):
    with pytest.raises(pytest_tsexport.ValidationFailed, match="jit-shapes: ") as caught:
        ts_export(BakesBatch(), ROWS, max_examples=30).validate(["trace", "shapes"])
    assert [verdict.outcome.value for verdict in caught.value.verdicts] == ["passed", "failed"]

def test_not_caught(ts_export):
    ts_export(BakesBatch(), ROWS, max_examples=30).validate(["shapes"])
""")
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([">   *ts_export(BakesBatch()*", "E *ValidationFailed: jit-shapes: *"])
    assert "pytest_tsexport/" not in result.stdout.str()


def test_two_exports_of_one_test_have_different_names(project: Project, run: Run) -> None:
    project("""
def test_x(ts_export):
    for model in (Doubles(), Doubles()):
        ts_export(model, ROWS).validate(["trace"])
""")
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_export.py::test_x (jit)", "test_export.py::test_x #2 (jit)"])


def test_fixtures_of_any_scope_and_given_can_use_it(project: Project, run: Run) -> None:
    project("""
from hypothesis import given, settings, strategies as st

@pytest.fixture(scope="module")
def export(ts_export):
    return ts_export(Doubles(), ROWS)

@settings(deadline=None, max_examples=5, database=None)
@given(st.integers(1, 5))
def test_given(export, n):
    x = torch.ones(n, 3)
    assert torch.equal(export.module(x)[0], x * 2)

def test_plain(export):
    assert export.check("trace").outcome.value == "passed"
""")
    result = run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["* trace *passed*"])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("ts_export(Doubles(), ROWS, example=1)", "unknown keyword 'example'; use one of *"),
        ("ts_export(Doubles(), ROWS, checks=['shape'])", "checks names 'shape'; use one of *"),
        ("ts_export(Doubles(), {'y': torch.ones(2)})", "*y*"),
        ("ts_export(3)", "*int*"),
        ("ts_export(Doubles(), ROWS, xfail={'shapes': 'x'})", "xfail is for the marker; *"),
    ],
)
def test_bad_use_is_one_sentence_at_the_line_of_the_test(project: Project, run: Run, call: str, sentence: str) -> None:
    project(f"def test_x(ts_export):\n    {call}\n")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*ts_export(*", f"E *pytest_tsexport.errors.*: {sentence}"])


def test_inputs_that_do_not_fit_are_an_error_at_the_users_line(project: Project, run: Run) -> None:
    project("""
def test_x(ts_export):
    ts_export(Doubles(), {"z": ROWS["x"]})
""")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *InputsError: inputs names 'z', which Doubles.forward does not take; use one of x, or *"]
    )
    assert "pipeline.py" not in result.stdout.str()


def test_a_green_run_leaves_no_folder(
    project: Project, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    project("""
def test_a(ts_export):
    ts_export(Doubles(), ROWS)

@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace"])
def test_x():
    return Doubles()

def test_b(ts_export):
    ts_export(Doubles(), ROWS)
""")
    run("-p", "no:cacheprovider").assert_outcomes(passed=3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("ts_export(3)", "InputsError: an int is no model; return an nn.Module, or (module, inputs)"),
        (
            "export = ts_export(Doubles(), ROWS)\n    export.close()\n    export.validate()",
            "ExportError: the export of test_export.py::test_x is closed; ask its checks before close()",
        ),
        (
            "import io\n    with torch.no_grad():\n        ts_export(torch.jit.script(Doubles()))",
            "InputsError: a ScriptModule is exported already; say with reference= which model it exports",
        ),
        ("ts_export(Doubles())", "InputsError: inputs cannot be derived for Doubles; give inputs=*"),
        (
            "ts_export(Doubles(), {'y': torch.ones(1)})",
            "InputsError: inputs names 'y', which Doubles.forward does not *",
        ),
        ("ts_export(Doubles(), ROWS, shape='fixed')", "PolicyError: unknown keyword 'shape'; use one of *"),
        ("ts_export(Doubles(), ROWS, checks='shape')", "PolicyError: checks names 'shape'; use one of *"),
        ("ts_export(Doubles(), ROWS).check('shape')", "PolicyError: check names 'shape'; use one of *"),
        ("ts_export(Doubles(), ROWS).validate(['shape'])", "PolicyError: checks names 'shape'; use one of *"),
        ("ts_export(Doubles(), ROWS, backends=['jit', 'neuron'])", "PolicyError: backends is [[]'jit', 'neuron'[]]; *"),
        ("ts_export(Doubles(), ROWS, xfail={'shapes': 'x'})", "PolicyError: xfail is for the marker; *"),
        ("ts_export(Doubles(), ROWS, artifact='gone.pt')", "ArtifactError: artifact gone.pt does not exist; give *"),
    ],
)
def test_no_line_of_ours_is_shown_for_bad_use(project: Project, run: Run, body: str, sentence: str) -> None:
    project(f"def test_x(ts_export):\n    {body}\n")
    result = run("-W", "ignore")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{sentence}", "test_export.py:*Error"])
    assert "pytest_tsexport/" not in result.stdout.str()
    assert "torch/jit" not in result.stdout.str()
