"""`Export`: one exported model, and the checks that can be run on it."""

from __future__ import annotations

import hashlib
import shutil
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from pytest_tsexport.cases.hypothesis_adapter import default_examples
from pytest_tsexport.checks import REGISTERED
from pytest_tsexport.comparison.evidence import Evidence, Measurements
from pytest_tsexport.comparison.seeding import random_numbers_put_back, seeded
from pytest_tsexport.config.names import CHECKS, selected
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.config.validators import valid_checks, valid_names
from pytest_tsexport.diagnosis.compiled import is_compiled
from pytest_tsexport.diagnosis.crash import crashes_told
from pytest_tsexport.diagnosis.failed_export import in_a_few_words, why_not_exported
from pytest_tsexport.diagnosis.inputs_left_out import left_out
from pytest_tsexport.errors import CrashError, ExportError, TsExportError, ValidationFailed, raises_at_the_call
from pytest_tsexport.exporting.arrangement import ArgumentsError
from pytest_tsexport.exporting.artifact import signature
from pytest_tsexport.exporting.compile_request import runs_on
from pytest_tsexport.exporting.context import ExportContext
from pytest_tsexport.exporting.contract import contract_of
from pytest_tsexport.exporting.export_model import Made
from pytest_tsexport.exporting.settings import part_of_threads, put_back_note, settings_put_back
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.subjects.process_state import Change
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.raw_bytes import raw_bytes
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Verdict


