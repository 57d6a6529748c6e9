"""model -> answers: runs eager, on one copy of the model for each case.

A new copy for each *call* would hide state in Python (a counter in `forward`). No copy at all would accuse models that
keep state on purpose (BigBird, dynamic rotary embeddings). A copy that a case did not change serves the next case too.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from pytest_tsexport.config.shown import message_of, on_one_line
from pytest_tsexport.errors import ends_the_run
from pytest_tsexport.subjects.arguments import keywords
from pytest_tsexport.subjects.process_state import Change, answers_put_back
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.tensors.copies import evaluation_copy, parameter_sharing_copy
from pytest_tsexport.tensors.memory import digest, stored_tensors
from pytest_tsexport.tensors.tree import Leaves, detached, flatten, on_cpu

Inputs = Mapping[str, torch.Tensor]

Context = Callable[[], AbstractContextManager[object]]
"""Makes what is active during one call."""

INTERPRETER = "TorchScript interpreter"
"""The words before the tracebacks in TorchScript's message, if an operation of a scripted or loaded module fails."""

RAISED = re.compile(r"[\w.]+(Error|Exception): ")
"""The start of the message after those tracebacks. The message may have several lines."""

MKLDNN = torch._mkldnn  # type: ignore[attr-defined]
"""The layout of oneDNN, whose memory torch does not show."""

LONGEST = 300
"""Characters of what a model raises that are shown."""

