"""`--ts-report=x.json` writes what the run found, with workers as without, and says so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_tsexport.__main__ import main
from pytest_tsexport.plugin.session import report_files
from pytest_tsexport.reports import json_report
from pytest_tsexport.reports.run_record import RunRecord
from tests.plugin.conftest import Project, Run
from tests.reports.test_json_report import FAILED

SCHEMA = json.loads(Path(json_report.__file__).with_name("schema").joinpath("verdicts-1.json").read_text("utf-8"))
MODELS = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "shapes"], xfail={"shapes": "one batch"})
def test_x():
    return BakesBatch()

@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "parity"])
def test_y():
    return Doubles()

@pytest.mark.torchscript(checks=["trace", "parity"])
def test_not_made():
    raise ValueError("no such checkpoint")
"""
RIGHT = """
@pytest.mark.torchscript(inputs=ROWS, checks=["trace", "parity"], max_examples=5)
def test_x():
    return Doubles()
"""
SKIPPED = """
@pytest.mark.torchscript(inputs=ROWS, checks=["trace"], backends=["neuron"])
def test_x():
    return Doubles()
"""
VARIES = {"seconds", "sha256"}


def document(path: Path) -> dict[str, Any]:
    """A report, valid by its schema, without what differs between two runs of the same tests."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    for verdict in found["verdicts"]:
        for name in VARIES:
            del verdict[name]
        verdict["rows"] = [row for row in verdict["rows"] if row[0] != "rerun"]
    return found


@pytest.mark.slow
def test_the_report_of_a_run_says_what_was_found_and_what_has_no_verdict(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(MODELS)
    result = run("--ts-report=out/x.json", "--ts-seed=1", "--ts-budget=50", *plugin_args)
    result.stdout.fnmatch_lines(["out/x.json was written: 4 verdicts"])
    found = document(pytester.path / "out" / "x.json")
    assert [(v["subject"], v["check"], v["outcome"], v["expected"]) for v in found["verdicts"]] == [
        ("test_export.py::test_x", "trace", "passed", False),
        ("test_export.py::test_x", "shapes", "failed", True),
        ("test_export.py::test_y", "trace", "passed", False),
        ("test_export.py::test_y", "parity", "passed", False),
    ]
    assert [(one["item"], one["why"]) for one in found["unanswered"]] == [
        ("test_export.py::test_not_made[jit-parity]", "ValueError: no such checkpoint"),
        ("test_export.py::test_not_made[jit-trace]", "ValueError: no such checkpoint"),
    ]
    assert found["exit_status"] == 1
    assert found["options"] == ["--ts-budget=50"]
    assert set(found["versions"]) == {"python", "pytest-tsexport", "torch", "transformers"}
    axis = found["verdicts"][1]["axes"][0]
    assert axis["name"] == "batch"
    assert axis["wrong"] or axis["raises"]


@pytest.mark.slow
def test_a_person_can_read_the_report(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    result = run("--ts-report=x.md", "--ts-report=out/x.html", "--ts-seed=1")
    result.stdout.fnmatch_lines(["x.md was written: 4 verdicts", "out/x.html was written: 4 verdicts"])
    markdown = pytester.path.joinpath("x.md").read_text(encoding="utf-8")
    assert markdown.startswith("### TorchScript export: 1 not judged, 1 known to be wrong, 1 right\n")
    assert "no verdict: ValueError: no such checkpoint" in markdown
    page = pytester.path.joinpath("out", "x.html").read_text(encoding="utf-8")
    assert "<code>test_export.py:5</code>" in page
    assert "Sizes of dim1 and batch" in page


@pytest.mark.slow
@pytest.mark.parametrize("file", ["x.json", "x.md", "x.html"])
def test_a_test_file_whose_name_is_no_text_is_reported(pytester: pytest.Pytester, file: str) -> None:
    """In a C locale a name with other letters has surrogates, which UTF-8 cannot write."""
    session = pytester.getmodulecol("").session
    session.exitstatus = pytest.ExitCode.OK
    verdict = replace(FAILED, subject="test_\udce9.py::test_x")
    (line,) = report_files.write(session, [pytester.path / file], RunRecord(verdicts=(verdict,)))
    assert line == f"{file} was written: 1 verdict"
    assert "test_\\udce9.py" in pytester.path.joinpath(file).read_text(encoding="utf-8").replace("<wbr>", "")


@pytest.mark.wide
@pytest.mark.slow
def test_workers_write_what_a_serial_run_writes(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    # Without the cache, in which the first run leaves its counterexample for the second.
    run("--ts-report=serial.json", "--ts-seed=1", "-p", "no:cacheprovider")
    run("--ts-report=workers.json", "--ts-seed=1", "-p", "no:cacheprovider", "-n2")
    assert document(pytester.path / "workers.json") == document(pytester.path / "serial.json")


def claims(path: Path) -> dict[str, Any]:
    """A statement without the digests of files: an export in another process is another file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for one in found["subject"]:
        one["digest"] = {}
    del found["predicate"]["configuration"][-1]  # its own digest
    return found


