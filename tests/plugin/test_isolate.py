"""`--ts-isolate`: what ends or blocks a process costs the verdicts of its own subject, and the next one is right."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.plugin.conftest import Project

# Each run is a process of its own: it forks, and what ends a process by mistake must not end these tests.
pytestmark = pytest.mark.slow

HOSTILE = """
import ctypes, os, time

def eats():
    kept = []
    while True:
        kept.append(torch.ones(1 << 22))

def loops():
    while True:
        pass

HOW = {
HOW_ROWS
}

class Ends(torch.nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, x):
        print("calling")
        if WHEN:
            HOW[self.how]()
        return x * 2

def pytest_generate_tests(metafunc):
    metafunc.parametrize("how", [one for kind in HOW for one in (kind, f"after-{kind}")])

@pytest.mark.torchscript(inputs=ROWS, max_examples=10, checks=["parity", "shapes"])
def test_hostile(how):
    return Doubles() if how.startswith("after-") else Ends(how)
"""
ALWAYS, IN_SHAPES = "True", "x.shape[0] > 6"
LIMIT = 512
ENDS = {
    "segfault": ("ctypes.string_at(0)", "the process was killed by signal 11 (SIGSEGV)"),
    "abort": ("os.abort()", "the process was killed by signal 6 (SIGABRT)"),
    "killed": ("os.kill(os.getpid(), 9)", "the process was killed by signal 9 (SIGKILL)"),
    "exit": ("ctypes.CDLL(None)._exit(0)", "the process ended with exit status 0"),
    "status": ("ctypes.CDLL(None)._exit(7)", "the process ended with exit status 7"),
    "raised": ("os._exit(0)", "SystemExit: os._exit(0)"),
    "memory": ("eats()", f"the process used more than {LIMIT} MiB"),
}
SILENT = ("killed", "exit", "status")
SEGFAULT = {"segfault": "ctypes.string_at(0)"}
HANGS = {"python": "loops()", "native": "ctypes.PyDLL(None).sleep(1000)"}
"""What holds the interpreter, and what holds its lock too."""

PLAIN = ("--ts-seed=3", f"--ts-isolate={LIMIT}MiB", "--ts-timeout=60")


def hostile(how: Mapping[str, str], when: str = ALWAYS) -> str:
    """A test of a model for each kind of end, and after it one of a model that is right."""
    rows = "\n".join(f"    {kind!r}: lambda: {end}," for kind, end in how.items())
    return HOSTILE.replace("HOW_ROWS", rows).replace("WHEN", when)


def section(result: pytest.RunResult, name: str) -> list[str]:
    """The lines under the heading of a failure."""
    (start,) = (number for number, line in enumerate(result.outlines) if line.strip("_") == f" {name} ")
    return result.outlines[start + 1 : start + 6]


def isolated(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """One run in a process of its own, in its own order."""
    given = args if any(arg.startswith("--ts-isolate") for arg in args) else (*PLAIN, *args)
    return pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", *given)


def test_what_ends_an_export_costs_each_check_a_verdict(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile({kind: end for kind, (end, _) in ENDS.items()}))
    result = isolated(pytester)
    result.assert_outcomes(passed=2 * len(ENDS), failed=2 * len(ENDS))
    assert result.ret == 1
    for kind, (_, what) in ENDS.items():
        for check in ("parity", "shapes"):
            told = section(result, f"test_hostile[{kind}-jit-{check}]")
            assert told[0].startswith(f"jit-{check}: crashed: {what}"), told
            assert told[0].endswith("; not judged")
            assert kind == "raised" or " while it exported" in told[0]
            # A process that is dead cannot say where it was, unless Python handles the signal.
            assert any(row.startswith(("  was at", "  raised at")) for row in told) == (kind not in SILENT), told
    assert "calling" in result.stdout.str()
    result.stdout.fnmatch_lines([f"{2 * len(ENDS)} exports: {len(ENDS)} right, {len(ENDS)} not judged; *"])


def test_what_ends_a_check_costs_that_check_only(project: Project, pytester: pytest.Pytester) -> None:
    kinds = ("segfault", "exit", "memory")
    project(hostile({kind: ENDS[kind][0] for kind in kinds}, IN_SHAPES))
    result = isolated(pytester)
    result.assert_outcomes(passed=3 * len(kinds), failed=len(kinds))
    for kind in kinds:
        told = section(result, f"test_hostile[{kind}-jit-shapes]")
        assert told[0].startswith(f"jit-shapes: crashed: {ENDS[kind][1]} while it judged shapes"), told


def test_the_check_after_a_crash_is_judged_in_a_new_process(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile(SEGFAULT, IN_SHAPES).replace('"shapes"]', '"shapes", "round_trip"]'))
    result = isolated(pytester)
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["  shapes      CRASHED *", "  round_trip  passed *"])


def test_a_hang_is_killed_and_not_tried_again(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile(HANGS))
    result = isolated(pytester, "--ts-isolate", "--ts-timeout=1", "--durations=0", "--durations-min=0")
    result.assert_outcomes(passed=2 * len(HANGS), failed=2 * len(HANGS))
    what = "the process gave no sign of life for 6.1 s while it exported, and was killed"
    for kind in HANGS:
        for check in ("parity", "shapes"):
            told = section(result, f"test_hostile[{kind}-jit-{check}]")
            assert told[0] == f"jit-{check}: too slow: {what}; not judged"
            assert re.match(r"  was at +test_export.py:[0-9]+, in ", told[1]), told
        seconds = re.search(rf"([0-9.]+)s call +\S*test_hostile\[{kind}-jit-shapes\]", result.stdout.str())
        assert seconds is not None
        assert float(seconds[1]) < 3


def test_a_fork_of_the_model_is_not_the_one_that_answers(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile({"fork": "os.fork() or time.sleep(600)"}))
    result = isolated(pytester, *PLAIN[:1], "--ts-isolate=8GiB")
    result.assert_outcomes(passed=4)
    left = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=False).stdout
    assert str(pytester.path) not in left


def test_a_function_that_ends_the_process_is_told(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile({"function": "None"}).replace("Ends(how)\n", "ctypes.string_at(0)\n"))
    result = isolated(pytester)
    result.assert_outcomes(passed=2, failed=2)
    what = "the process was killed by signal 11 (SIGSEGV) while it called test_hostile"
    result.stdout.fnmatch_lines(
        [f"jit-parity: crashed: {what}; not judged", f"jit-shapes: crashed: {what}; not judged"]
    )


@pytest.mark.wide
def test_workers_isolate_too(project: Project, pytester: pytest.Pytester) -> None:
    project(hostile(SEGFAULT))
    result = isolated(pytester, "-n2")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["*killed by signal 11 (SIGSEGV) while it exported; not judged*", "2 exports: 1 right, 1 not judged; *"]
    )


ORDINARY = """
import warnings

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"])
def test_raises(tmp_path):
    raise FileNotFoundError("no checkpoint here")

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"])
def test_skips():
    pytest.skip("too large for this machine")

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"])
def test_expects():
    pytest.xfail("known")

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"])
def test_warns():
    print("building")
    warnings.warn("an old checkpoint", stacklevel=1)
    return Doubles()

