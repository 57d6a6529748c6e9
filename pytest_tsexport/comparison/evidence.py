"""export, policy -> evidence: everything that one run of one check may use to judge one artifact.

Every run gets new evidence: a fresh reference, a freshly loaded file, and separate time for tie-breaks. It is dropped
after the run, so no verdict depends on which checks ran before. Only `Measurements` are shared, because they do not
depend on which check needs them first.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

from torch import nn

from pytest_tsexport.backends.base import Device
from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.clock import Clock, Now
from pytest_tsexport.comparison.alignment import aligned
from pytest_tsexport.comparison.exact_ties import ExactTies
from pytest_tsexport.comparison.seeding import seeded
from pytest_tsexport.comparison.spread import Spread, measure
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.comparison.variants import Variants
from pytest_tsexport.config.budget import search_seconds, tie_break_seconds
from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.exporting.artifact import Artifact, Runner
from pytest_tsexport.exporting.export_model import Process
from pytest_tsexport.subjects.reference import Reference, are_same_bits
from pytest_tsexport.subjects.subject import Subject


@dataclass(slots=True)
class TieBreakTime:
    """The time that one run of a check may spend on tie-breaks: `seconds` of `limit` are spent.

    `refuted`: some difference is not explained by a tie-break, so the verdict will not change any more. `unlimited`:
    the case that is judged is an essential one. Mutable: each run has a separate object.
    """

    limit: float
    seconds: float = 0.0
    refuted: bool = False
    unlimited: bool = False

    @property
    def spent(self) -> bool:
        """Whether no time is left."""
        return self.seconds > self.limit and not self.unlimited


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured once for each export, from a reference and a file that no check has used.

    `device` is None if the artifact runs on torch itself.
    """

    subject: Subject
    artifact: Artifact
    policy: Policy
    device: Device | None = None

    @cached_property
    def spread(self) -> Spread:
        """How much each output varies with the inputs."""
        with seeded(_seed(self.policy, self.subject.name, "spread")):
            reference = Reference(self.subject.reference, self.subject.constants)
            return measure(self.subject, reference, self.policy.meaning.metric)

    @cached_property
    def operators(self) -> frozenset[str]:
        """The names of torch's operators in the artifact, or in the model that a compiler compiled."""
        with seeded(_seed(self.policy, self.subject.name, "operators")):
            inspector = self.artifact.format.inspector
            if self.device is not None:
                return inspector.model_operators(self.subject)
            return inspector.operators(self.artifact.load())

    @cached_property
    def named_sizes(self) -> frozenset[int]:
        """The whole numbers that sizes are compared with, divided by or ranged over while the model is traced."""
        with seeded(_seed(self.policy, self.subject.name, "sizes")):
            return self.artifact.format.inspector.named_sizes(self.subject)

    @cached_property
    def file_numbers(self) -> frozenset[int]:
        """The whole numbers by which the file cuts, or with which it compares; none if it is compiled for a device."""
        if self.device is not None:
            return frozenset()
        with seeded(_seed(self.policy, self.subject.name, "numbers")):
            return self.artifact.format.inspector.numbers(self.artifact.load())


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that one run of `check` may use.

    `contract` is the backend's default. `runs` says whether the artifact runs on this machine. `cases` is how many
    cases a search may judge. `progress` gets one line of text at a time. `known` returns stored counterexamples.
    """

    check: str
    measured: Measurements
    backend: str
    contract: str
    process: Process
    runs: bool = True
    cases: int = 100
    progress: Callable[[str], None] = lambda _line: None
    known: Callable[[], Sequence[Mapping[str, Any]]] = lambda: ()

    @property
    def subject(self) -> Subject:
        """The model with its inputs."""
        return self.measured.subject

    @property
    def artifact(self) -> Artifact:
        """The file."""
        return self.measured.artifact

    @property
    def policy(self) -> Policy:
        """What the test means, and how hard to look."""
        return self.measured.policy

    @property
    def device(self) -> Device | None:
        """What the artifact runs on; None for torch itself."""
        return self.measured.device

    @property
    def seed(self) -> int:
        """The seed of the run, from which every other seed is derived."""
        return self.policy.options.seed or 0

    @property
    def operators(self) -> frozenset[str]:
        """As in `Measurements`."""
        return self.measured.operators

    @property
    def named_sizes(self) -> frozenset[int]:
        """As in `Measurements`."""
        return self.measured.named_sizes

    @property
    def file_numbers(self) -> frozenset[int]:
        """As in `Measurements`."""
        return self.measured.file_numbers

    @property
    def spread(self) -> Spread:
        """How much each output varies with the inputs."""
        return self.measured.spread

    @property
    def is_exact(self) -> bool:
        """Whether the artifact should compute what the reference does: no tolerance is given, and nothing is cast."""
        meaning = self.policy.meaning
        given = (meaning.rtol, meaning.atol, meaning.metric, meaning.reference, self.device)
        return all(one is None for one in given)

    @cached_property
    def is_same_kernel(self) -> bool:
        """Whether the artifact gives eager's very bits for the example inputs: then nothing is rounded otherwise."""
        eager, artifact = (one.case(self.subject.inputs, 1)[0].leaves for one in (self.reference, self.runner))
        return eager is None or artifact is None or are_same_bits(eager, artifact)

    @cached_property
    def reference(self) -> Reference:
        """Eager."""
        return Reference(self._aligned, self.subject.constants)

    @cached_property
    def _aligned(self) -> nn.Module:
        """The model whose answers are compared, made anew for each run: the caller may have changed its weights."""
        return aligned(self.subject.reference)

    @cached_property
    def runner(self) -> Runner:
        """The loaded artifact."""
        return Runner(self.artifact, self.subject)

    @cached_property
    def tolerance(self) -> Tolerance:
        """How far each output may be off."""
        meaning = self.policy.meaning
        return Tolerance(
            spread=self.spread.by_place,
            rtol=meaning.rtol,
            atol=meaning.atol,
            metric=meaning.metric,
            cast=meaning.reference is not None,
            share=0.0 if self.device is None else self.device.casting.share,
            shared=self.device is not None or meaning.reference is not None,
        )

    @cached_property
    def variants(self) -> Variants:
        """Copies of eager that show what rounding does to its answers."""
        subject = replace(self.subject, reference=self._aligned)
        return Variants(subject, None if self.device is None else self.device.casting.dtype)

    @cached_property
    def exact_ties(self) -> ExactTies:
        """How this run's file decides comparisons of equal values."""
        return ExactTies()

    @cached_property
    def tie_break_time(self) -> TieBreakTime:
        """The time that this run may spend on tie-breaks."""
        return TieBreakTime(tie_break_seconds(self.check, self.policy.budget))

    @property
    def check_seed(self) -> int:
        """The seed of this check, derived from the seed of the run and the subject. Each check has a different one."""
        return _seed(self.policy, self.subject.name, self.check)

    def random(self) -> Random:
        """A new random generator for this check."""
        return Random(self.check_seed)

    def kept(self) -> list[Case]:
        """The counterexamples that earlier runs of this check found. They are judged first."""
        cases = [Case.from_dict(kept, self.subject) for kept in self.known()]
        return [case for case in cases if case is not None]

    @cached_property
    def now(self) -> Now:
        """What the budget is counted by: CPU time of this thread; wall time where a device does the work."""
        compiled = self.device is not None and self.backend not in SIMULATIONS
        elsewhere = compiled or any(weight.device.type != "cpu" for weight in self.subject.reference.parameters())
        return time.monotonic if elsewhere else time.thread_time

    def clock(self) -> Clock:
        """Starts the clock of a search: this check's part of the budget, and its time limit, from now on."""
        budget, limit = search_seconds(self.check, self.policy.budget), self.policy.timeout
        return Clock.start(budget=budget, limit=limit, now=self.now, wall=time.monotonic)


def _seed(policy: Policy, subject: str, drawing: str) -> int:
    return zlib.crc32(f"{policy.options.seed or 0}:{subject}:{drawing}".encode())