DUPLICATED_PREFIX = re.compile(r"^(\w+: )\1")
"""TorchScript puts its exception class before the message of a Python operator, which may start with the same class."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The result of one call: named leaves, or `error` and the same as one line, `raised`.

    `leaves` are copies on the CPU. `returned` are the tensors that the call returned, as a caller keeps them: a later
    call may overwrite them. `overwritten` are the inputs that the call changed. Answers are compared by identity.
    """

    leaves: Leaves | None = None
    returned: Leaves | None = None
    error: Exception | None = None
    raised: str | None = None
    overwritten: tuple[str, ...] = ()
    settings: tuple[Change, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        """The outputs that a later call has overwritten."""
        if self.leaves is None or self.returned is None:
            return ()
        return tuple(name for name, leaf in self.leaves.items() if not same_bits(leaf, self.returned[name].cpu()))


def one_line(error: BaseException) -> str:
    """An exception as one line: its first line, or the line after the two tracebacks that TorchScript puts first.

    A model may hold scripted parts, so eager raises such exceptions too.
    """
    text = message_of(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return f"{type(error).__name__}, without a message"
    sentences = [line for line in lines if RAISED.match(line)]
    line = (sentences or lines)[-1] if INTERPRETER in text else lines[0]
    line = DUPLICATED_PREFIX.sub(r"\1", line)
    name = type(error).__name__
    return on_one_line(line if line.startswith(name) else f"{name}: {line}", LONGEST)


class Reference:
    """Eager, in evaluation mode and without gradients. No state goes from one case to the next."""

    def __init__(self, model: nn.Module, constants: Mapping[str, Any]) -> None:
        self._source = model
        self._constants = dict(constants)
        self._copy: nn.Module | None = None
        self._snapshot: Snapshot | None = None

    def parameter_sharing_copy(self) -> nn.Module:
        """A copy in evaluation mode that shares every parameter with the source, and has its own buffers and state."""
        copied = parameter_sharing_copy(self._source)
        copied.eval()  # which may return nothing
        return copied

    def case(self, inputs: Inputs, calls: int = 1) -> list[Answer]:
        """The answers to one case: `calls` calls of the same copy with the same inputs."""
        return self.sequence([inputs] * calls)

    def sequence(self, given: Sequence[Inputs]) -> list[Answer]:
        """The answers to one case: one call of the same copy for each of `given`."""
        return self.within(nullcontext, given)

    def within(self, context: Context, given: Sequence[Inputs]) -> list[Answer]:
        """The same, each call within a context.

        As long as no call has changed any state, a call with inputs that were given before would repeat its answer, so
        it is not made.
        """
        if self._copy is None or self._snapshot is None:
            self._copy = self.parameter_sharing_copy()
            self._snapshot = Snapshot.of(self._copy)
        model, answers, changed = self._copy, dict[int, Answer](), False
        found = []
        for inputs in given:
            if changed or id(inputs) not in answers:
                answers[id(inputs)] = self.call(model, inputs, context)
                changed = changed or self._snapshot.differs(model)
            found.append(answers[id(inputs)])
        if changed:
            self._copy = None
        return found

    def call(self, model: nn.Module, inputs: Inputs, context: Context = nullcontext) -> Answer:
        """One call of a copy of the model; the model alone runs within the context, and not what reads its answer."""
        return answer(partial(self._output, model, context), inputs)

    def _output(self, model: nn.Module, context: Context, inputs: Inputs) -> object:
        with context():
            return model(**keywords(inputs, self._constants))

    def deep_copy(self) -> nn.Module:
        """A copy in evaluation mode that shares nothing with the source; its tied weights are still tied."""
        return evaluation_copy(self._source)


def answer(
    call: Callable[[dict[str, torch.Tensor]], object],
    inputs: Inputs,
    read: Callable[[object], Leaves] | None = None,
    describe: Callable[[BaseException], str] = one_line,
) -> Answer:
    """The answer of `call` to copies of `inputs`, without gradients.

    `read` flattens the output. `describe` turns an exception into one line. A warning is never an answer. Settings of
    the process that the call changes are put back after it.
    """
    given = detached(inputs)
    with answers_put_back() as settings:
        found = _answer(call, given, read or flatten, describe)
    if found.leaves is None:
        return replace(found, settings=tuple(settings))
    changed = tuple(name for name in inputs if not same_bits(inputs[name], given[name]))
    return replace(found, overwritten=changed, settings=tuple(settings))


def _answer(
    call: Callable[[dict[str, torch.Tensor]], object],
    given: dict[str, torch.Tensor],
    read: Callable[[object], Leaves],
    describe: Callable[[BaseException], str],
) -> Answer:
    try:
        with torch.no_grad(), no_warning_raised():
            returned = read(call(given))
            leaves = on_cpu(detached(returned))
    except Exception as error:  # a model may raise anything at all; what it raises is its answer
        if ends_the_run(error):
            raise
        return Answer(error=error, raised=describe(error))
    return Answer(leaves=leaves, returned=returned)


@contextmanager
def no_warning_raised() -> Iterator[None]:
    """Warnings are shown and not raised, though users run with `-W error`.

    Many warnings are given once in a process, so a model that raised them would answer the same call in two ways.
    """
    if not any(action == "error" for action, *_ in warnings.filters):
        yield
        return
    with warnings.catch_warnings():  # it puts the filters back
        shown = [("default", *rest) if action == "error" else (action, *rest) for action, *rest in warnings.filters]
        warnings.filters[:] = shown  # type: ignore[index]
        yield


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether dtype, layout, shape and values are equal; NaN equals NaN, and -0 equals 0.

    Where torch has no operators for a dtype (uint4, bits8, quantised ones), the elements are compared in memory.
    """
    if _form(one) != _form(other):
        return False
    if one.layout == MKLDNN:
        return same_bits(one.to_dense(), other.to_dense())
    ours, theirs = list(stored_tensors(one)), list(stored_tensors(other))
    return len(ours) == len(theirs) and all(map(_same_values, ours, theirs))


def are_same_bits(leaves: Leaves, other: Leaves) -> bool:
    """Whether two answers have the same leaves, in the same order, with the same bits."""
    return list(leaves) == list(other) and all(same_bits(leaf, other[name]) for name, leaf in leaves.items())


def _form(tensor: torch.Tensor) -> tuple[object, ...]:
    shape = () if tensor.is_nested else tuple(tensor.shape)
    return tensor.dtype, tensor.layout, tensor.is_nested, shape


def _same_values(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.is_quantized or one.is_meta:
        return digest(one) == digest(other)
    try:
        return bool(((one == other) | (one.isnan() & other.isnan())).all())
    except RuntimeError:  # torch has no operator for this dtype
        return digest(one) == digest(other)
