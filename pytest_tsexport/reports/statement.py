"""run -> in-toto statement: which files were judged, by sha256, and how each check of each of them ended.

It is unsigned, and its bytes are the same for the same run: sorted, and without a time.
https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.reports.check_tests import FAILED, PASSED, WARNED, CheckTest, checks_as_tests
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.reports.sealing import PREDICATE, REASON, TYPE, named_digest, resource, sealed


def text(run: RunRecord) -> str:
    """The statement. Raises `ArtifactError` if no file was judged: a statement is about a file."""
    tests = checks_as_tests(run)
    subjects = list(_subjects(tests))
    if not subjects:
        raise ArtifactError("no file was judged")
    failed = run.exit_status != 0 or any(test.result == FAILED for test in tests)
    warned = any(test.result == WARNED for test in tests)
    configured = [resource(name, values) for name, values in _configured(run, tests)]
    files = [named_digest(name, sha256) for name, sha256 in sorted(run.surroundings.files.items())]
    predicate = {
        "result": "FAILED" if failed else "WARNED" if warned else "PASSED",
        "configuration": [*configured, *files],
        "passedTests": [_entry(test) for test in tests if test.result == PASSED],
        "warnedTests": [_entry(test) for test in tests if test.result == WARNED],
        "failedTests": [_entry(test) for test in tests if test.result == FAILED],
    }
    return sealed({"_type": TYPE, "subject": subjects, "predicateType": PREDICATE, "predicate": predicate})


def _subjects(tests: Sequence[CheckTest]) -> Iterator[dict[str, Any]]:
    """The judged files. A test whose file was made twice has two."""
    files: dict[tuple[str, str], list[CheckTest]] = {}
    for test in tests:
        if test.sha256 is not None:
            files.setdefault((test.export, test.sha256), []).append(test)
    exports = [export for export, _ in files]
    for (export, sha256), asked in sorted(files.items()):
        name = export if exports.count(export) == 1 else f"{export} {sha256[:12]}"
        yield {**named_digest(name, sha256), "annotations": _annotations(asked, tests)}


def _annotations(asked: Sequence[CheckTest], tests: Sequence[CheckTest]) -> dict[str, Any]:
    """Which tests are about this file: those that judged it, and those of its export that judged none."""
    first = asked[0]
    unasked = [test for test in tests if test.export == first.export and test.sha256 is None]
    found: dict[str, Any] = {"backend": first.backend, "checks": {one.check: one.name for one in (*asked, *unasked)}}
    if first.backend in SIMULATIONS:
        found["simulation"] = SIMULATIONS[first.backend]
    signatures = {one.signature for one in asked if one.signature}
    return {**found, "signature": signatures.pop()} if len(signatures) == 1 else found


def _configured(run: RunRecord, tests: Sequence[CheckTest]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    contracts = {test.export: test.contract for test in tests if test.contract is not None}
    yield from ((f"contract of {export}", contract) for export, contract in sorted(contracts.items()))
    seeds = {test.name: test.seed for test in tests if test.seed is not None}
    yield "run", {"exit_status": run.exit_status}
    yield "options", {"given": dict(run.surroundings.options), "seeds": seeds}
    yield "versions", dict(run.versions)
    yield "installed packages", dict(run.surroundings.packages)


def _entry(test: CheckTest) -> str:
    return f"{test.name}{REASON}{test.reason}" if test.reason else test.name
