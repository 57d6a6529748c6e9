"""artifact -> verdicts: one exported model, and the questions that can be asked of it."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

from pytest_tsexport.cases.hypothesis_adapter import default_examples
from pytest_tsexport.checks import REGISTERED
from pytest_tsexport.checks.trace import explained
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.policy import CHECKS, Policy, selected
from pytest_tsexport.config.validators import valid_checks, valid_names
from pytest_tsexport.diagnosis.compiled import is_compiled
from pytest_tsexport.errors import ExportError, TsExportError, ValidationFailed
from pytest_tsexport.exporting.artifact import signature
from pytest_tsexport.exporting.compile_request import runs_on
from pytest_tsexport.exporting.context import ExportContext
from pytest_tsexport.exporting.export_model import Made
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.subjects.reference import Reference, one_line
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Verdict


class Export:
    """A model that was exported on one backend.

    `module` is the artifact loaded back from `path`. One that the jit backend made takes tensors by name or in order,
    and answers a tuple of tensors; what a file of your own takes and answers is its own affair. `validate()` judges it.
    """

    def __init__(self, made: Made, policy: Policy, context: ExportContext) -> None:
        self._made = made
        self._policy = policy
        self._context = context
        self._verdicts: dict[str, Verdict] = {}

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
        """Where the file is. Raises `ExportError` where there is none."""
        return self._evidence.artifact.path

    @cached_property
    def module(self) -> torch.jit.ScriptModule:
        """The artifact, loaded back from its file. Raises `ExportError` where there is none."""
        return self._evidence.artifact.load()

    def check(self, name: str) -> Verdict:
        """The answer of one check; asked once, remembered after. Never raises for a fault of the export.

        Raises `PolicyError` for a name that is no check.
        """
        __tracebackhide__ = True
        valid_names("check", name, tuple(CHECKS))
        if name not in self._verdicts:
            started = time.monotonic()
            with torch.random.fork_rng(devices=[]), _threads(self._context.callbacks.processes):
                found = self._answer(name)
                self._verdicts[name] = self._identified(replace(found, seconds=time.monotonic() - started))
        self._context.callbacks.judged(self._verdicts[name])
        return self._verdicts[name]

    def validate(self, checks: Sequence[str] | None = None) -> tuple[Verdict, ...]:
        """Every verdict, in the order of the checks.

        Raises `ValidationFailed` with the text of each failure where one is not right, or was not looked at.
        """
        __tracebackhide__ = True
        offered = self._policy.offered
        names = self._policy.checks if checks is None else selected(valid_checks("checks", checks), offered)
        verdicts = tuple(self.check(name) for name in names)
        bad = [v for v in verdicts if v.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)]
        if bad:
            raise ValidationFailed("\n\n".join(failure_text(verdict) for verdict in bad), verdicts)
        return verdicts

    def reference_answer(self) -> str:
        """A digest of what eager answers to the example inputs now; empty where it answers none, or each time another.

        It is taken from the live model, so that a model changed since it was returned shows.
        """
        reference = Reference(self._context.live, self.subject.constants)
        with torch.random.fork_rng(devices=[]):
            answers = [reference.call(reference.sharing_copy(), self.subject.inputs) for _ in range(2)]
        digests = {_digest(answer.leaves) for answer in answers if answer.leaves is not None}
        return digests.pop() if len(digests) == 1 else ""

    def close(self) -> None:
        """Let the model, the artifact and its temporary file go."""
        for cached in ("module", "_evidence"):
            self.__dict__.pop(cached, None)
        shutil.rmtree(self._context.folder, ignore_errors=True)

    @cached_property
    def _evidence(self) -> Evidence:
        made, effort = self._made, self._policy.effort
        if made.artifact is None:
            why = self._context.unavailable or (one_line(made.error) if made.error is not None else "it was not made")
            raise ExportError(f"{self.subject.name} has no artifact on {self.backend}: {why}")
        return Evidence(
            subject=made.subject,
            artifact=made.artifact,
            policy=self._policy,
            backend=self.backend,
            contract=self._made.backend.contract,
            device=runs_on(made, made.artifact),
            runs=made.unrunnable is None,
            seed=effort.seed or 0,
            process=made.process,
            cases=effort.max_examples or default_examples(),
            tell=self._context.callbacks.progress,
            known=lambda check: self._context.callbacks.known(made.subject.name, f"{self.backend}-{check}"),
        )

    def _answer(self, name: str) -> Verdict:
        if self._made.artifact is None:
            return self._unmade(name)
        if self._made.unrunnable is not None and name != "trace":
            return self._blank(name, Outcome.UNAVAILABLE, self._made.unrunnable)
        try:
            evidence, check = self._evidence, REGISTERED[name]
            if name != "trace" and not is_compiled(evidence):
                return self._blank(name, Outcome.NOT_RUN, "the file holds no operator of its device")
            why = check.why_not_applicable(evidence)
            if why is not None:
                return self._blank(name, Outcome.NOT_APPLICABLE, why)
            return check.run(evidence)
        except TsExportError as error:
            return self._blank(name, Outcome.FAILED, str(error))

    def _unmade(self, name: str) -> Verdict:
        if self._context.unavailable is not None:
            return self._blank(name, Outcome.UNAVAILABLE, self._context.unavailable)
        if name != "trace":
            return self._blank(name, Outcome.NOT_RUN, "the model does not export")
        error = self._made.error
        assert error is not None
        cause = error.__cause__ if isinstance(error, ExportError) and error.__cause__ is not None else error
        headline = str(error) if isinstance(error, TsExportError) else "the model cannot be exported"
        blank = self._blank(name, Outcome.FAILED, headline)
        return blank if isinstance(cause, TsExportError) else replace(blank, rows=explained(cause))

    def _blank(self, name: str, outcome: Outcome, headline: str) -> Verdict:
        seed = self._policy.effort.seed
        subject = self.subject.name
        return Verdict(subject=subject, backend=self.backend, check=name, outcome=outcome, headline=headline, seed=seed)

    def _identified(self, found: Verdict) -> Verdict:
        """The verdict with which file was judged, and what it takes and gives."""
        made = self._made.artifact
        return found if made is None else replace(found, sha256=made.sha256, signature=self._signature)

    @cached_property
    def _signature(self) -> str | None:
        if self._made.unrunnable is not None:
            return None
        try:
            answer = self._evidence.runner.case(self.subject.inputs, 1)[0]
        except TsExportError:
            return None
        return None if answer.leaves is None else signature(self.subject.inputs, answer.leaves)


@contextmanager
def _threads(processes: int) -> Iterator[None]:
    """This process's part of torch's threads, and all of them again afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads // processes, 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _digest(leaves: Leaves) -> str:
    digest = hashlib.sha256()
    for name, leaf in leaves.items():
        digest.update(f"{name} {leaf.dtype} {tuple(leaf.shape)}".encode())
        digest.update(bytes(leaf.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes()))
    return digest.hexdigest()
