"""Groups verdicts by export: those of one subject on one backend, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pytest_tsexport.config.names import CHECKS, SIMULATIONS
from pytest_tsexport.verdict import Outcome, Verdict

ExpectedFailure = tuple[str, str]
"""A subject and the `backend-check` of it that is marked as a known failure."""


JUDGED = (Outcome.PASSED, Outcome.FAILED)
"""How a check ends that looked at the export."""

ENDED = (Outcome.TOO_SLOW, Outcome.CRASHED)
"""How a check ends that was to judge and did not: it fails its item, and says nothing about the export."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The verdicts of one subject on one backend; `known` are the names of those that are expected to fail."""

    subject: str
    backend: str
    verdicts: tuple[Verdict, ...]
    known: frozenset[str] = frozenset()

    @property
    def is_simulated(self) -> bool:
        """Whether its backend simulates another one."""
        return self.backend in SIMULATIONS

    @property
    def shown(self) -> str:
        """The backend as every line of a report names it: `neuron-sim, a simulation`."""
        return f"{self.backend}, a simulation" if self.is_simulated else self.backend

    @property
    def judged(self) -> tuple[Verdict, ...]:
        """The verdicts of checks that looked at the export."""
        return tuple(v for v in self.verdicts if v.outcome in JUDGED)

    @property
    def shown_checks(self) -> tuple[Verdict, ...]:
        """The verdicts of checks that looked at the export, or that ended before they could say anything."""
        return tuple(v for v in self.verdicts if v.outcome in (*JUDGED, *ENDED))

    @property
    def is_smooth(self) -> bool:
        """Whether no check failed or ended early."""
        return not self.failed and not any(v.outcome in ENDED for v in self.verdicts)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The failures, known ones included."""
        return tuple(v for v in self.verdicts if v.outcome is Outcome.FAILED)

    @property
    def file(self) -> str:
        """`3ba1ad50d1c2  input_ids i64 -> logits f32`: which file was judged; empty if there was none."""
        named = (v for v in self.verdicts if v.sha256 is not None)
        return next((f"{(v.sha256 or '')[:12]}  {v.signature or ''}".rstrip() for v in named), "")

    @property
    def state(self) -> str:
        """One of `right`, `known to be wrong`, `wrong` and `not judged`."""
        if any(verdict.name not in self.known for verdict in self.failed):
            return "wrong"
        if any(verdict.outcome in ENDED for verdict in self.verdicts):
            return "not judged"
        if any(v.outcome in (Outcome.NOT_RUN, Outcome.UNAVAILABLE) for v in self.verdicts) or not self.judged:
            return "known to be wrong" if self.failed else "not judged"
        return "known to be wrong" if self.failed else "right"


def gather(verdicts: Iterable[Verdict], expected: Collection[ExpectedFailure] = ()) -> tuple[ExportResult, ...]:
    """One result for each subject and backend, sorted by name: the order in which verdicts arrive does not matter."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault((verdict.subject, verdict.backend), []).append(verdict)
    known: dict[str, set[str]] = {}
    for subject, name in expected:
        known.setdefault(subject, set()).add(name)
    return tuple(
        ExportResult(subject, backend, _in_order(found[subject, backend]), frozenset(known.get(subject, ())))
        for subject, backend in sorted(found)
    )


def _in_order(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    order = list(CHECKS)
    return tuple(sorted(verdicts, key=lambda v: (order.index(v.check) if v.check in order else len(order), v.check)))
