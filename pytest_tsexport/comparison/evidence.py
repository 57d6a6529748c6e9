"""export, policy -> evidence: all that a check may ask about one artifact."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from pytest_tsexport.backends.base import Device
from pytest_tsexport.backends.jit import quietly_traced
from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.search import Clock
from pytest_tsexport.comparison.spread import Spread, measure
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.exporting.artifact import Artifact, Runner
from pytest_tsexport.exporting.export_model import Process
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject

OPERATOR = re.compile(r"aten::(\w+)\(")
"""An operator in the text of a graph."""


@dataclass(slots=True)
class Patience:
    """How long excuses were looked for, in seconds, and whether a difference was met that has none."""

    spent: float = 0.0
    lost: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that a check may ask; `device` is what the artifact runs on where that is not torch, if it `runs` here."""

    subject: Subject
    artifact: Artifact
    policy: Policy
    backend: str
    contract: str
    seed: int
    process: Process
    device: Device | None = None
    runs: bool = True
    cases: int = 100
    tell: Callable[[str], None] = lambda _line: None
    known: Callable[[str], Sequence[Mapping[str, Any]]] = lambda _check: ()
    patience: Patience = field(default_factory=Patience)

    @cached_property
    def operators(self) -> frozenset[str]:
        """The names of torch's operators that the artifact is made of, or was before a compiler took them."""
        try:
            module = self.runner.module if self.device is None else quietly_traced(self.subject)
        except Exception:  # a compiler may take what torch cannot trace; then nothing is known of its operators
            return frozenset()
        return frozenset(OPERATOR.findall(str(module.inlined_graph)))

    @cached_property
    def reference(self) -> Reference:
        """Eager."""
        return Reference(self.subject.reference, self.subject.constants)

    @cached_property
    def runner(self) -> Runner:
        """The loaded artifact."""
        return Runner(self.artifact, self.subject)

    @cached_property
    def spread(self) -> Spread:
        """How much each output moves."""
        return measure(self.subject, self.reference, self.policy.meaning.metric)

    @cached_property
    def tolerance(self) -> Tolerance:
        """What difference is allowed."""
        meaning = self.policy.meaning
        return Tolerance(
            spread=self.spread.by_leaf,
            rtol=meaning.rtol,
            atol=meaning.atol,
            metric=meaning.metric,
            cast=meaning.reference is not None,
            share=0.0 if self.device is None else self.device.casting.share,
        )

    def random(self, check: str) -> Random:
        """The randomness of one check of this subject: the same for the same seed."""
        return Random(zlib.crc32(f"{self.seed}:{self.subject.name}:{check}".encode()))

    def kept(self, check: str) -> list[Case]:
        """The counterexamples that earlier runs of this check met: the first cases of a replay."""
        cases = [Case.from_dict(kept, self.subject) for kept in self.known(check)]
        return [case for case in cases if case is not None]

    def clock(self, share: float) -> Clock:
        """The part of the subject's budget that a check may spend."""
        return Clock(seconds=self.policy.budget * share)
