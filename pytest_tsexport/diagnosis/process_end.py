"""The end of a subject's process -> crash: what ended it, what it was doing, at which line, and what to do."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

from pytest_tsexport.config.isolation import in_words
from pytest_tsexport.diagnosis.crash import Frame, rows_of
from pytest_tsexport.errors import CrashError
from pytest_tsexport.exporting.forked_process import Died, Limits, ProcessEnded, Silent, TookMemory
from pytest_tsexport.verdict import Outcome

STEP = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)
"""A line that Python's `faulthandler` writes."""

FIXES = {
    "signal": "look at that line: native code that it calls crashed, which Python cannot catch",
    "killed": "if the machine had no memory left, use fewer workers, or a limit as in --ts-isolate=4GiB",
    "exit": "what ends a program is no answer: take it out of the model, or out of the library that it calls",
    "memory": "give more with --ts-isolate, or export with a smaller model or smaller inputs=",
    "silent": "see what that line waits for, or raise --ts-timeout",
}
"""What to do, by how the process ended."""


def explained(ended: ProcessEnded, doing: str, stack: str, limits: Limits) -> tuple[CrashError, Outcome]:
    """The crash, and the outcome of the check; `doing` ends "while it ...", `stack` is what `faulthandler` wrote."""
    kind, what = _what(ended, doing, limits)
    rows = rows_of("was at", list(_frames(stack)))
    return CrashError(what, (*rows, ("fix", FIXES[kind]))), Outcome.TOO_SLOW if kind == "silent" else Outcome.CRASHED


def _what(ended: ProcessEnded, doing: str, limits: Limits) -> tuple[str, str]:
    if isinstance(ended, Silent):
        return "silent", f"the process gave no sign of life for {limits.silence:g} s while it {doing}, and was killed"
    if isinstance(ended, TookMemory):
        assert limits.memory is not None
        return "memory", f"the process used more than {in_words(limits.memory)} while it {doing}, and was killed"
    assert isinstance(ended, Died)
    if ended.signal is None:
        return "exit", f"the process ended with exit status {ended.status} while it {doing}"
    kind = "killed" if ended.signal == signal.SIGKILL else "signal"
    return kind, f"the process was killed by {ended.signal_name} while it {doing}"


def _frames(stack: str) -> Iterator[Frame]:
    """Innermost first, as `faulthandler` writes them."""
    for step in STEP.finditer(stack):
        yield step["file"], int(step["line"]), step["function"]
