"""evidence -> verdict: what a check is, what it is given, and how a search becomes its verdict."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Protocol

from pytest_tsexport.artifact import Artifact, Runner
from pytest_tsexport.backends.base import Device
from pytest_tsexport.backends.jit import quietly_traced
from pytest_tsexport.generation.cases import Case, again
from pytest_tsexport.generation.findings import Findings, Judged
from pytest_tsexport.generation.search import Clock
from pytest_tsexport.generation.spread import Spread, measure
from pytest_tsexport.making.make import Process
from pytest_tsexport.policy import Policy
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tolerance import Tolerance
from pytest_tsexport.verdict import Outcome, Row, Verdict, Worst

OPERATOR = re.compile(r"aten::(\w+)\(")
"""An operator in the text of a graph."""

FLOOR = 10
"""Fewer judged cases than this (or than half of the planned ones, if that is less) answer nothing."""


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
        cases = [again(self.subject, kept) for kept in self.known(check)]
        return [case for case in cases if case is not None]

    def clock(self, share: float) -> Clock:
        """The part of the subject's budget that a check may spend."""
        return Clock(seconds=self.policy.budget * share)


class Check(Protocol):
    """One question about one artifact."""

    @property
    def name(self) -> str:
        """The word in the id of the test item."""

    @property
    def question(self) -> str:
        """The question, as in the docs."""

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Why the question does not arise for this subject, naming no subject; None where it does."""

    def run(self, evidence: Evidence) -> Verdict:
        """The answer."""


def verdict(evidence: Evidence, check: str, outcome: Outcome, headline: str, rows: tuple[Row, ...] = ()) -> Verdict:
    """A verdict about this subject with nothing counted yet."""
    return Verdict(
        subject=evidence.subject.name,
        backend=evidence.backend,
        check=check,
        outcome=outcome,
        headline=headline,
        rows=rows,
        seed=evidence.seed,
    )


def traced_at(evidence: Evidence) -> Row:
    """`traced at        input_ids, attention_mask (batch=2, sequence=7)`."""
    sizes = ", ".join(f"{name}={size}" for name, size in evidence.subject.sizes.items())
    return "traced at", f"{', '.join(evidence.subject.inputs)} ({sizes})"


def vacuous(evidence: Evidence, check: str) -> Verdict | None:
    """The verdict of a check that compares, where no comparison would mean anything."""
    if evidence.spread.vacuous is None:
        return None
    mend = ("mend", "return a model with real weights, or random ones of an ordinary scale")
    if evidence.policy.meaning.metric is not None:
        mend = ("mend", "give examples= whose answers differ, or compare by metric='close'")
    headline = f"nothing to compare: {evidence.spread.vacuous}"
    return verdict(evidence, check, Outcome.FAILED, headline, (traced_at(evidence), mend))


def wrong_already(evidence: Evidence, check: str, found: Judged) -> Verdict:
    """The verdict of a check about other sizes where the traced one is wrong."""
    rows = (traced_at(evidence), ("differs", found.text), ("mend", "mend what parity tells first"))
    return verdict(evidence, check, Outcome.FAILED, "wrong at the traced size already, so no other was looked at", rows)


def too_few(findings: Findings) -> str | None:
    """Why what was judged answers nothing, or None."""
    counted = len(findings.counted)
    floor = min(FLOOR, (findings.planned + 1) // 2)
    if counted >= floor:
        return None
    return f"only {counted} of {findings.planned} cases could be judged, fewer than {floor}"


def kept_as(findings: Findings) -> dict[str, Any] | None:
    """The smallest breach as plain data; None where there is none, and where it is an example of the user's own."""
    found = findings.smallest
    return None if found is None or found.case.example is not None else found.case.to_dict()


def worst_of(findings: Findings) -> Worst | None:
    """The largest difference met, in a breach if there was one."""
    if findings.worst is not None and findings.worst.difference is not None:
        return _worst(findings.worst, *_parts(findings.worst))
    nearest = [one for one in findings.judged if one.nearest[2]]
    if not nearest:
        return None
    one = max(nearest, key=lambda judged: judged.nearest[0] / max(judged.nearest[1], 1e-300))
    return _worst(one, *one.nearest)


def _parts(one: Judged) -> tuple[float, float, str]:
    assert one.difference is not None
    return one.difference.value, one.difference.allowed, one.difference.leaf


def _worst(one: Judged, value: float, allowed: float, leaf: str) -> Worst:
    at = one.difference.at if one.difference is not None else ""
    return Worst(leaf=leaf, difference=value, allowed=allowed, at=at, case=str(one.case))
