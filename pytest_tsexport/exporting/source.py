"""The source model before and after its export: what was left changed in it, in its answers and in the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.exporting.settings import Settings
from pytest_tsexport.subjects.process_state import THREADS
from pytest_tsexport.subjects.process_state import Change as ProcessChange
from pytest_tsexport.subjects.reference import Answer, Inputs, Reference, same_bits
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.changes import Change
from pytest_tsexport.tensors.changes_by_calls import lasting, unexplained
from pytest_tsexport.tensors.copies import evaluation_copy, parameter_sharing_copy
from pytest_tsexport.tensors.fingerprint import TIED, Fingerprint, described
from pytest_tsexport.tensors.tree import Leaves

CALLS = 3
"""Plain calls that show how the model changes itself: the second may differ from the first, and the third from both."""


@dataclass(frozen=True, slots=True)
class OtherAnswers:
    """Answers of the source model to the example inputs that are not the same bits.

    `before` are those of successive calls before the export, the first of a fresh copy; `after` is that of a fresh copy
    after it, or None if that call `raised`.
    """

    before: tuple[Leaves, ...]
    after: Leaves | None = None
    raised: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an export left changed: in the `source` model and in `settings` of the process, each in a few words.

    `settings` are those on which answers depend. `put_back` is what else it changed in the process, and what plain
    calls of the model change. `answers` are only there if nothing on which they depend has changed, and they did.
    """

    source: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    """Those of `source` that are about tied weights."""
    settings: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    answers: OtherAnswers | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """The live model as it was before its export; `kept` is a copy made before.

    `by_calls`: what plain calls of the model change in the process, by name. `in_isolation`: it is exported in an
    isolated process, where no optimizer holds its parameters, and a compiler may replace them by equal ones.
    """

    live: nn.Module
    kept: nn.Module
    inputs: Inputs
    fingerprint: Fingerprint
    answers: tuple[Answer, ...]
    settings: Settings
    by_calls: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    in_isolation: bool = False

    @classmethod
    def before(cls, subject: Subject, live: nn.Module, *, in_isolation: bool = False) -> Source:
        """The live model as it is now. The subject's model is a copy of it that an export leaves alone, or itself."""
        kept = parameter_sharing_copy(live) if subject.model is live else subject.model
        start = Settings.now()
        answers = tuple(Reference(kept, subject.constants).case(subject.inputs, CALLS))
        by_calls = (*start.changes(), *(change for answer in answers for change in answer.settings))
        return cls(
            live=live,
            kept=kept,
            inputs=subject.inputs,
            constants=subject.constants,
            in_isolation=in_isolation,
            answers=answers,
            by_calls={change.name: change.text for change in by_calls},
            fingerprint=Fingerprint.of(live),
            settings=Settings.now(),  # last: what a call of the model sets is not the exporter's doing
        )

    def after(self) -> Left:
        """What has changed since. The process is put back as it was.

        The number of threads and what fails on its own are put back before the model is asked again. The rest, as the
        environment and the working directory, only then: its answers tell whether they depend on it.
        """
        process = self.settings.changes()
        for change in process:
            if change.decides or change.name == THREADS:
                change.undo()
        try:
            return self._left(process)
        finally:
            self.settings.restore()

    def _left(self, process: tuple[ProcessChange, ...]) -> Left:
        settings = tuple(one.text for one in process if one.decides and one.name not in self.by_calls)
        others = (one.text for one in process if not one.decides)
        left = Left(settings=settings, put_back=(*self.by_calls.values(), *others))
        try:
            found = self._changes()
            if found or settings:
                ties = described([change for change in found if change.name == TIED])
                return replace(left, source=described(found), ties=ties)
            return replace(left, answers=self._other_answers())
        except InputsError as error:
            return replace(left, source=(str(error),))

    def _changes(self) -> tuple[Change, ...]:
        """What has changed in the live model and is not the doing of its calls."""
        now = Fingerprint.of(self.live)
        found = self.fingerprint.differences(now)
        parted = () if self.in_isolation else tuple(self.fingerprint.parted(now, found))
        if found or parted:
            by_calls = self._by_calls()
            found, parted = unexplained(found, by_calls), unexplained(parted, by_calls)
        return (*(self._lasting(found) if found else ()), *parted)

    def _by_calls(self) -> tuple[Change, ...]:
        """What plain calls change in a copy of the model that was made before."""
        model = evaluation_copy(self.kept)
        start = Fingerprint.of(model)
        states = [self._fingerprint_of_call(model) for _ in range(CALLS)]
        return tuple(change for state in states for change in (*start.differences(state), *start.parted(state)))

    def _lasting(self, found: tuple[Change, ...]) -> tuple[Change, ...]:
        """Those changes that one call of a copy does not undo."""
        before, after = (evaluation_copy(model) for model in (self.kept, self.live))
        copied = Fingerprint.of(before).differences(Fingerprint.of(after))
        called = self._fingerprint_of_call(before).differences(self._fingerprint_of_call(after))
        return lasting(found, copied, called)

    def _fingerprint_of_call(self, model: nn.Module) -> Fingerprint:
        Reference(model, self.constants).call(model, self.inputs)
        return Fingerprint.of(model)

    def _other_answers(self) -> OtherAnswers | None:
        """The answers if the model answers differently now; None also if it raised before."""
        before = tuple(answer.leaves for answer in self.answers if answer.leaves is not None)
        if len(before) < len(self.answers):
            return None
        now = Reference(self.live, self.constants).case(self.inputs)[0]
        if now.leaves is not None and any(_same_answers(leaves, now.leaves) for leaves in before):
            return None
        return OtherAnswers(before, now.leaves, now.raised)


def _same_answers(one: Leaves, other: Leaves) -> bool:
    return list(one) == list(other) and all(same_bits(leaf, other[name]) for name, leaf in one.items())
