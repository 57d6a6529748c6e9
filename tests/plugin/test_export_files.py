"""The names in `--ts-export-dir` say what a run found about each file, with workers as without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugin.conftest import Project, Run

MODELS = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "shapes"])
def test_right():
    return Doubles()

@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "shapes"])
def test_wrong():
    return BakesBatch()

@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "shapes"], xfail={"shapes": "one batch"})
def test_known():
    return BakesBatch()
"""
ARGS = ("--ts-export-dir=out", "--ts-seed=1")


def names(pytester: pytest.Pytester) -> list[str]:
    return sorted(path.name for path in pytester.path.joinpath("out").iterdir())


def sidecar(pytester: pytest.Pytester, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(pytester.path.joinpath("out", name).read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_a_file_is_named_by_what_the_run_found(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(MODELS)
    result = run(*ARGS, *plugin_args)
    result.stdout.fnmatch_lines(["out: 2 accepted, 1 rejected"])
    assert names(pytester) == [
        "test_export.py-test_known-jit.json",
        "test_export.py-test_known-jit.pt",
        "test_export.py-test_right-jit.pt",
        "test_export.py-test_wrong-jit.rejected.json",
        "test_export.py-test_wrong-jit.rejected.pt",
    ]
    known = sidecar(pytester, "test_export.py-test_known-jit.json")
    assert known["state"] == "accepted"
    assert known["checks"] == {
        "trace": "passed",
        "shapes": "known to fail (one batch): silently wrong outside the traced size",
    }
    wrong = sidecar(pytester, "test_export.py-test_wrong-jit.rejected.json")
    assert wrong["file"] == "test_export.py-test_wrong-jit.rejected.pt"
    assert wrong["checks"] == {"trace": "passed", "shapes": "failed: silently wrong outside the traced size"}


@pytest.mark.slow
def test_a_wrong_file_takes_the_place_of_an_earlier_right_one(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    body = "@pytest.mark.torchscript(inputs=ROWS, max_examples=30)\ndef test_x():\n    return {}()\n"
    checks = "--ts-checks=trace,shapes"
    for model, expected in [
        ("Doubles", ["test_export.py-test_x-jit.pt"]),
        ("BakesBatch", ["test_export.py-test_x-jit.rejected.json", "test_export.py-test_x-jit.rejected.pt"]),
        ("Doubles", ["test_export.py-test_x-jit.pt"]),
    ]:
        project(body.format(model))
        run(*ARGS, checks)
        assert names(pytester) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "args"), [("assert False", ["-x"]), ("pytest.exit('stop')", [])], ids=["at a failure", "at once"]
)
def test_a_run_that_was_cut_off_accepts_nothing(
    project: Project, run: Run, pytester: pytest.Pytester, ending: str, args: list[str]
) -> None:
    project(
        f"""
@pytest.mark.torchscript(inputs=ROWS, checks=["trace", "parity"])
def test_x():
    return Doubles()

def test_y():
    {ending}
"""
    )
    run(*ARGS, *args).stdout.fnmatch_lines(["out: 1 unjudged"])
    assert names(pytester) == ["test_export.py-test_x-jit.unjudged.json", "test_export.py-test_x-jit.unjudged.pt"]
    said = sidecar(pytester, "test_export.py-test_x-jit.unjudged.json")
    assert (said["state"], said["complete"]) == ("unjudged", False)
    run(*ARGS, "-k", "test_x")
    assert names(pytester) == ["test_export.py-test_x-jit.pt"]


@pytest.mark.slow
def test_while_it_is_judged_a_file_is_unjudged(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        """
from pathlib import Path

@pytest.mark.torchscript(inputs=ROWS, checks=["trace", "parity"])
def test_x():
    return Doubles()

def test_y():
    assert [path.name for path in Path("out").iterdir()] == ["test_export.py-test_x-jit.unjudged.pt"]
"""
    )
    run(*ARGS).assert_outcomes(passed=3)
    assert names(pytester) == ["test_export.py-test_x-jit.pt"]


@pytest.mark.slow
def test_a_file_that_was_exported_anew_between_two_checks_is_not_accepted(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(
        """
EXPORTED = []

class Triples(nn.Module):
    def forward(self, x):
        return x * 3

def exporter(model, inputs, path):
    EXPORTED.append(path)
    torch.jit.save(torch.jit.trace(Triples() if len(EXPORTED) == 1 else model, (inputs["x"],)), path)

@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace", "parity"], export=exporter)
def test_x():
    return Doubles()
"""
    )
    run(*ARGS, "--reruns=1").stdout.fnmatch_lines(["*2 passed, 1 rerun in *"])
    said = sidecar(pytester, "test_export.py-test_x-jit.unjudged.json")
    checks = said["checks"]
    assert isinstance(checks, dict)
    assert checks["parity"] == "passed"
    assert checks["trace"].startswith("passed, for the file ")


@pytest.mark.slow
def test_a_file_of_another_run_stays_as_it_is(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    other = pytester.path / "out" / "test_export.py-test_right-jit.unjudged.fx"
    other.parent.mkdir()
    other.write_bytes(b"another")
    run(*ARGS, "-k", "right")
    assert names(pytester) == ["test_export.py-test_right-jit.pt", other.name]


@pytest.mark.slow
def test_a_process_of_its_own_keeps_its_file_too(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(MODELS)
    run(*ARGS, "--ts-isolate=auto", "-k", "right")
    assert names(pytester) == ["test_export.py-test_right-jit.pt"]


@pytest.mark.slow
def test_the_file_of_the_fixture_is_judged_by_what_the_test_asked(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(
        """
def test_x(ts_export):
    ts_export(Doubles(), ROWS, max_examples=5).check("parity")
    ts_export(BakesBatch(), ROWS, max_examples=30).check("shapes")
"""
    )
    run(*ARGS).assert_outcomes(passed=1)
    assert names(pytester) == [
        "test_export.py-test_x-2-0a18fc6f-jit.rejected.json",
        "test_export.py-test_x-2-0a18fc6f-jit.rejected.pt",
        "test_export.py-test_x-jit.pt",
    ]


@pytest.mark.slow
def test_a_model_that_no_longer_exports_leaves_no_file_of_an_earlier_run(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    body = """
def exporter(model, inputs, path):
    {}
    torch.jit.save(torch.jit.trace(model, (inputs["x"],)), path)

@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace", "parity"], export=exporter)
def test_x():
    return Doubles()
"""
    project(body.format("pass"))
    run(*ARGS).assert_outcomes(passed=2)
    assert names(pytester) == ["test_export.py-test_x-jit.pt"]
    project(body.format("raise ValueError('no longer')"))
    assert run(*ARGS).ret == pytest.ExitCode.TESTS_FAILED
    assert names(pytester) == []


HAND_WRITTEN = """
@pytest.fixture
def fixture():
    yield
    {teardown}

def test_x(ts_export, fixture):
    ts_export(Doubles(), ROWS, max_examples=5).check("parity")
    {call}
"""


@pytest.mark.parametrize(
    ("call", "teardown", "why"),
    [
        ("assert 1 == 2", "pass", "test_export.py::test_x failed: assert 1 == 2"),
        ("pass", "raise OSError('disk')", "test_export.py::test_x failed: OSError: disk"),
    ],
    ids=["call", "teardown"],
)
def test_the_file_of_a_test_that_failed_is_rejected(
    project: Project, run: Run, pytester: pytest.Pytester, call: str, teardown: str, why: str
) -> None:
    project(HAND_WRITTEN.format(call=call, teardown=teardown))
    run(*ARGS)
    assert names(pytester) == ["test_export.py-test_x-jit.rejected.json", "test_export.py-test_x-jit.rejected.pt"]
    assert sidecar(pytester, "test_export.py-test_x-jit.rejected.json")["why"] == why


@pytest.mark.parametrize("call", ["pytest.skip('not today')", "pytest.xfail('known')"])
def test_the_file_of_a_test_that_fails_nothing_is_accepted(
    project: Project, run: Run, pytester: pytest.Pytester, call: str
) -> None:
    project(HAND_WRITTEN.format(call=call, teardown="pass"))
    run(*ARGS)
    assert names(pytester) == ["test_export.py-test_x-jit.pt"]


def test_a_crash_after_the_export_rejects_its_file(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("""
import sys
from pathlib import Path

class Leaves(Doubles):
    def forward(self, x):
        if Path("out/test_export.py-test_x-jit.unjudged.pt").exists():
            sys.exit(3)
        return super().forward(x)

@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace", "parity"])
def test_x():
    return Leaves()
""")
    run(*ARGS)
    assert names(pytester) == ["test_export.py-test_x-jit.rejected.json", "test_export.py-test_x-jit.rejected.pt"]
    assert "SystemExit" in str(sidecar(pytester, "test_export.py-test_x-jit.rejected.json")["why"])


@pytest.mark.slow
def test_a_file_that_cannot_be_renamed_fails_the_run(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        """
from pathlib import Path

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_x():
    return Doubles()

def test_y():
    Path("out/test_export.py-test_x-jit.pt").mkdir()
"""
    )
    result = run(*ARGS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["out: *test_x-jit.unjudged.pt could not be renamed or described (Is a directory)"])


def test_no_folder_no_word(project: Project, run: Run, tmp_path: Path) -> None:
    project("def test_x():\n    pass\n", head="")
    result = run("--ts-export-dir=out")
    result.stdout.no_fnmatch_line("*out:*")