@pytest.mark.torchscript
def test_label():
    return None
"""


@pytest.mark.one_in(2)
@pytest.mark.parametrize("capture", ["fd", "sys"])
def test_what_a_function_does_besides_arrives(project: Project, pytester: pytest.Pytester, capture: str) -> None:
    project(ORDINARY)
    result = isolated(pytester, "-rsP", f"--capture={capture}")
    result.assert_outcomes(passed=1, failed=2, skipped=1, xfailed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "E *FileNotFoundError: no checkpoint here",
            "*test_export.py:*: UserWarning: an old checkpoint",
            "building",
            "SKIPPED [[]1[]] test_export.py:*: too large for this machine",
        ]
    )
    result.stdout.fnmatch_lines(["test_label returned None; a function marked torchscript must *"])


@pytest.mark.slow
def test_a_function_that_ends_its_process_has_a_row(project: Project, pytester: pytest.Pytester) -> None:
    project("""
import ctypes
import os

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_in_python():
    os._exit(0)

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_in_c():
    ctypes.CDLL(None)._exit(0)
""")
    result = isolated(pytester, *PLAIN)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["test_export.py::test_in_c (jit)", "  trace * CRASHED *"])
    result.stdout.fnmatch_lines(["test_export.py::test_in_python (jit)", "  all * NO VERDICT"])
    result.stdout.fnmatch_lines(["2 exports: 2 not judged; *"])


def test_one_sentence_for_a_value_that_means_nothing(project: Project, pytester: pytest.Pytester) -> None:
    project(ORDINARY)
    result = isolated(pytester, "--ts-isolate=4")
    assert result.ret == 4
    valid = "give the memory of a process, as 4GiB or 500MiB, or auto, or off; write it after a ="
    result.stderr.fnmatch_lines([f"ERROR: --ts-isolate is '4'; {valid}"])


@pytest.mark.wide
def test_the_ini_isolates_and_off_undoes_it(project: Project, pytester: pytest.Pytester) -> None:
    body = "import os\nHERE = os.getpid()\n\n@pytest.mark.torchscript(inputs=ROWS, checks=['parity'])\n"
    project(
        body + "def test_x():\n    assert os.getpid() != HERE\n    return Doubles()\n",
        pytest_ini="[pytest]\nts_isolate = auto\n",
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=1)
    pytester.runpytest_subprocess("-p", "no:randomly", "--ts-isolate=off").assert_outcomes(failed=1)


def test_threads_that_were_used_before_do_not_hang_the_process(project: Project, pytester: pytest.Pytester) -> None:
    project(
        "torch.set_num_threads(2)\ntorch.ones(1 << 22).exp()\n\n"
        "class Large(torch.nn.Module):\n"
        "    def forward(self, x):\n        return x * torch.ones(1 << 18).exp().mean()\n\n"
        "@pytest.mark.torchscript(inputs=ROWS, checks=['trace'])\ndef test_x():\n    return Large()\n"
    )
    result = isolated(pytester, "--ts-isolate", "--ts-timeout=30")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*judged with one thread: *"])


REPORT = """
import json

