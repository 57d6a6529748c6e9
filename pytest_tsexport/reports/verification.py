"""statement, sha256 of a file -> why the statement does not show that the file was judged right, or None if it does.

Whether the statement is genuine is for its signature to show. Here it is compared with its own digest, so that a
damaged one is not believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.reports.sealing import PREDICATE, REASON, SEAL, TYPE, sealed

DIGITS = 12
MOST_NAMED = 3
"""How much of a digest, and how many files, a sentence names."""


class JudgedFile(NamedTuple):
    """What a statement says of a file: the names of its tests by check, and what its backend simulates."""

    name: str
    sha256: str
    checks: Mapping[str, str]
    simulation: str


class Statement(NamedTuple):
    """A statement of this package. Tests that did not pass have the reason beside their name."""

    result: str
    files: tuple[JudgedFile, ...]
    passed: frozenset[str]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    exit_status: int


def why_refused(text: bytes, sha256: str, required: Sequence[str] = ()) -> str | None:
    """One sentence; None if a file of that digest was judged, the run did not fail, and the required checks passed."""
    try:
        statement = _read(text)
    except ValueError as error:
        return f"the statement {error}"
    files = [file for file in statement.files if file.sha256 == sha256]
    if not files:
        return f"the file has the sha256 {sha256[:DIGITS]}, and the statement is about {_listed(statement.files)}"
    if statement.result == "FAILED":
        first = statement.failed[0] if statement.failed else f"pytest ended with exit status {statement.exit_status}"
        return f"the run that judged the file failed: {first}"
    return next((why for file in files for why in _refusals(statement, file, required)), None)


def what_passed(text: bytes, sha256: str) -> str:
    """What a statement that is not refused says of the file: each check that passed, and how many did not."""
    statement = _read(text)
    files = [file for file in statement.files if file.sha256 == sha256]
    others = {name for file in files for name in file.checks.values() if name not in statement.passed}
    unsure = {check for file in files for check, name in file.checks.items() if name in others}
    passed = dict.fromkeys(check for file in files for check in file.checks if check not in unsure)
    names = ", ".join(name for name in CHECKS if name in passed) or "no check in each test of it"
    warned = f"{counted(len(others), 'check')} warned (not run, not applicable, or known to fail)"
    return f"passed {names}; {warned}" if others else f"passed {names}"


def _refusals(statement: Statement, file: JudgedFile, required: Sequence[str]) -> Iterator[str]:
    if file.simulation:
        yield f"the file was judged as {file.name}, on {file.simulation}"
    for check in required:
        if check not in file.checks:
            yield f"{check} is required, and the statement says nothing of it about {file.name}"
        elif file.checks[check] not in statement.passed:
            yield f"{check} is required, and did not pass: {_entry_of(statement, file.checks[check])}"
    if not any(name in statement.passed for name in file.checks.values()):
        yield f"no check of {file.name} passed"


def _listed(files: Sequence[JudgedFile]) -> str:
    names = [f"{file.name} ({file.sha256[:DIGITS]})" for file in files[:MOST_NAMED]]
    more = len(files) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _entry_of(statement: Statement, name: str) -> str:
    """The entry of a test that did not pass."""
    found = (one for one in (*statement.failed, *statement.warned) if one.startswith(f"{name}{REASON}"))
    return next(found, f"{name} is in no list")


def _read(text: bytes) -> Statement:
    """Raises `ValueError`, the end of a sentence that begins with "the statement"."""
    try:
        document = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON: it is damaged, or another file") from None
    if not isinstance(document, dict) or document.get("_type") != TYPE or document.get("predicateType") != PREDICATE:
        raise ValueError(f"is no {TYPE} with the predicate {PREDICATE}, as --ts-report=x.intoto.json writes it")
    try:
        if _resealed(document).encode() != text:
            raise ValueError("was changed after it was written: it does not have its own digest")
        return _statement(document)
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("was not written by pytest-tsexport: it has another form") from None


def _refuse_constant(name: str) -> None:
    """Python reads `NaN` and `Infinity`, which JSON does not have."""
    raise ValueError(name)


def _resealed(document: Mapping[str, Any]) -> str:
    predicate = document["predicate"]
    others = [one for one in predicate["configuration"] if one["name"] != SEAL]
    return sealed({**document, "predicate": {**predicate, "configuration": others}})


def _statement(document: Mapping[str, Any]) -> Statement:
    predicate = document["predicate"]
    resources = {one["name"]: one for one in predicate["configuration"]}
    return Statement(
        result=predicate["result"],
        files=tuple(map(_judged_file, document["subject"])),
        passed=frozenset(predicate["passedTests"]),
        warned=tuple(predicate["warnedTests"]),
        failed=tuple(predicate["failedTests"]),
        exit_status=resources["run"]["annotations"]["exit_status"],
    )


def _judged_file(subject: Mapping[str, Any]) -> JudgedFile:
    annotations = subject["annotations"]
    return JudgedFile(
        name=subject["name"],
        sha256=subject["digest"]["sha256"],
        checks=dict(annotations["checks"]),
        simulation=annotations.get("simulation", ""),
    )
