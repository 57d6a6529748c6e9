"""evidence -> verdict: at the traced size, does the saved and loaded artifact answer as eager does?"""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.cases.case import Case, off_size
from pytest_tsexport.cases.coverage import unswept, unvaried
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.listed import example_cases, odd_cases, traced_cases
from pytest_tsexport.cases.search import Plan, search
from pytest_tsexport.checks.base import kept_as, too_few, traced_at, vacuous, verdict, worst_of
from pytest_tsexport.comparison.compare_case import fault_of_example, judged
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.policy import CHECKS
from pytest_tsexport.diagnosis.compiled import wide
from pytest_tsexport.diagnosis.divergence import cause
from pytest_tsexport.diagnosis.hypotheses import suspect
from pytest_tsexport.verdict import Outcome, Row, Verdict

FIXES = {
    "wrong": "look for Python in forward that the trace froze: an if on values, .item(), a number made of a tensor",
    "raises": "look for a shape or an index in forward that follows from values, as those of a mask do",
    "export": "see what the exporter does with the model: .eval(), the dtype, the number and the order of outputs",
    "device": "see what the device does otherwise: --auto-cast, whole numbers of 32 bits, frozen branches",
    "call": "forward keeps state on the module, which the trace froze: pass it in and out instead",
}

BLIND = 0.02
"""Part of a leaf's spread from which on a tolerance is worth telling."""

HEADLINES = {
    "structure": "answers with other outputs than eager",
    "overwrite": "overwrites its inputs",
}


class Parity:
    """Values, masks and ids drawn at the traced size; each case called three times."""

    name = "parity"
    question = CHECKS["parity"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Every artifact answers something."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on the first difference or raise, and where nothing could be compared."""
        refused = vacuous(evidence, self.name)
        if refused is not None:
            return refused
        real = [case for case in example_cases(evidence.subject) if not off_size(case, evidence.subject)]
        kept = [case for case in evidence.kept(self.name) if not off_size(case, evidence.subject)]
        first = [*kept, *real]
        plan = Plan(
            subject=evidence.subject,
            listed=[*first, *traced_cases(evidence.subject)][: max(evidence.cases, len(first))],
            total=evidence.cases,
            off_size=False,
            random=evidence.random(self.name),
            clock=evidence.clock(0.35),
            tell=lambda line: evidence.tell(f"{self.name} {line}"),
        )
        findings = search(plan, lambda case: _judge(evidence, case))
        return _counted(_verdict(evidence, self.name, findings), evidence, findings)


def _judge(evidence: Evidence, case: Case) -> CaseResult:
    """At the traced size every contract means equal."""
    one = judged(evidence, case)
    return replace(one, breach=one.status in ("wrong", "raises"))


def _verdict(evidence: Evidence, check: str, findings: Findings) -> Verdict:
    found = findings.smallest
    if found is not None:
        return verdict(evidence, check, Outcome.FAILED, _headline(found), _rows(evidence, findings, found))
    why = too_few(findings)
    if why is None and not any(one.status == "equal" for one in findings.judged):
        why = "eager raises on every case at the traced size, so nothing was compared"
    if why is not None:
        fix = ("fix", "raise --ts-budget or --ts-max-examples, or give inputs= that eager accepts")
        return verdict(evidence, check, Outcome.FAILED, why, (traced_at(evidence), fix))
    found_right = verdict(evidence, check, Outcome.PASSED, "answers as eager does at the traced size")
    return replace(found_right, notes=(*findings.tie_breaks, *_odd_masks(evidence), *wide(evidence)))


def _counted(found: Verdict, evidence: Evidence, findings: Findings) -> Verdict:
    not_covered = (
        *(f"{name}: it never moved, so its values say nothing" for name in evidence.spread.flat),
        *_blind_below(evidence),
        *unvaried(evidence.subject),
        *unswept(evidence.subject, [one.case for one in findings.judged]),
    )
    return replace(
        found,
        judged=len(findings.counted),
        planned=findings.planned,
        worst=worst_of(findings),
        first_breach=findings.first_breach,
        not_covered=not_covered,
        counterexample=kept_as(findings),
    )


def _blind_below(evidence: Evidence) -> tuple[str, ...]:
    """What half precision hides: a tolerance that is a large part of what the leaf moves by."""
    answer = evidence.reference.case(evidence.subject.inputs)[0]
    told = []
    for name, leaf in (answer.leaves or {}).items():
        spread = evidence.spread.by_leaf.get(name, 0.0)
        allowed = float(evidence.tolerance.allowed(name, leaf).max()) if leaf.numel() and spread else 0.0
        if spread and allowed > BLIND * spread:
            told.append(f"{name}: differences below {allowed / spread:.0%} of its spread")
    return tuple(told)


def _odd_masks(evidence: Evidence) -> tuple[str, ...]:
    """What comes of masks that production never sends; told of an export that is right for all others."""
    odd = [case for case in odd_cases(evidence.subject) if judged(evidence, case).status in ("wrong", "raises")]
    words = {"holes": "with zeros between ones", "empty": "with a row of zeros"}
    return tuple(f"answers otherwise than eager to a mask {words[mask]}" for mask in dict.fromkeys(c.mask for c in odd))


def _headline(found: CaseResult) -> str:
    if found.status == "raises":
        return "raises at the traced size"
    fault = fault_of_example(found)
    if fault is not None:
        return fault[0]
    assert found.difference is not None
    return HEADLINES.get(found.difference.kind, "answers otherwise than eager at the traced size")


def _rows(evidence: Evidence, findings: Findings, found: CaseResult) -> tuple[Row, ...]:
    what = "example" if found.case.example is not None else "values"
    masked = any(field.domain.marks_padding for field in evidence.subject.fields)
    case = f"{found.case.values}, mask {found.case.mask}" if masked else found.case.values
    if found.case.example is not None:
        case = str(found.case.example)
    among = f"{len(findings.breaches)} of {len(findings.judged)} cases, seed {evidence.seed}"
    rows: list[Row] = [
        traced_at(evidence),
        ("counterexample", f"{what} {case}        in {among}"),
        ("differs", found.text),
    ]
    if fault_of_example(found) is None:
        rows += suspect(evidence, found.case) or cause(evidence, found.case)
    return tuple(rows if dict(rows).get("fix") else [*rows, ("fix", _fix(evidence, found))])


def _fix(evidence: Evidence, found: CaseResult) -> str:
    fault = fault_of_example(found)
    if fault is not None:
        return fault[1]
    if evidence.process.given or evidence.policy.meaning.export is not None:
        return FIXES["export"]
    if evidence.device is not None and found.status == "wrong":
        return FIXES["device"]
    return FIXES["call" if found.text.startswith("on call") else found.status]