@pytest.mark.slow
def test_workers_write_the_statement_of_a_serial_run(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    run("--ts-report=serial.intoto.json", "--ts-seed=1", "-p", "no:cacheprovider")
    run("--ts-report=workers.intoto.json", "--ts-seed=1", "-p", "no:cacheprovider", "-n2")
    assert claims(pytester.path / "workers.intoto.json") == claims(pytester.path / "serial.intoto.json")


@pytest.mark.slow
def test_the_statement_of_a_run_names_the_kept_files_and_what_the_run_depends_on(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(MODELS)
    for name in ("uv.lock", "known.toml"):
        pytester.path.joinpath(name).write_text("")
    args = ("--ts-report=x.intoto.json", "--ts-seed=1", "--ts-budget=50", "--ts-known-failures=known.toml")
    result = run(*args, "--ts-export-dir=out", "-k", "not not_made")
    result.stdout.fnmatch_lines(["x.intoto.json was written: 4 verdicts"])
    for name in ("x", "y"):
        file = pytester.path / "out" / f"test_export.py-test_{name}-jit.pt"
        required = ["--require", "trace,parity" if name == "y" else "trace"]
        assert main(["verify", str(file), str(pytester.path / "x.intoto.json"), *required]) == 0
    found = json.loads(pytester.path.joinpath("x.intoto.json").read_text())
    predicate = found["predicate"]
    resources = {one["name"]: one for one in predicate["configuration"]}
    empty = hashlib.sha256(b"").hexdigest()
    assert resources["uv.lock"]["digest"] == resources["known.toml"]["digest"] == {"sha256": empty}
    assert resources["options"]["annotations"]["given"] == {"--ts-budget": 50.0, "--ts-seed": 1}
    assert resources["contract of test_export.py::test_x[jit]"]["annotations"]["xfail"] == {"shapes": "one batch"}
    assert "pytest" in resources["installed packages"]["annotations"]
    reason = "known to fail (one batch): silently wrong outside the traced size"
    assert f"test_export.py::test_x[jit-shapes]: {reason}" in predicate["warnedTests"]
    assert predicate["result"] == "WARNED"


@pytest.mark.slow
def test_two_runs_of_the_same_tests_write_the_same_bytes(project: Project, pytester: pytest.Pytester) -> None:
    project(MODELS)
    for name in ("first", "second"):
        # In processes of their own: torch gives the classes of a second trace in one process other names. Without the
        # cache, in which the first run leaves its counterexample for the second.
        args = ("-p", "no:randomly", "-p", "no:cacheprovider", "--ts-seed=1", f"--ts-report={name}.intoto.json")
        pytester.runpytest_subprocess(*args)
    first, second = (pytester.path.joinpath(f"{name}.intoto.json").read_bytes() for name in ("first", "second"))
    assert first == second


def test_a_statement_about_no_file_is_not_written(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("def test_x():\n    pass\n", head="import pytest\n")
    result = run("--ts-report=x.intoto.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["x.intoto.json was not written: no file was judged"])
    assert not pytester.path.joinpath("x.intoto.json").exists()


@pytest.mark.parametrize("test", ["def test_x():\n    pass\n", SKIPPED], ids=["no export", "unavailable"])
def test_a_statement_that_the_ini_names_is_due_only_if_something_was_exported(
    project: Project, run: Run, pytester: pytest.Pytester, test: str
) -> None:
    project(test, pytest_ini="[pytest]\nts_report = x.intoto.json\n")
    result = run("--ts-on-unavailable=skip")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["x.intoto.json was not written: no file was judged"])


def test_what_is_only_collected_has_no_report(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(RIGHT)
    result = run("--collect-only", "--ts-report=x.intoto.json", "--ts-report=x.json")
    assert result.ret == pytest.ExitCode.OK
    assert not list(pytester.path.glob("x.*"))


def test_several_reports_can_be_asked_for(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("def test_x():\n    pass\n", head="import pytest\n")
    run("--ts-report=a.json", "--ts-report=b.json").assert_outcomes(passed=1)
    assert (pytester.path / "a.json").read_text() == (pytester.path / "b.json").read_text()
    assert document(pytester.path / "a.json")["verdicts"] == []


def test_a_rerun_that_passes_leaves_nothing_unanswered(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        """
TRIES = []

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_x():
    TRIES.append(1)
    if len(TRIES) == 1:
        raise ValueError("once")
    return Doubles()
"""
    )
    run("--ts-report=x.json", "--reruns=1")
    found = document(pytester.path / "x.json")
    assert [verdict["outcome"] for verdict in found["verdicts"]] == ["passed"]
    assert found["unanswered"] == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("x.xml", "--ts-report is 'x.xml'; give a file that ends in .json or .intoto.json or .md or .html"),
        ("json", "--ts-report is 'json'; give a file that ends in .json or .intoto.json or .md or .html"),
        ("folder.json", "--ts-report is 'folder.json'; that is a folder; give a file"),
        ("test_export.py/x.json", "--ts-report is '*test_export.py', where no folder can be made (*)"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_at_the_start(
    project: Project, run: Run, pytester: pytest.Pytester, value: str, sentence: str
) -> None:
    project("def test_x():\n    pass\n", head="import pytest\n")
    pytester.path.joinpath("folder.json").mkdir()
    result = run(f"--ts-report={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])


def test_a_report_that_cannot_be_written_at_the_end_fails_the_run(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project("from pathlib import Path\n\ndef test_x():\n    Path('x.json').mkdir()\n", head="import pytest\n")
    result = run("--ts-report=x.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["x.json was not written: *"])


@pytest.mark.slow
def test_the_statement_says_what_another_report_and_another_plugin_did_to_the_run(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    spoils = "    Path('x.json').mkdir()\n"
    body = f"from pathlib import Path\n{RIGHT}\ndef test_y():\n{spoils}"
    args = ("--ts-export-dir=out", "--ts-report=x.intoto.json", "--ts-report=x.json", "--ts-report=x.md")
    project(body)
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["out: 1 accepted", "x.json was not written: *", "x.intoto.json was written: *"])
    assert statement_of(pytester) == ("FAILED", pytest.ExitCode.USAGE_ERROR)
    assert "not every selected item ran" not in pytester.path.joinpath("x.md").read_text()

    pytester.path.joinpath("x.json").rmdir()
    hook = "def pytest_sessionfinish(session): session.exitstatus = 7\n"
    project(body.replace(spoils, "    pass\n"), conftest_py=hook)
    result = run(*args)
    assert result.ret == 7
    result.stdout.fnmatch_lines(["out: 1 unjudged"])
    assert statement_of(pytester) == ("FAILED", 7)
    assert "exit status 7: not every selected item ran" in pytester.path.joinpath("x.md").read_text()


def statement_of(pytester: pytest.Pytester) -> tuple[str, int]:
    """The result, and the exit status that it names."""
    predicate = json.loads(pytester.path.joinpath("x.intoto.json").read_text())["predicate"]
    (found,) = (one for one in predicate["configuration"] if one["name"] == "run")
    return predicate["result"], found["annotations"]["exit_status"]


def test_a_file_that_does_not_exist_yet_costs_no_statement(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(RIGHT, pytest_ini="[pytest]\nts_baseline = promised.json\n")
    run("--ts-report=x.intoto.json").assert_outcomes(passed=2)
    assert statement_of(pytester)[0] == "WARNED"
    assert "promised.json" not in pytester.path.joinpath("x.intoto.json").read_text()


@pytest.mark.slow
def test_a_report_is_written_with_the_line_ends_of_its_text(
    project: Project, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text mode would write others on Windows, and the statement would not have its own digest."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a report is written in text mode")

    session = pytester.getmodulecol("").session
    session.exitstatus = pytest.ExitCode.OK
    monkeypatch.setattr(Path, "write_text", refuse)
    (line,) = report_files.write(session, [pytester.path / "x.json"], RunRecord(verdicts=(FAILED,)))
    assert line == "x.json was written: 1 verdict"