def others(verdict):
    return [row for row in verdict.rows if row[0] != "rerun"]

def pytest_ts_report(verdicts):
    # The hash too: torch numbers the classes of all files that one process makes.
    fields = [{**verdict.to_dict(), "seconds": 0, "sha256": "", "rows": others(verdict)} for verdict in verdicts]
    with open("verdicts.json", "w") as file:
        json.dump(fields, file)
"""
SPECIMENS = """
from pytest_tsexport.testing import right, wrong

TITLES = {"BakesBatch", "TiedEncoder", "EvenOnly", "Residual", "LeftOnly", "CountsCalls"}
ALL = [one for one in (*right(), *wrong()) if one.file is None and not one.refused and "export" not in one.keywords]
CHOSEN = [one for one in ALL if one.title in TITLES] + ALL[::60]

@pytest.mark.torchscript(max_examples=15, checks=["-round_trip"])
@pytest.mark.parametrize("one", [
    pytest.param(one, marks=pytest.mark.torchscript(**one.keywords), id=f"{number}-{one.title}")
    for number, one in enumerate(CHOSEN)
])
def test_x(one):
    return one.model(), one.inputs()
"""


def test_verdicts_equal_those_of_one_process(project: Project, pytester: pytest.Pytester) -> None:
    project(SPECIMENS, conftest_py=REPORT)
    found = []
    for isolate in ("off", "auto"):
        isolated(pytester, f"--ts-isolate={isolate}", "--ts-seed=3", "--ts-budget=3600", "-W", "ignore")
        found.append(json.loads(Path(pytester.path, "verdicts.json").read_text(encoding="utf-8")))
    here, there = found
    assert len(here) > 30
    assert len({verdict["outcome"] for verdict in here}) >= 3
    assert untimed(there) == untimed(here)


def untimed(verdicts: object) -> str:
    """Without what was measured by a clock."""
    return re.sub(r"[0-9.]+ x the time", "", json.dumps(verdicts, indent=1))


def test_ctrl_c_ends_the_process_too(project: Project, pytester: pytest.Pytester) -> None:
    pid = pytester.path / "pid"
    project(
        hostile({"waits": "os.system('sleep 600')"}).replace(
            "print(", f"open({str(pid)!r}, 'w').write(str(os.getpid())); print("
        )
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "--ts-isolate"]
    run = subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "KeyboardInterrupt" in out
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_nothing_is_left_in_the_folder_for_temporary_files(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    project(hostile(SEGFAULT, IN_SHAPES))
    isolated(pytester).assert_outcomes(passed=3, failed=1)
    assert not list(tmp_path.glob("tsexport-*"))
