"""evidence -> verdict: at the traced size, does the saved and loaded artifact equal eager?"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from pytest_tsexport.cases.case import Case, off_size
from pytest_tsexport.cases.coverage import unswept, unvaried
from pytest_tsexport.cases.essential import essential_at_traced_size
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.listed import example_cases, odd_cases, traced_cases
from pytest_tsexport.cases.one_way import one_way
from pytest_tsexport.cases.search import Plan, search
from pytest_tsexport.checks.base import (
    counterexample_of,
    judging,
    too_few,
    too_slow,
    traced_at,
    unsettled,
    vacuous,
    verdict,
    worst_of,
)
from pytest_tsexport.comparison.compare_case import bad_example, compare_case
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.unanswered import right_for_own_values, unanswered
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.diagnosis.compiled import differs_beyond_32_bits
from pytest_tsexport.diagnosis.divergence import cause
from pytest_tsexport.diagnosis.explanation import explain
from pytest_tsexport.diagnosis.hypotheses import suspect
from pytest_tsexport.verdict import Outcome, Row, Verdict

FIXES = {
    "wrong": "look for Python in forward that the trace froze: an if on values, .item(), a number made of a tensor",
    "raises": "look for a shape or an index in forward that follows from values: a mask, the experts that are hit",
    "export": "see what the exporter does with the model: .eval(), the dtype, the number and the order of outputs",
    "device": "see what the device does differently: --auto-cast, 32-bit integers, frozen branches",
    "reused": "clone the output before it is returned, where forward or the exporter writes it into a buffer",
    "call": "forward keeps state on the module, which the trace froze: pass it in and out instead",
}

HIDDEN_SHARE = 0.02
"""A tolerance that hides more than this part of what some place usually moves by is reported."""

HEADLINES = {
    "structure": "has other outputs than eager",
    "overwrite": "overwrites its inputs",
    "reused": "overwrites the answer of an earlier call",
}
"""What happened, by the kind of the difference."""


class Parity:
    """Values, masks and ids drawn at the traced size; each case called three times, some with others in between."""

    name = "parity"
    question = CHECKS["parity"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Every artifact answers something."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on a difference or a raise, and if nothing could be compared."""
        nothing_to_compare = vacuous(evidence)
        if nothing_to_compare is not None:
            return nothing_to_compare
        real = [case for case in example_cases(evidence.subject) if not off_size(case, evidence.subject)]
        kept = [case for case in evidence.kept() if not off_size(case, evidence.subject)]
        essential = [*kept, *real, *essential_at_traced_size(evidence.subject)]
        plan = Plan(
            subject=evidence.subject,
            essential=essential,
            listed=list(islice(traced_cases(evidence.subject), max(evidence.cases - len(kept) - len(real), 0))),
            total=evidence.cases,
            off_size=False,
            random=evidence.random(),
            clock=evidence.clock(),
            progress=lambda line: evidence.progress(f"{self.name} {line}"),
        )
        findings = search(plan, judging(evidence, essential, _judge))
        return _counted(_verdict(evidence, findings), evidence, findings)


def _judge(evidence: Evidence, case: Case) -> CaseResult:
    """At the traced size every contract means equal."""
    one = compare_case(evidence, case)
    return replace(one, breach=one.status in ("wrong", "raises"))


def _verdict(evidence: Evidence, findings: Findings) -> Verdict:
    found = findings.smallest
    if found is not None:
        return verdict(evidence, Outcome.FAILED, _headline(found), _rows(evidence, findings, found))
    if findings.late:
        return too_slow(evidence, len(findings.late), findings.essential)
    why = too_few(findings)
    if findings.both_raise and not findings.counted:
        why = "eager raises on every case at the traced size, so nothing was compared"
    if why is not None:
        fix = ("fix", "give inputs= that eager accepts, or strategies= that draw such values")
        return verdict(evidence, Outcome.FAILED, why, (traced_at(evidence), fix))
    found_right = verdict(evidence, Outcome.PASSED, "equals eager at the traced size")
    notes = (*findings.tie_break_notes, *_odd_masks(evidence), *differs_beyond_32_bits(evidence))
    return replace(found_right, notes=notes)


def _counted(found: Verdict, evidence: Evidence, findings: Findings) -> Verdict:
    not_covered = (
        *(f"{name}: it never moved, so its values say nothing" for name in evidence.spread.flat),
        *_hidden(findings),
        *_without_wider(evidence),
        *unanswered(evidence, findings),
        *unvaried(evidence.subject),
        *unswept(evidence.subject, [one.case for one in findings.judged]),
        *_out_of_time(findings),
        *unsettled(findings),
        *one_way(evidence.subject, [one.case for one in findings.counted]),
    )
    return replace(
        found,
        judged=len(findings.counted),
        planned=findings.planned,
        worst=worst_of(findings),
        first_breach=findings.first_breach,
        not_covered=not_covered,
        counterexample=counterexample_of(findings),
    )


def _out_of_time(findings: Findings) -> tuple[str, ...]:
    """How many of the planned cases there was no time for."""
    left = findings.planned - len(findings.judged)
    return (f"{left} of {findings.planned} cases: no time left in the budget",) if findings.out_of_time and left else ()


def _hidden(findings: Findings) -> tuple[str, ...]:
    """What the tolerance hid in the cases that were not bit-equal, where it hid most."""
    shares: dict[str, float] = {}
    for name, share in (pair for one in findings.judged for pair in one.hidden.items()):
        shares[name] = max(share, shares.get(name, 0.0))
    return tuple(
        f"{name}: differences below {share:.0%} of the spread at their place"
        for name, share in shares.items()
        if share > HIDDEN_SHARE
    )


def _without_wider(evidence: Evidence) -> tuple[str, ...]:
    """Why the noise was measured without a wider type."""
    why = evidence.variants.why_not_wider
    return () if why is None else (f"noise was measured without a wider type: {why}",)


def _odd_masks(evidence: Evidence) -> tuple[str, ...]:
    """Notes on masks that production never sends, for an export that is right with all others."""
    odd = [case for case in odd_cases(evidence.subject) if compare_case(evidence, case).status in ("wrong", "raises")]
    words = {"holes": "with zeros between ones", "empty": "with a row of zeros"}
    return tuple(f"differs from eager for a mask {words[mask]}" for mask in dict.fromkeys(case.mask for case in odd))


def _headline(found: CaseResult) -> str:
    if found.status == "raises":
        return "raises at the traced size"
    fault = bad_example(found)
    if fault is not None:
        return fault[0]
    assert found.difference is not None
    return HEADLINES.get(found.difference.kind, "differs from eager at the traced size")


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
    own = right_for_own_values(evidence.subject, findings)
    if own is not None:
        rows.append(("right for", own))
    if bad_example(found) is None:
        rows += explain(evidence, found.case, suspect, cause)
    return tuple(rows if dict(rows).get("fix") else [*rows, ("fix", _fix(evidence, found))])


def _fix(evidence: Evidence, found: CaseResult) -> str:
    fault = bad_example(found)
    if fault is not None:
        return fault[1]
    if found.difference is not None and found.difference.kind == "reused":
        return FIXES["reused"]
    if found.text.startswith("on call"):
        return FIXES["call"]
    if evidence.process.given or evidence.policy.meaning.export is not None:
        return FIXES["export"]
    if evidence.device is not None and found.status == "wrong":
        return FIXES["device"]
    return FIXES[found.status]
