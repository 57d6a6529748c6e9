"""exception, model -> where an export failed: the innermost line outside torch, and whose code it is."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import CodeType, TracebackType
from typing import Literal

from torch import nn

from pytest_tsexport.config.shown import cut_at_end
from pytest_tsexport.subjects import whose_code

Owner = Literal["model", "exporter", "backend"]

LONGEST = 70
"""Characters of a source line that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAt:
    """`place` is `file.py:12`, `function` the method that the line is in, `source` the line itself.

    `owner` is whose line it is: the model, the user's exporter, or the backend. `called_at` is the line of the exporter
    from which the model was called, if it was. `in_torch`: torch raised the exception, and not that line.
    """

    place: str
    function: str
    source: str
    owner: Owner
    called_at: str = ""
    in_torch: bool = False

    def __str__(self) -> str:
        called = f", called from {self.called_at}" if self.called_at else ""
        source = f": {self.source}" if self.source else ""
        return f"{self.place}, in {self.function} (the {self.owner}'s code{called}){source}"


@dataclass(frozen=True, slots=True)
class _Frame:
    """One line of a traceback that is neither torch's nor Python's nor ours."""

    code: CodeType
    line: int
    module: nn.Module | None
    """The module whose method it is in."""

    @property
    def place(self) -> str:
        return f"{Path(self.code.co_filename).name}:{self.line}"


def raised_at(error: BaseException, model: nn.Module, *, by_exporter: bool) -> RaisedAt | None:
    """Where `error` was raised; None if all of it is torch's own code, or if the traceback is lost.

    With `by_exporter` the user's exporter was running: what it calls besides the model is its code too.
    """
    frames, in_torch = _frames(error.__traceback__)
    if not frames:
        return None
    classes = {type(module) for module in model.modules()}
    inside = [place for place, one in enumerate(frames) if one.module is not None and type(one.module) in classes]
    last = frames[-1]
    owner: Owner = "model" if inside else "exporter" if by_exporter else "backend"
    outside = frames[: inside[0]] if inside and by_exporter else []
    return RaisedAt(
        place=last.place,
        function=_function(last),
        source=_source(last),
        owner=owner,
        called_at=outside[-1].place if outside else "",
        in_torch=in_torch,
    )


def _frames(traceback: TracebackType | None) -> tuple[list[_Frame], bool]:
    """The frames of users' code, the outermost first, and whether something else is inside the innermost."""
    found: list[_Frame] = []
    is_last = False
    for one, line in walk_tb(traceback):
        is_last = whose_code.owner(one.f_code.co_filename) == "model"
        if is_last:
            own = one.f_locals.get("self")
            found.append(_Frame(one.f_code, line, own if isinstance(own, nn.Module) else None))
    return found, not is_last


def _function(frame: _Frame) -> str:
    name = frame.code.co_name
    return name if frame.module is None else f"{type(frame.module).__name__}.{name}"


def _source(frame: _Frame) -> str:
    text = linecache.getline(frame.code.co_filename, frame.line).strip()
    return cut_at_end(text, LONGEST)
