"""Proves that an isolated process returns its result or how it died, and leaves no process and no change behind."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pytest_tsexport.errors import ExportError
from pytest_tsexport.exporting.export_model import portable_error
from pytest_tsexport.exporting.isolation import run_isolated
from tests.exporting.processes import ends

SECONDS = 60.0


def killed(number: int) -> Callable[[], None]:
    def run() -> None:
        faulthandler.disable()  # else pytest's handler prints a traceback of the child
        os.kill(os.getpid(), number)

    return run


def hangs() -> None:
    time.sleep(600)


def test_the_result_comes_from_another_process() -> None:
    pid, result = run_isolated(lambda: (os.getpid(), {"changed": ("a", "b"), "size": 3}), SECONDS)
    assert pid != os.getpid()
    assert result == {"changed": ("a", "b"), "size": 3}


def test_a_large_result_comes_back() -> None:
    assert len(run_isolated(lambda: b"x" * 5_000_000, SECONDS)) == 5_000_000


def test_none_is_a_result_too() -> None:
    assert run_isolated(lambda: None, SECONDS) is None


def test_a_class_that_cannot_be_imported_runs_there() -> None:
    class Local:
        def run(self) -> int:
            return 7

    assert run_isolated(Local().run, SECONDS) == 7


@pytest.mark.parametrize("kind", ["OutOfMemory", "SubprocessError", "RuntimeError"])
def test_an_exception_keeps_its_name_and_its_text(kind: str) -> None:
    error = run_isolated(lambda: portable_error(kind, "neuronx-cc failed with 70\nsee the log"), SECONDS)
    assert (type(error).__name__, str(error)) == (kind, "neuronx-cc failed with 70\nsee the log")
    twice = run_isolated(lambda: error, SECONDS)
    assert (type(twice).__name__, str(twice)) == (kind, str(error))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGSEGV, "signal 11 (SIGSEGV)"),
        (signal.SIGKILL, "signal 9 (SIGKILL)"),
        (signal.SIGABRT, "signal 6 (SIG"),
    ],
)
def test_a_signal_is_reported(number: int, expected: str) -> None:
    with pytest.raises(ExportError) as raised:
        run_isolated(killed(number), SECONDS)
    assert str(raised.value).startswith(f"the compiler died of {expected}")
    assert str(raised.value).endswith("), and its process with it")


def test_a_signal_without_a_name_is_reported_by_its_number() -> None:
    with pytest.raises(ExportError, match=r"^the compiler died of signal 40, and its process with it$"):
        run_isolated(killed(40), SECONDS)


@pytest.mark.parametrize("status", [0, 3, 70])
def test_an_exit_status_is_reported(status: int) -> None:
    with pytest.raises(ExportError, match=f"^the compiler died with exit status {status}, and its process with it$"):
        run_isolated(lambda: os._exit(status), SECONDS)


@pytest.mark.parametrize("raised", [SystemExit(4), KeyboardInterrupt()])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_that_ends_a_program_ends_only_the_isolated_one(raised: BaseException) -> None:
    def run() -> None:
        raise raised

    with pytest.raises(ExportError, match=r"^the compiler died with exit status [14], and its process with it$"):
        run_isolated(run, SECONDS)


@pytest.mark.slow
def test_a_hang_is_stopped_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(ExportError) as raised:
        run_isolated(hangs, 0.5)
    assert str(raised.value) == "the compiler did not end within 0.5 s (--ts-timeout), and was stopped"
    assert 0.5 <= time.monotonic() - began < 6


def starts_another(path: Path, then: Callable[[], None]) -> Callable[[], None]:
    """As a compiler's front end does: the work is in another process."""

    def run() -> None:
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        path.write_text(str(child.pid), encoding="ascii")
        then()

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "then", [hangs, killed(signal.SIGSEGV), lambda: os._exit(3)], ids=["hangs", "crashes", "exits"]
)
def test_processes_that_a_compiler_started_end_with_it(then: Callable[[], None], tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with pytest.raises(ExportError):
        run_isolated(starts_another(path, then), 2.0)
    assert ends(int(path.read_text(encoding="ascii")), seconds=5)


def test_processes_that_a_compiler_left_running_end_after_its_result(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    run_isolated(starts_another(path, lambda: None), SECONDS)
    assert ends(int(path.read_text(encoding="ascii")), seconds=5)


def test_a_process_that_does_not_end_after_its_result_is_stopped() -> None:
    def run() -> int:
        threading.Thread(target=hangs, daemon=False).start()
        return 7

    began = time.monotonic()
    assert run_isolated(run, SECONDS) == 7
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("dies", [False, True])
def test_printed_text_is_not_lost(dies: bool, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    def run() -> None:
        print("compiling", flush=True)  # noqa: T201  # what a compiler does
        os.write(2, b"and complaining\n")
        if dies:
            killed(signal.SIGABRT)()

    try:
        run_isolated(run, SECONDS)
    except ExportError:
        assert dies
    out, err = capfd.readouterr()
    assert "compiling\n" in out
    assert "and complaining\n" in err


@pytest.mark.slow
def test_buffered_text_is_printed_once(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        code = (
            "from pytest_tsexport.exporting.isolation import run_isolated\n"
            "print('before', end=' ')\n"
            "run_isolated(lambda: print('within', end=' '), 60)\n"
            "print('after')\n"
        )
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=True
        )
    assert sorted(run.stdout.split()) == ["after", "before", "within"]


def test_the_parent_process_does_not_change() -> None:
    values, weight, threads = {"key": 1}, torch.ones(2), torch.get_num_threads()
    directory, filters = Path.cwd(), list(warnings.filters)
    group, seed = os.getpgrp(), torch.random.get_rng_state()

    def run() -> None:
        values.clear()
        weight.zero_()
        os.environ["TSEXPORT_ISOLATED"] = "1"
        os.chdir("/")
        torch.rand(3)
        warnings.simplefilter("ignore")

    run_isolated(run, SECONDS)
    assert values == {"key": 1}
    assert torch.equal(weight, torch.ones(2))
    assert "TSEXPORT_ISOLATED" not in os.environ
    assert (Path.cwd(), list(warnings.filters), os.getpgrp()) == (directory, filters, group)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), seed)


def test_no_process_and_no_open_file_is_left() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    run_isolated(os.getpid, SECONDS)
    with pytest.raises(ExportError):
        run_isolated(killed(signal.SIGKILL), SECONDS)
    assert set(Path("/proc/self/fd").iterdir()) <= before  # what other tests left open may be closed meanwhile
    assert multiprocessing.active_children() == []


def test_a_compiler_may_close_its_output() -> None:
    def closes() -> str:
        sys.stdout.close()
        sys.stderr = None
        return "made"

    assert run_isolated(closes, SECONDS) == "made"


def test_a_crash_is_noticed_while_a_child_of_the_compiler_runs() -> None:
    def leaves_one_behind() -> None:
        if os.fork() == 0:
            time.sleep(600)
        killed(signal.SIGSEGV)()

    started = time.monotonic()
    with pytest.raises(ExportError, match="died of signal 11"):
        run_isolated(leaves_one_behind, SECONDS)
    assert time.monotonic() - started < SECONDS / 2


def test_the_isolated_process_keeps_one_thread() -> None:
    def asks_for_more() -> int:
        torch.set_num_threads(2)
        return torch.get_num_threads()

    assert run_isolated(asks_for_more, SECONDS) == 1