class Export:
    """A model that was exported on one backend.

    `module` is the artifact loaded back from `path`. A file of the jit backend takes tensors by name or in order, and
    returns a tuple of tensors; a file of your own exporter takes and returns what it was written for. `validate()` runs
    the checks.
    """

    def __init__(self, made: Made, policy: Policy, context: ExportContext) -> None:
        self._made = made
        self._policy = policy
        self._context = context
        self._verdicts: dict[str, Verdict] = {}
        self._noted: set[str] = set()
        self._closed = False
        # An export that a test drops without closing it leaves no folder.
        self._folder = weakref.finalize(self, shutil.rmtree, context.folder, ignore_errors=True)

    @property
    def subject(self) -> Subject:
        """The model with its inputs, axes and ranges."""
        return self._made.subject

    @property
    def backend(self) -> str:
        """The name of the backend."""
        return self._made.backend.name

    @property
    def path(self) -> Path:
        """The path of the file. Raises `ExportError` if there is no file."""
        return self._measured.artifact.path

    @cached_property
    def module(self) -> nn.Module:
        """The artifact, loaded back from its file. Raises `ExportError` if there is no file."""
        return self._measured.artifact.load()

    @raises_at_the_call
    def check(self, name: str) -> Verdict:
        """The verdict of one check. It runs once, and its verdict is remembered. A fault of the export raises nothing.

        Nor does a check that ends in anything but a verdict (`sys.exit` in the model, a time limit of the test): its
        verdict is `Outcome.CRASHED`. An interrupt is raised. Raises `PolicyError` if no check has that name.
        """
        valid_names("check", name, tuple(CHECKS))
        if name not in self._verdicts:
            if self._closed:
                raise ExportError(f"the export of {self.subject.name} is closed; ask its checks before close()")
            started = time.monotonic()
            with settings_put_back() as changes, part_of_threads(self._context.callbacks.processes):
                found = self._judged(name)
            found = replace(found, notes=(*found.notes, *self._notes(changes)))
            self._verdicts[name] = replace(found, contract=self._contract, seconds=time.monotonic() - started)
        self._context.callbacks.on_verdict(self._verdicts[name])
        return self._verdicts[name]

    @raises_at_the_call
    def validate(self, checks: Sequence[str] | None = None) -> tuple[Verdict, ...]:
        """Every verdict, in the order of the checks.

        Raises `ValidationFailed` with the text of each failure if a check failed, or judged nothing.
        """
        opted_in = self._policy.opted_in
        names = self._policy.checks if checks is None else selected(valid_checks("checks", checks), opted_in)
        verdicts = tuple(self.check(name) for name in names)
        bad = [v for v in verdicts if v.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)]
        if bad:
            raise ValidationFailed("\n\n".join(failure_text(verdict) for verdict in bad), verdicts)
        return verdicts

    def reference_answer(self) -> str:
        """A digest of eager's current answer to the example inputs; empty if it raises, or if two calls differ.

        The live model is called, so a change of the digest shows that the model was changed after it was returned.
        Raises `CrashError` if the model ends in anything but an answer.
        """
        reference = Reference(self._context.live, self.subject.constants)
        with random_numbers_put_back(), settings_put_back(), crashes_told(self._context.callbacks):
            answers = [reference.call(reference.parameter_sharing_copy(), self.subject.inputs) for _ in range(2)]
        digests = {_digest(answer.leaves) for answer in answers if answer.leaves is not None}
        return digests.pop() if len(digests) == 1 else ""

    def close(self) -> None:
        """Release the model and the artifact, and delete its temporary file. No check can be asked then."""
        self._closed = True
        for cached in ("module", "_measured"):
            self.__dict__.pop(cached, None)
        self._folder()

    def _notes(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """What the export, or this check, changed in the process; each change is told once."""
        found = dict.fromkeys((*self._made.process.put_back, *(change.text for change in changes)))
        new = [text for text in found if text not in self._noted]
        self._noted.update(new)
        return (put_back_note(new),) if new else ()

    @cached_property
    def _measured(self) -> Measurements:
        """What all checks share. Raises `ExportError` if there is no file."""
        made = self._made
        if made.artifact is None:
            why = self._context.unavailable or in_a_few_words(made)
            raise ExportError(f"{self.subject.name} has no artifact on {self.backend}: {why}")
        return Measurements(made.subject, made.artifact, self._policy, runs_on(made, made.artifact, self._policy))

    @cached_property
    def _contract(self) -> Mapping[str, Any]:
        return contract_of(self.subject, self._policy.meaning, self._made.backend.contract)

    def _evidence(self, check: str) -> Evidence:
        """New evidence for one run of a check."""
        callbacks, subject = self._context.callbacks, self.subject.name
        return Evidence(
            check=check,
            measured=self._measured,
            backend=self.backend,
            contract=self._made.backend.contract,
            runs=self._made.unrunnable is None,
            process=self._made.process,
            cases=self._policy.options.max_examples or default_examples(),
            progress=callbacks.progress,
            known=lambda: callbacks.known(subject, f"{self.backend}-{check}"),
        )

    def _judged(self, name: str) -> Verdict:
        """The verdict of one run, with what identifies the file."""
        try:
            with crashes_told(self._context.callbacks):
                return self._identified(self._run(name))
        except CrashError as crashed:
            found = self._unjudged(name, Outcome.CRASHED, f"crashed: {crashed.what}; not judged")
            artifact = self._made.artifact
            return replace(found, rows=crashed.rows, sha256=None if artifact is None else artifact.sha256)

    def _run(self, name: str) -> Verdict:
        if self._made.artifact is None:
            return self._without_file(name)
        if not self._made.artifact.path.is_file():
            raise CrashError(f"its file {self._made.artifact.path} was removed after it was exported", ())
        if self._made.unrunnable is not None and name != "trace":
            return self._unjudged(name, Outcome.UNAVAILABLE, self._made.unrunnable)
        try:
            evidence = self._evidence(name)
            if name != "trace" and not is_compiled(evidence):
                return self._unjudged(name, Outcome.NOT_RUN, "the file holds no operator of its device")
            with seeded(evidence.check_seed):
                why = REGISTERED[name].why_not_applicable(evidence)
                return self._unjudged(name, Outcome.NOT_APPLICABLE, why) if why else REGISTERED[name].run(evidence)
        except ArgumentsError as error:
            return self._misfit(name, error)
        except TsExportError as error:
            return self._unjudged(name, Outcome.FAILED, str(error))

    def _misfit(self, name: str, error: ArgumentsError) -> Verdict:
        """The verdict on a file that takes other arguments than the model is given."""
        blank = self._unjudged(name, Outcome.FAILED, str(error))
        if not error.left_out:
            return blank
        evidence = self._evidence(name)
        with seeded(evidence.check_seed):
            headline, rows = left_out(evidence, error.left_out)
        return replace(blank, headline=headline, rows=rows)

    def _without_file(self, name: str) -> Verdict:
        if self._context.unavailable is not None:
            return self._unjudged(name, Outcome.UNAVAILABLE, self._context.unavailable)
        if name != "trace":
            return self._unjudged(name, Outcome.NOT_RUN, f"the model does not export ({in_a_few_words(self._made)})")
        error = self._made.error
        if error is not None and not isinstance(error, Exception):
            raise error  # it ended the export, as `sys.exit` does, so it is told as a crash of this check
        headline, rows = why_not_exported(self._made)
        return replace(self._unjudged(name, Outcome.FAILED, headline), rows=rows)

    def _unjudged(self, name: str, outcome: Outcome, headline: str) -> Verdict:
        seed = self._policy.options.seed
        subject = self.subject.name
        return Verdict(subject=subject, backend=self.backend, check=name, outcome=outcome, headline=headline, seed=seed)

    def _identified(self, found: Verdict) -> Verdict:
        """The verdict with the sha256 and the signature of the judged file."""
        artifact = self._made.artifact
        return found if artifact is None else replace(found, sha256=artifact.sha256, signature=self._signature)

    @cached_property
    def _signature(self) -> str | None:
        if self._made.unrunnable is not None:
            return None
        try:
            evidence = self._evidence("signature")
            with seeded(evidence.check_seed):
                answer = evidence.runner.case(self.subject.inputs, 1)[0]
        except TsExportError:
            return None
        return None if answer.leaves is None else signature(self.subject.inputs, answer.leaves)


def _digest(leaves: Leaves) -> str:
    digest = hashlib.sha256()
    for name, leaf in leaves.items():
        digest.update(f"{name} {leaf.dtype} {tuple(leaf.shape)}".encode())
        digest.update(raw_bytes(leaf))
    return digest.hexdigest()
