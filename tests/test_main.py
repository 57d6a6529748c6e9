"""`python -m pytest_tsexport verify` answers with its exit code and one sentence, at once and without torch."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tsexport.__main__ import main
from pytest_tsexport.reports import statement
from pytest_tsexport.verdict import Outcome
from tests.reports.small_runs import run_of, verdict

MOST_SECONDS = 0.2
"""Of processor time: a machine that does other work beside does not count."""


@pytest.fixture
def shipped(tmp_path: Path) -> tuple[Path, Path]:
    """A file, and the statement about it: parity passed, and it has no tied weights."""
    file = tmp_path / "model.pt"
    file.write_bytes(b"weights" * 1000)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    judged = [
        verdict("parity", sha256=sha256),
        verdict("tied_weights", Outcome.NOT_APPLICABLE, "no tied weights", sha256=sha256),
    ]
    tmp_path.joinpath("x.intoto.json").write_text(statement.text(run_of(*judged)), encoding="utf-8")
    return file, tmp_path / "x.intoto.json"


def verify(*arguments: object) -> int:
    return main(["verify", *map(str, arguments)])


def test_the_right_file_is_exit_code_0(shipped: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(*shipped) == 0
    sentence = ") passed parity; 5 checks warned (not run, not applicable, or known to fail)\n"
    assert capsys.readouterr().out.endswith(sentence)
    assert verify(*shipped, "--require", "parity") == 0
    assert capsys.readouterr().out.endswith(sentence)


def test_one_byte_of_the_file_changed_is_exit_code_1(
    shipped: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file, said = shipped
    file.write_bytes(file.read_bytes()[:-1] + b"S")
    assert verify(file, said, "--require=parity") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{file}: the file has the sha256 ")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("required", [("parity,tied_weights",), ("parity", "--require", "tied_weights")])
def test_each_required_check_must_have_passed(
    shipped: tuple[Path, Path], capsys: pytest.CaptureFixture[str], required: tuple[str, ...]
) -> None:
    assert verify(*shipped, "--require", *required) == 1
    assert "tied_weights is required, and did not pass: " in capsys.readouterr().err


def test_a_damaged_statement_is_exit_code_1(shipped: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    file, said = shipped
    said.write_text(said.read_text().replace("jit-parity", "jit-parody"))
    assert verify(file, said) == 1
    assert "was changed after it was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["model.pt"], "*error: the following arguments are required: STATEMENT"),
        (["model.pt", "x.intoto.json", "--require", "shape"], "*error: *'shape' is no check; use one of trace, *"),
        (["gone.pt", "x.intoto.json"], "gone.pt cannot be read (No such file or directory); give FILE and STATEMENT *"),
        (["model.pt", "gone.json"], "gone.json cannot be read (No such file or directory); give FILE and STATEMENT *"),
        ([".", "x.intoto.json"], ". cannot be read (Is a directory); give FILE and STATEMENT as files"),
    ],
    ids=["no statement", "no such check", "no such file", "no such statement", "a folder"],
)
@pytest.mark.usefixtures("shipped")
def test_wrong_use_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code: object = verify(*arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    pytest.LineMatcher(capsys.readouterr().err.splitlines()).fnmatch_lines([sentence])


def test_no_command_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "the following arguments are required: verify" in capsys.readouterr().err


def test_it_loads_no_torch_and_answers_at_once(shipped: tuple[Path, Path]) -> None:
    code = (
        "import sys\nfrom pytest_tsexport.__main__ import main\n"
        "ended = main(sys.argv[1:])\n"
        "heavy = {'torch', 'transformers', 'hypothesis', 'pytest', 'numpy'} & set(sys.modules)\n"
        "sys.exit(ended or len(heavy) and 3)\n"
    )
    command = [sys.executable, "-S", "-c", code, "verify", *map(str, shipped), "--require=parity"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 0
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MOST_SECONDS


def test_a_file_whose_name_is_no_text_of_the_terminal_is_named(shipped: tuple[Path, Path]) -> None:
    file, said = shipped
    renamed = file.rename(file.with_name("modèle.pt"))
    command = [sys.executable, "-m", "pytest_tsexport", "verify", str(renamed), str(said)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "mod\\xe8le.pt" in ended.stdout


def test_it_is_what_python_m_runs(shipped: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "pytest_tsexport", "verify", *map(str, shipped), "--require=shapes"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "shapes is required, and did not pass: " in ended.stderr
