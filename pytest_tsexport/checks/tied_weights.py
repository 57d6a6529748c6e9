"""evidence -> verdict: is every tied weight cloned in the artifact?

Names decide nothing: weights are tied if they share elements, copies in the file are found by their values, and what
each of them is read for is shown by changing it. (See docs/explanation/measurements.md#tied-weights.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_tsexport.checks.base import verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.findings import SHARED, all_changed_at_once, group_finding
from pytest_tsexport.comparison.tied.name_findings import DEAD, MISSING
from pytest_tsexport.comparison.tied.part_findings import PARTLY, TIED_BY_EXPORTER
from pytest_tsexport.comparison.tied.value_findings import CHANGED, Finding, listed
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.tensors.weights import bytes_added
from pytest_tsexport.verdict import Outcome, Row, Verdict

CHANGED_SOURCE = "exporting changed which weights of the source model are tied"
TIES_AGAIN = "the model ties its weights again when it is called"
NOT_SEEN = "no tied weight is seen to be shared"
NO_TIES = "the model ties no weights"
NO_NAMES = "the artifact is frozen or packed: it holds no weights by name"

CLONE = "clone every tied weight on a copy before tracing: pytest_tsexport.untie(model)"
FIXES = {
    SHARED: CLONE,
    DEAD: "let forward read each copy, and export no other: pytest_tsexport.untie(model) makes such a model",
    PARTLY: "let forward read each copy wherever the model reads its name",
    TIES_AGAIN: "tie the weights when the model is made, and not in forward",
    CHANGED: "export it again from the model that this test returns: pytest_tsexport.untie(model) copies its weights",
    MISSING: "keep a copy of each tied weight in the file, under any name: pytest_tsexport.untie(model) makes them",
    TIED_BY_EXPORTER: "export without tying weights: in the model that this test returns they are separate",
    CHANGED_SOURCE: "export a copy: copy.deepcopy(model), or untie(model), which shares what it need not copy",
}


class TiedWeights:
    """Every group of weights that share elements in the source or in the file, looked up in throw-away loads."""

    name = "tied_weights"
    question = CHECKS["tied_weights"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only if neither the source nor the file ties anything, or if the file has no weights to look at."""
        tied = TiedEvidence(evidence)
        if evidence.process.changed_ties:
            return None
        if not tied.groups and not tied.shared:
            return NO_TIES
        if not tied.theirs or (evidence.device is not None and not _has_names(tied)):
            return NO_NAMES
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on the first group that is not one separate copy, which the file reads, for each name."""
        tied = TiedEvidence(evidence)
        planned = max(len(tied.groups), 1)
        failure = _shared_in_file(tied) or _source_failure(evidence) or _tied_by_calls(tied)
        findings: list[Finding] = []
        if failure is None and not all_changed_at_once(tied):
            for group in tied.groups:
                findings.append(group_finding(group.names, tied))
                if findings[-1].headline:
                    failure = _failure(findings[-1].headline, group.names, findings[-1].text, findings[-1].fix)
                    break
        if failure is not None:
            found = verdict(evidence, Outcome.FAILED, *failure)
            return replace(found, judged=planned, planned=planned)
        not_covered = tuple(said for one in findings for said in one.not_covered)
        hidden = any(len(one.absent) > 1 and one.not_covered for one in findings)
        found = verdict(evidence, Outcome.PASSED, NOT_SEEN if hidden else "every tied weight is cloned")
        return replace(found, judged=planned, planned=planned, notes=_notes(tied, findings), not_covered=not_covered)


Failure = tuple[str, tuple[Row, ...]]
"""A headline, and the rows below it."""


def _has_names(tied: TiedEvidence) -> bool:
    """Whether the file of a device, which is matched by name only, has all names of some group."""
    return any(tied.values.sets(group.names) for group in tied.groups)


def _shared_in_file(tied: TiedEvidence) -> Failure | None:
    if not tied.shared:
        return None
    names = tied.shared[0].names
    known = next((group.names for group in tied.groups if tied.values.stand_for(names, group.names)), None)
    text = f"{listed(names, ' and ')} share memory after loading"
    if known is not None:
        return _failure(SHARED, known, text)
    return TIED_BY_EXPORTER, (("in the file", text), ("fix", FIXES[TIED_BY_EXPORTER]))


def _tied_by_calls(tied: TiedEvidence) -> Failure | None:
    for group in tied.tied_by_calls:
        text = f"{listed(group.names, ' and ')} are one weight again after a call of an untied copy"
        return TIES_AGAIN, (("tied", listed(group.names)), ("after a call", text), ("fix", FIXES[TIES_AGAIN]))
    return None


def _source_failure(evidence: Evidence) -> Failure | None:
    changes = evidence.process.changed_ties
    return (CHANGED_SOURCE, (("changed", "; ".join(changes)), ("fix", FIXES[CHANGED_SOURCE]))) if changes else None


def _failure(headline: str, names: Sequence[str], text: str, fix: str = "") -> Failure:
    return headline, (("tied", listed(names)), ("in the file", text), ("fix", fix or FIXES[headline]))


def _notes(tied: TiedEvidence, findings: Sequence[Finding]) -> tuple[str, ...]:
    absent = {name for one in findings for name in one.absent}
    there = [[name for name in group.names if name not in absent] for group in tied.groups]
    added = sum(bytes_added(names, tied.ours) for names in there)
    idle = (f"{tied.idle_bytes} bytes of the file belong to no tensor",) if tied.idle_bytes else ()
    return (
        *(listed(group.names) for group in tied.groups[:3]),
        f"{added} bytes added by the clones",
        *idle,
        *dict.fromkeys(note for one in findings for note in one.notes),
    )
