"""verdicts -> state: what is known about the export of one model type on one backend.

The states are never merged. *Right*: every case equals eager, at every size that was visited. *Refuses*: it equals
eager or raises. *Wrong*: some answer differs. *Not exportable*: there is no file. *Not looked at*: nothing was judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

RIGHT, REFUSES, WRONG = "right", "refuses", "wrong"
NOT_EXPORTABLE, NOT_LOOKED_AT = "not exportable", "not looked at"
STATES = (RIGHT, REFUSES, WRONG, NOT_EXPORTABLE, NOT_LOOKED_AT)

NEEDED = ("trace", "parity", "shapes")
"""The checks without which nothing is known about an export."""

UNJUDGED = ("not run", "unavailable", "too slow", "crashed")
ECHOES = ("already wrong at the traced size", "wrong at the traced size too")
"""How the headline of a check begins that looked no further, since the export is wrong at the traced size."""
RANDOM = "eager's answers to two equal calls differ"
"""How the headline of `trace` begins if the model draws random numbers: no export of it is right or wrong."""

WORSE: Mapping[str, Sequence[str]] = {
    RIGHT: (REFUSES, NOT_EXPORTABLE, WRONG, NOT_LOOKED_AT),
    REFUSES: (NOT_EXPORTABLE, WRONG, NOT_LOOKED_AT),
    NOT_EXPORTABLE: (WRONG, NOT_LOOKED_AT),
    WRONG: (NOT_LOOKED_AT,),
    NOT_LOOKED_AT: (WRONG,),
}
"""What is worse than each state: what is not reached any longer is never better."""

Checks = Mapping[str, Mapping[str, Any]]
"""The verdicts about one export as the JSON report has them, by the name of the check."""


class State(NamedTuple):
    """The state of an export, and the check that decides it; empty if no single check does."""

    name: str
    check: str = ""
    why: str = ""


def state_of(checks: Checks, unanswered: Sequence[str]) -> State:
    """The state. `unanswered` are the reasons of the items without a verdict."""
    if not checks:
        return State(NOT_LOOKED_AT, why=unanswered[0] if unanswered else "no check was asked")
    if not has_file(checks):
        rows = dict(map(tuple, checks["trace"]["rows"]))
        cause = rows.get("likely cause") or rows.get("torch says")
        return State(NOT_EXPORTABLE, "trace", cause or checks["trace"]["headline"])
    if checks.get("trace", {}).get("headline", "").startswith(RANDOM):
        return State(NOT_LOOKED_AT, "trace", checks["trace"]["headline"])
    own = {name: verdict for name, verdict in checks.items() if not is_echo(verdict, checks)}
    for name, verdict in own.items():
        if is_wrong(verdict):
            return State(WRONG, name, verdict["headline"])
    why = why_unjudged(checks, unanswered)
    if why is not None:
        return why
    raising = [name for name, verdict in own.items() if raises(verdict)]
    return State(REFUSES, raising[0]) if raising else State(RIGHT)


def has_file(checks: Checks) -> bool:
    """Whether there was a file to judge: without one, every other check is not run."""
    failed = "trace" in checks and checks["trace"]["outcome"] == "failed"
    return not failed or any(verdict["outcome"] != "not run" for name, verdict in checks.items() if name != "trace")


def is_judged(verdict: Mapping[str, Any]) -> bool:
    """Whether the check looked at the export. One that fails for too few cases shows no difference."""
    if verdict["outcome"] == "failed" and verdict["check"] in ("parity", "shapes", "padding"):
        return any(label == "differs" for label, _ in verdict["rows"])
    return verdict["outcome"] not in UNJUDGED


def is_echo(verdict: Mapping[str, Any], checks: Checks) -> bool:
    """Whether the check only repeats the fault at the traced size that `parity` reports."""
    repeats = verdict["outcome"] == "failed" and verdict["headline"].startswith(ECHOES)
    return repeats and checks.get("parity", {}).get("outcome") == "failed"


def is_wrong(verdict: Mapping[str, Any]) -> bool:
    """Whether the check found a fault other than a raise."""
    return verdict["outcome"] == "failed" and is_judged(verdict) and not fails_by_raising(verdict)


def fails_by_raising(verdict: Mapping[str, Any]) -> bool:
    """Whether the smallest fault is that the export raises; every headline about one says so."""
    return verdict["outcome"] == "failed" and "raises" in verdict["headline"]


def raises(verdict: Mapping[str, Any]) -> bool:
    """Whether the export raises where eager answers, failure or not."""
    return fails_by_raising(verdict) or any(visit["status"] == "raises" for visit in verdict["visits"])


def why_unjudged(checks: Checks, unanswered: Sequence[str]) -> State | None:
    """The state if a check that is needed judged nothing; else None."""
    for name in NEEDED:
        if name not in checks:
            why = unanswered[0] if unanswered else f"{name} was not asked"
            return State(NOT_LOOKED_AT, name, why)
        if not is_judged(checks[name]):
            return State(NOT_LOOKED_AT, name, checks[name]["headline"])
    return None
