"""exception -> crash: what ended a check, or an export, that gave no verdict; and at which line.

A traceback would be longer than the report that it stands in, so the lines that matter are named: the innermost one
outside torch, and those that called it.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_tsexport.errors import INTERRUPTS, CrashError, TsExportError
from pytest_tsexport.exporting.context import Callbacks
from pytest_tsexport.exporting.exits import exits_raised
from pytest_tsexport.subjects.reference import one_line
from pytest_tsexport.subjects.whose_code import owner
from pytest_tsexport.verdict import Row

Frame = tuple[str, int, str]
"""File, line and function of one step of a call stack."""

CALLERS = 3
"""Lines that are named besides the innermost one."""

FIXES = {
    "ours": "this is a fault of the plugin: report it, with these lines and the model",
    "ends": "what ends a program or a test (sys.exit, a skip, a time limit) is no answer: take it out of the model",
    "raises": "look at that line: it was called while the export was judged, outside forward",
}
"""What to do, by whose line it is and by what it raised."""


@contextmanager
def crashes_told(callbacks: Callbacks) -> Iterator[None]:
    """Turns whatever ends this block into a `CrashError`, except for interrupts and this package's own errors."""
    try:
        with exits_raised():
            yield
    except INTERRUPTS:
        raise
    except callbacks.interrupts:
        raise
    except TsExportError:
        raise
    except BaseException as raised:  # a model may end in anything, and where there is no verdict nothing is green
        raise crash(raised) from raised


def crash(raised: BaseException) -> CrashError:
    """What ended in `raised`, as an error that says in rows where that was and what to do."""
    frames = _that_matter(_frames(raised))
    rows = (*rows_of("raised at", frames), ("fix", _fix(raised, frames)))
    return CrashError(one_line(raised).rstrip(": ."), rows)


def rows_of(name: str, frames: Sequence[Frame]) -> tuple[Row, ...]:
    """A row of this name with the innermost place that matters, and one with the places that called it."""
    places = [f"{Path(file).name}:{line}, in {function}" for file, line, function in _that_matter(frames)]
    innermost: tuple[Row, ...] = ((name, places[0]),) if places else ()
    return (*innermost, ("called from", "; ".join(places[1 : 1 + CALLERS]))) if places[1:] else innermost


def _that_matter(frames: Sequence[Frame]) -> list[Frame]:
    """The frames outside libraries; how this package called a model says nothing about the model."""
    outside = [frame for frame in frames if owner(frame[0]) != "library"]
    if outside and owner(outside[0][0]) == "ours":
        return outside
    return [frame for frame in outside if owner(frame[0]) == "model"]


def _fix(raised: BaseException, frames: Sequence[Frame]) -> str:
    if not isinstance(raised, Exception):
        return FIXES["ends"]
    return FIXES["ours" if not frames or owner(frames[0][0]) == "ours" else "raises"]


def _frames(raised: BaseException) -> list[Frame]:
    """The steps of a traceback, innermost first; without hidden ones."""
    steps = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(raised.__traceback__)
        if not frame.f_locals.get("__tracebackhide__")
    ]
    return steps[::-1]
