"""evidence -> verdict: at any other size, does it keep the contract?

dynamic: the artifact equals eager. safe: it equals eager or raises. fixed: it raises. Under any contract, both may
raise in the same case.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.cases.bisection import visits
from pytest_tsexport.cases.case import Case, off_size
from pytest_tsexport.cases.corners import exchanged_cases
from pytest_tsexport.cases.coverage import coupled, given_up, unvisited
from pytest_tsexport.cases.envelope import raising, right_for
from pytest_tsexport.cases.essential import essential_off_size
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.listed import edge_cases, example_cases, size_cases, unfitted_cases
from pytest_tsexport.cases.one_way import one_way
from pytest_tsexport.cases.search import Plan, search
from pytest_tsexport.checks.base import (
    already_wrong,
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
from pytest_tsexport.comparison.compare_case import (
    bad_example,
    compare_case,
    wrong_at_traced_size,
    wrong_for_other_values,
)
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.diagnosis.compiled import dropped
from pytest_tsexport.diagnosis.divergence import cause
from pytest_tsexport.diagnosis.explanation import explain
from pytest_tsexport.diagnosis.hypotheses import int8_rounding
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.verdict import Outcome, Row, Verdict

_FIX = {
    "wrong": "trace at the largest size and pad, or export with guard=True so that other sizes raise",
    "raises": "declare the axis shapes='safe' if callers can handle the error, or change what freezes the size",
    "computes": "export with guard=True so that another size raises, or declare the axis 'safe' or 'dynamic'",
}

FOR_SOME_VALUES = "wrong at the traced size too, for some values: see parity"

ROWS_MIXED = (
    "a device computes a batch in slices of the traced size, and forward mixes its rows: keep rows apart, "
    "or declare shapes={'batch': 'fixed'}"
)
"""What to do if dynamic batching gives other answers."""


class Shapes:
    """Tries each axis alone at its edges, then several axes together, then drawn sizes."""

    name = "shapes"
    question = CHECKS["shapes"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """It applies if some dimension varies."""
        return None if evidence.subject.axes else "no dimension of its inputs varies"

    def run(self, evidence: Evidence) -> Verdict:
        """Fails if a case breaks the contract of an axis that is not at its traced size."""
        nothing_to_compare = vacuous(evidence)
        if nothing_to_compare is not None:
            return nothing_to_compare
        at_traced_size = wrong_at_traced_size(evidence)
        if at_traced_size is not None:
            return already_wrong(evidence, at_traced_size)
        real = [case for case in example_cases(evidence.subject) if off_size(case, evidence.subject)]
        edges = list(edge_cases(evidence.subject, evidence.named_sizes, evidence.file_numbers))
        if _is_fixed(evidence):
            edges += [*exchanged_cases(evidence.subject), *unfitted_cases(evidence.subject)]
        edges = list(dict.fromkeys(edges))
        others = [case for case in size_cases(evidence.subject) if case not in edges]
        essential = [*evidence.kept(), *real, *essential_off_size(evidence.subject, edges, evidence.named_sizes)]
        plan = Plan(
            subject=evidence.subject,
            essential=essential,
            listed=[*edges, *others[: max(3 * evidence.cases // 5 - len(edges), 0)]],
            total=evidence.cases,
            off_size=True,
            random=evidence.random(),
            clock=evidence.clock(),
            progress=lambda line: evidence.progress(f"{self.name} {line}"),
        )
        findings = search(plan, judging(evidence, essential, _judge))
        found = findings.smallest
        at_traced_size = None if found is None else wrong_at_traced_size(evidence, found.case)
        if at_traced_size is not None:
            return already_wrong(evidence, at_traced_size)
        if found is not None and found.status == "wrong" and found.case.example is None:
            other = wrong_for_other_values(evidence)
            if other is not None:
                return replace(already_wrong(evidence, other), headline=FOR_SOME_VALUES)
        return _described(_verdict(evidence, findings), evidence, findings)


def contract_of(evidence: Evidence, axis: str) -> str:
    """The contract that the user gives for the axis, else the default of this backend.

    If only inputs that the compiler dropped have the axis, the default is `safe`: the answer does not depend on it.
    """
    inputs = {field.name for field in evidence.subject.fields if axis in field.dims}
    default = "safe" if inputs and inputs <= set(dropped(evidence)) else evidence.contract
    return evidence.policy.meaning.contract_of(axis, named=evidence.subject.axis(axis).named, default=default)


def _is_fixed(evidence: Evidence) -> bool:
    """Whether the contract of some axis is fixed: the file must raise there, whatever eager does."""
    return any(contract_of(evidence, axis.name) == "fixed" for axis in evidence.subject.axes)


def _judge(evidence: Evidence, case: Case) -> CaseResult | None:
    """The result with its breach; None at the traced size, which `parity` judges."""
    off = off_size(case, evidence.subject)
    if not off:
        return None
    contracts = {contract_of(evidence, axis) for axis in off}
    one = compare_case(evidence, case)
    if "fixed" in contracts:
        wanted = one.status == "both raise"
        return replace(one, breach=one.status not in ("raises", "both raise", "left out"), wanted_raise=wanted)
    # A plain `Dim` has the minimum 0 without anybody having asked for it, so a raise there is no breach.
    raises = one.status == "raises" and contracts == {"dynamic"} and all(size for _, size in case.sizes)
    return replace(one, breach=one.status == "wrong" or raises)


def _verdict(evidence: Evidence, findings: Findings) -> Verdict:
    found = findings.smallest
    if found is not None:
        fault = bad_example(found)
        headline, fix = fault or _headline(evidence, found)
        is_wrong = found.status == "wrong" and fault is None
        causes = explain(evidence, found.case, int8_rounding, cause) if is_wrong else ()
        rows = (*_rows(evidence, findings, found), *causes)
        rows = rows if dict(causes).get("fix") else (*rows, ("fix", fix))
        return verdict(evidence, Outcome.FAILED, headline, rows)
    if findings.late:
        return too_slow(evidence, len(findings.late), findings.essential)
    why = too_few(findings)
    if why is not None:
        fix = "declare with dynamic_shapes which dimensions vary, and how far"
        return verdict(evidence, Outcome.FAILED, why, (traced_at(evidence), ("fix", fix)))
    if all(one.status in ("raises", "both raise", "eager raises", "left out") for one in findings.judged):
        return verdict(evidence, Outcome.PASSED, "raises at every other size")
    return verdict(evidence, Outcome.PASSED, "keeps the contract at every other size")


def _headline(evidence: Evidence, found: CaseResult) -> tuple[str, str]:
    fixed = [axis for axis in off_size(found.case, evidence.subject) if contract_of(evidence, axis) == "fixed"]
    if fixed:
        return f"computes outside the traced size, where the contract of {fixed[0]} is fixed", _FIX["computes"]
    if found.status == "raises":
        why = None if evidence.device is None else evidence.device.why_batch_is_fixed
        fix = f"{why}; give it the batch as its first dimension, or declare the axis 'fixed'" if why else _FIX["raises"]
        return "raises outside the traced size, where the contract is dynamic", fix
    sliced = evidence.device is not None and evidence.device.dynamic_batch
    off = off_size(found.case, evidence.subject)
    mixed = sliced and len(off) == 1 and all(field.dims[0] == off[0] for field in evidence.subject.fields)
    return "silently wrong outside the traced size", ROWS_MIXED if mixed else _FIX["wrong"]


def _rows(evidence: Evidence, findings: Findings, found: CaseResult) -> tuple[Row, ...]:
    breaches = findings.breaches
    among = f"smallest of {len(breaches)} in {len(findings.judged)} of {findings.planned} cases, seed {evidence.seed}"
    worst = findings.worst
    text = found.text or "it does not raise, and equals eager"
    if worst is not None and worst is not found and worst.difference is not None:
        sizes = tuple(size for _, size in worst.case.sizes)
        met = worst.difference.text if worst.difference.kind != "value" else f"{worst.difference.value:.1e}"
        text += f"; worst met {met} at {sizes}"
    rows = [traced_at(evidence), ("counterexample", f"{found.case}        {among}"), ("differs", text)]
    if bad_example(found) is not None:
        return tuple(rows)
    return (*rows, ("right for", right_for(findings, evidence.subject)))


def _notes(findings: Findings, subject: Subject) -> tuple[str, ...]:
    return (*findings.tie_break_notes, *findings.both_raise_notes, *raising(findings, subject))


def _described(found: Verdict, evidence: Evidence, findings: Findings) -> Verdict:
    subject = evidence.subject
    beyond_eager = [one.case for one in findings.judged if one.status == "eager raises"]
    notes = _notes(findings, subject) if found.outcome is Outcome.PASSED else ()
    if beyond_eager and found.outcome is Outcome.PASSED:
        notes = (*notes, f"runs where eager raises: {min(beyond_eager, key=lambda case: case.volume)}")
    not_covered = [*(f"{case}: no time left in the budget" for case in findings.skipped), *unsettled(findings)]
    cases = [one.case for one in findings.counted]
    for axis in subject.free:
        not_covered += unvisited(axis, cases, evidence.named_sizes)
    not_covered += [line for axis in subject.axes for line in coupled(axis)]
    not_covered += [*given_up(subject, findings.judged), *one_way(subject, cases)]
    return replace(
        found,
        judged=len(findings.counted),
        planned=findings.planned,
        worst=worst_of(findings),
        first_breach=findings.first_breach,
        counterexample=counterexample_of(findings),
        notes=notes,
        not_covered=tuple(not_covered),
        axes={axis.name: axis.size for axis in subject.free},
        visits=visits(findings.judged, subject),
    )
