"""Groups verdicts by export: those of one subject on one backend, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_tsexport.config.names import CHECKS, SIMULATIONS
from pytest_tsexport.verdict import Outcome, Verdict

ExpectedFailure = tuple[str, str]
"""A subject and the `backend-check` of it that is marked as a known failure."""


JUDGED = (Outcome.PASSED, Outcome.FAILED)
"""How a check ends that looked at the export."""

STATES = ("right", "known to be wrong", "wrong", "not judged")
"""What one word says about an export."""

URGENCY = ("wrong", "not judged", "known to be wrong", "right")
"""The states in the order of a report that is read from its top."""

ENDED = (Outcome.TOO_SLOW, Outcome.CRASHED)
"""How a check ends that was to judge and did not: it fails its item, and says nothing about the export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """An item of one check that ended without a verdict, and why: the model was not made, or a process died.

    `skipped`: the test skipped itself, which fails nothing.
    """

    item: str
    subject: str
    backend: str
    check: str
    why: str
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The verdicts of one subject on one backend, and its checks without one.

    `known` are the names of the verdicts that are expected to fail.
    """

    subject: str
    backend: str
    verdicts: tuple[Verdict, ...]
    known: frozenset[str] = frozenset()
    unanswered: tuple[Unanswered, ...] = ()

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
        """Whether no check failed, ended early or has no verdict."""
        return not (self.failed or self.unanswered or any(v.outcome in ENDED for v in self.verdicts))

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The failures, known ones included."""
        return tuple(v for v in self.verdicts if v.outcome is Outcome.FAILED)

    @property
    def found(self) -> tuple[str, ...]:
        """A sentence for each check that did not pass; or for each reason why nothing was judged."""
        checks = tuple(
            f"{v.check}{' (known)' if v.name in self.known else ''}: {v.headline}"
            for v in self.shown_checks
            if v.outcome is not Outcome.PASSED
        )
        lost = tuple(f"{'skipped' if one.skipped else 'no verdict'}: {one.why}" for one in self.unanswered)
        others = () if self.shown_checks else tuple(f"{v.outcome.value}: {v.headline}" for v in self.verdicts)
        return tuple(dict.fromkeys((*checks, *lost, *others)))

    @property
    def file(self) -> str:
        """`3ba1ad50d1c2  input_ids i64 -> logits f32`: which file was judged; empty if there was none."""
        named = (v for v in self.verdicts if v.sha256 is not None)
        return next((f"{(v.sha256 or '')[:12]}  {v.signature or ''}".rstrip() for v in named), "")

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if any(verdict.name not in self.known for verdict in self.failed):
            return "wrong"
        if self.unanswered or any(verdict.outcome in ENDED for verdict in self.verdicts):
            return "not judged"
        if any(v.outcome in (Outcome.NOT_RUN, Outcome.UNAVAILABLE) for v in self.verdicts) or not self.judged:
            return "known to be wrong" if self.failed else "not judged"
        return "known to be wrong" if self.failed else "right"


def gather(
    verdicts: Iterable[Verdict], expected: Collection[ExpectedFailure] = (), unanswered: Iterable[Unanswered] = ()
) -> tuple[ExportResult, ...]:
    """One result for each subject and backend, sorted by name: the order in which verdicts arrive does not matter."""
    found, lost = _by_export(verdicts), _by_export(unanswered)
    known: dict[str, set[str]] = {}
    for subject, name in expected:
        known.setdefault(subject, set()).add(name)
    return tuple(
        ExportResult(
            subject,
            backend,
            _in_order(found.get((subject, backend), ())),
            frozenset(known.get(subject, ())),
            _in_order(lost.get((subject, backend), ())),
        )
        for subject, backend in sorted({*found, *lost})
    )


def most_urgent_first(exports: Iterable[ExportResult]) -> tuple[ExportResult, ...]:
    """What needs a reader comes first; exports of one state are sorted by name."""
    return tuple(sorted(exports, key=lambda one: (URGENCY.index(one.state), one.subject, one.backend)))


Answer = TypeVar("Answer", Verdict, Unanswered)


def _by_export(answers: Iterable[Answer]) -> dict[tuple[str, str], list[Answer]]:
    found: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        found.setdefault((one.subject, one.backend), []).append(one)
    return found


def _in_order(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    order = list(CHECKS)
    return tuple(sorted(answers, key=lambda v: (order.index(v.check) if v.check in order else len(order), v.check)))
