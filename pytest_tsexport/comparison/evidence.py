"""export, policy -> evidence: all that one run of one check may ask about one artifact.

Every run gets new evidence: a fresh reference, a freshly loaded file, separate time. What a run leaves in them is
dropped with them, so no verdict depends on which checks ran before. Only what does not depend on who asks first is
shared: `Measurements`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from pytest_tsexport.backends.base import Device
from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.search import Clock
from pytest_tsexport.comparison.seeding import seeded
from pytest_tsexport.comparison.spread import Spread, measure
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.config.budget import search_seconds, tie_break_seconds
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.exporting.artifact import Artifact, Runner
from pytest_tsexport.exporting.export_model import Process
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject


@dataclass(slots=True)
class TieBreakTime:
    """How long one run of a check may look for tie-breaks, and how long it has: `seconds` of `limit`.

    `refuted` tells that a difference was met which no tie-break explains: the verdict will not change any more.
    Mutable: each run has its own.
    """

    limit: float
    seconds: float = 0.0
    refuted: bool = False

    @property
    def spent(self) -> bool:
        """Whether no time is left."""
        return self.seconds > self.limit


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured once an export, from a reference and a file that no check has touched.

    `device` is what the artifact runs on if that is not torch.
    """

    subject: Subject
    artifact: Artifact
    policy: Policy
    device: Device | None = None

    @cached_property
    def spread(self) -> Spread:
        """How much each output moves."""
        with seeded(_seed(self.policy, self.subject.name, "spread")):
            reference = Reference(self.subject.reference, self.subject.constants)
            return measure(self.subject, reference, self.policy.meaning.metric)

    @cached_property
    def operators(self) -> frozenset[str]:
        """The names of torch's operators that the artifact is made of, or was before a compiler took them."""
        with seeded(_seed(self.policy, self.subject.name, "operators")):
            inspector = self.artifact.format.inspector
            if self.device is not None:
                return inspector.model_operators(self.subject)
            return inspector.operators(self.artifact.load())


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the run of one `check` may ask; `device` is what the artifact runs on if that is not torch.

    `runs` tells whether the artifact runs on this machine, `cases` how many each search may judge.
    """

    check: str
    measured: Measurements
    backend: str
    contract: str
    process: Process
    runs: bool = True
    cases: int = 100
    tell: Callable[[str], None] = lambda _line: None
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
        """What all that is drawn follows from."""
        return self.policy.options.seed or 0

    @property
    def operators(self) -> frozenset[str]:
        """The names of torch's operators that the artifact is made of."""
        return self.measured.operators

    @property
    def spread(self) -> Spread:
        """How much each output moves."""
        return self.measured.spread

    @cached_property
    def reference(self) -> Reference:
        """Eager."""
        return Reference(self.subject.reference, self.subject.constants)

    @cached_property
    def runner(self) -> Runner:
        """The loaded artifact."""
        return Runner(self.artifact, self.subject)

    @cached_property
    def tolerance(self) -> Tolerance:
        """How far each output may be off."""
        meaning = self.policy.meaning
        return Tolerance(
            spread=self.spread.by_leaf,
            rtol=meaning.rtol,
            atol=meaning.atol,
            metric=meaning.metric,
            cast=meaning.reference is not None,
            share=0.0 if self.device is None else self.device.casting.share,
        )

    @cached_property
    def tie_break_time(self) -> TieBreakTime:
        """What this run may spend on tie-breaks."""
        return TieBreakTime(tie_break_seconds(self.check, self.policy.budget))

    @property
    def randomness(self) -> int:
        """The seed of what this check draws: the same for the same seed and subject, another for each check."""
        return _seed(self.policy, self.subject.name, self.check)

    def random(self) -> Random:
        """A generator of this check's own."""
        return Random(self.randomness)

    def kept(self) -> list[Case]:
        """The counterexamples that earlier runs of this check met: the first cases of a replay."""
        cases = [Case.from_dict(kept, self.subject) for kept in self.known()]
        return [case for case in cases if case is not None]

    def clock(self) -> Clock:
        """The part of the budget that this check may spend on its search, from now on."""
        return Clock(seconds=search_seconds(self.check, self.policy.budget))


def _seed(policy: Policy, subject: str, drawing: str) -> int:
    return zlib.crc32(f"{policy.options.seed or 0}:{subject}:{drawing}".encode())
