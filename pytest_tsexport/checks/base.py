"""evidence -> verdict: what a check is, and how the findings of a search become a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.verdict import Outcome, Row, Verdict, Worst

FLOOR = 10
"""A check fails if it judged fewer cases than this, or fewer than half of those that it tried if that is less."""


class Check(Protocol):
    """One question about one artifact."""

    @property
    def name(self) -> str:
        """The name in the id of the test item."""

    @property
    def question(self) -> str:
        """The question, as in the docs."""

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Why the question does not apply to this subject, without naming the subject; None if it applies."""

    def run(self, evidence: Evidence) -> Verdict:
        """The answer. It may use only this evidence, and must not change anything that another check uses."""


def verdict(evidence: Evidence, outcome: Outcome, headline: str, rows: tuple[Row, ...] = ()) -> Verdict:
    """A verdict about this subject, without counts."""
    return Verdict(
        subject=evidence.subject.name,
        backend=evidence.backend,
        check=evidence.check,
        outcome=outcome,
        headline=headline,
        rows=rows,
        seed=evidence.seed,
    )


def traced_at(evidence: Evidence) -> Row:
    """`traced at        input_ids, attention_mask (batch=2, sequence=7)`."""
    sizes = ", ".join(f"{name}={size}" for name, size in evidence.subject.sizes.items())
    inputs = ", ".join(evidence.subject.inputs)
    return "traced at", (f"{inputs} ({sizes})" if sizes else inputs) + _of_its_own(evidence)


def _of_its_own(evidence: Evidence) -> str:
    """The sizes that the file was traced at, where they are others: an exporter may pad to a size of its own."""
    ours = {name: tuple(tensor.shape) for name, tensor in evidence.subject.inputs.items()}
    others = [
        f"{one.name} {one.shape}"
        for one in evidence.artifact.takes
        if one.shape is not None and one.name in ours and one.shape != ours[one.name]
    ]
    return f"; the exporter traced {', '.join(others)}" if others else ""


def vacuous(evidence: Evidence) -> Verdict | None:
    """The failure of a check that compares, if comparing would prove nothing; None if it would."""
    if evidence.spread.vacuous is None:
        return None
    fix = ("fix", "return a model with real weights, or random ones of an ordinary scale")
    if evidence.policy.meaning.metric is not None:
        fix = ("fix", "give examples= whose answers differ, or compare by metric='close'")
    headline = f"nothing to compare: {evidence.spread.vacuous}"
    return verdict(evidence, Outcome.FAILED, headline, (traced_at(evidence), fix))


def already_wrong(evidence: Evidence, found: CaseResult) -> Verdict:
    """The verdict of a check about other sizes if the artifact is wrong at the traced size."""
    rows = (traced_at(evidence), ("differs", found.text), ("fix", "fix what parity reports first"))
    headline = "already wrong at the traced size, so no other size was checked"
    return verdict(evidence, Outcome.FAILED, headline, rows)


def judging(
    evidence: Evidence, essential: Sequence[Case], judge: Callable[[Evidence, Case], CaseResult | None]
) -> Callable[[Case], CaseResult | None]:
    """`judge`, which may take as long as it needs to settle the tie-breaks of an essential case."""
    always = frozenset(essential)

    def judged(case: Case) -> CaseResult | None:
        evidence.tie_break_time.unlimited = case in always
        return judge(evidence, case)

    return judged


def too_slow(evidence: Evidence, late: int, essential: int) -> Verdict:
    """The verdict if the time limit ended before the `essential` cases did; `late` of them were not judged."""
    limit = f"{evidence.policy.timeout:g} s (--ts-timeout)"
    headline = f"too slow: {essential - late} of {essential} essential cases in {limit}; not judged"
    fix = "raise --ts-timeout, trace with smaller inputs=, or see what else keeps this machine busy"
    return verdict(evidence, Outcome.TOO_SLOW, headline, (traced_at(evidence), ("fix", fix)))


def too_few(findings: Findings) -> str | None:
    """Why too few cases were judged, in a sentence; None if they are enough.

    What there was no time for does not count: the essential cases are always tried, on a slow machine too.
    """
    tried = [one for one in findings.judged if one.status != "unsettled"]
    counted = len(findings.counted)
    floor = max(min(FLOOR, (len(tried) + 1) // 2), 1)
    if counted >= floor:
        return None
    refused = [one.text for one in findings.judged if one.status in ("both raise", "eager raises")]
    why = f"; eager raises in {len(refused)}{f': {refused[0]}' if refused[0] else ''}" if refused else ""
    return f"only {counted} of {len(tried)} cases could be judged, fewer than {floor}{why}"


def unsettled(findings: Findings) -> tuple[str, ...]:
    """How many cases there was no time to settle."""
    count = sum(one.status == "unsettled" for one in findings.judged)
    what = f"{count} of {len(findings.judged)} cases may differ by a tie-break alone"
    return (f"{what}, and the time to find out was spent",) if count else ()


def counterexample_of(findings: Findings) -> dict[str, Any] | None:
    """The smallest breach as builtin types; None without a breach, or if it is one of the user's examples."""
    found = findings.smallest
    return None if found is None or found.case.example is not None else found.case.to_dict()


def worst_of(findings: Findings) -> Worst | None:
    """The largest difference of a breach; without a breach, the difference that came nearest to its tolerance."""
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
