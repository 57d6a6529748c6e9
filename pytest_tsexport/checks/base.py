"""evidence -> verdict: what a check is, and how a search becomes its verdict."""

from __future__ import annotations

from typing import Any, Protocol

from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.verdict import Outcome, Row, Verdict, Worst

FLOOR = 10
"""Fewer judged cases than this (or than half of the planned ones, if that is less) answer nothing."""


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
    fix = ("fix", "return a model with real weights, or random ones of an ordinary scale")
    if evidence.policy.meaning.metric is not None:
        fix = ("fix", "give examples= whose answers differ, or compare by metric='close'")
    headline = f"nothing to compare: {evidence.spread.vacuous}"
    return verdict(evidence, check, Outcome.FAILED, headline, (traced_at(evidence), fix))


def wrong_already(evidence: Evidence, check: str, found: CaseResult) -> Verdict:
    """The verdict of a check about other sizes where the traced one is wrong."""
    rows = (traced_at(evidence), ("differs", found.text), ("fix", "fix what parity tells first"))
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


def _parts(one: CaseResult) -> tuple[float, float, str]:
    assert one.difference is not None
    return one.difference.value, one.difference.allowed, one.difference.leaf


def _worst(one: CaseResult, value: float, allowed: float, leaf: str) -> Worst:
    at = one.difference.at if one.difference is not None else ""
    return Worst(leaf=leaf, difference=value, allowed=allowed, at=at, case=str(one.case))
