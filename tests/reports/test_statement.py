"""The statement names each judged file by its digest and each check as a test, in the same bytes for the same run."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.reports import statement
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome, Verdict
from tests.reports.small_runs import BERT, DIGEST, OTHER, SURROUNDINGS, TINY, lost, run_of, verdict

MIXED = run_of(
    verdict("trace"),
    verdict("parity"),
    verdict("tied_weights", Outcome.NOT_APPLICABLE, "no tied weights"),
    verdict("shapes", Outcome.FAILED, "silently wrong"),
    verdict("trace", subject=TINY, backend="neuron-sim", sha256=OTHER),
    unanswered=(lost("padding"),),
    exit_status=1,
)


def written(run: RunRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(statement.text(run))
    return found


def resources(run: RunRecord) -> dict[str, Any]:
    return {one["name"]: one for one in written(run)["predicate"]["configuration"]}


def test_the_messages_of_in_toto_hold_every_field() -> None:
    document = written(MIXED)
    parsed = json_format.ParseDict(document, statement_pb2.Statement(), ignore_unknown_fields=False)
    Statement.copy_from_pb(parsed).validate()
    predicate = json_format.ParseDict(document["predicate"], test_result_pb2.TestResult(), ignore_unknown_fields=False)
    assert predicate.result == "FAILED"
    assert list(predicate.passed_tests) == document["predicate"]["passedTests"]


def test_the_subjects_are_the_judged_files() -> None:
    bert, gpt = written(MIXED)["subject"]
    assert (bert["name"], bert["digest"]) == ("test_export.py::test_bert[jit]", {"sha256": DIGEST})
    assert bert["annotations"]["checks"]["shapes"] == "test_export.py::test_bert[jit-shapes]"
    assert bert["annotations"]["signature"] == "ids i64 -> logits f32"
    assert "simulation" not in bert["annotations"]
    assert (gpt["name"], gpt["digest"]) == ("test_export.py::test_gpt[tiny-neuron-sim]", {"sha256": OTHER})
    assert "a simulation on the CPU" in gpt["annotations"]["simulation"]


def test_each_check_is_in_one_list_and_those_that_did_not_pass_have_a_reason() -> None:
    predicate = written(MIXED)["predicate"]
    assert predicate["passedTests"] == [
        "test_export.py::test_bert[jit-trace]",
        "test_export.py::test_bert[jit-parity]",
        "test_export.py::test_gpt[tiny-neuron-sim-trace]",
    ]
    assert predicate["failedTests"] == ["test_export.py::test_bert[jit-shapes]: failed: silently wrong"]
    assert predicate["warnedTests"][:3] == [
        "test_export.py::test_bert[jit-tied_weights]: not applicable: no tied weights",
        "test_export.py::test_bert[jit-padding]: not run: its process ended before it gave a verdict",
        "test_export.py::test_bert[jit-round_trip]: not run: it was not selected, or the run ended before it",
    ]
    assert len(predicate["warnedTests"]) == 3 + 5


@pytest.mark.parametrize(
    ("run", "result"),
    [
        (MIXED, "FAILED"),
        (run_of(verdict("trace")), "WARNED"),
        (run_of(verdict("trace"), exit_status=2), "FAILED"),
        (run_of(*map(verdict, ("trace", "tied_weights", "parity", "shapes", "padding", "round_trip"))), "PASSED"),
    ],
)
def test_the_result_is_that_of_the_worst_check_and_of_pytest(run: RunRecord, result: str) -> None:
    assert written(run)["predicate"]["result"] == result


def test_the_configuration_is_what_the_verdicts_depend_on_by_digest() -> None:
    found = resources(MIXED)
    assert list(found) == [
        "contract of test_export.py::test_bert[jit]",
        "contract of test_export.py::test_gpt[tiny-neuron-sim]",
        "run",
        "options",
        "versions",
        "installed packages",
        "uv.lock",
        "this statement",
    ]
    assert found["options"]["annotations"]["given"] == SURROUNDINGS.options
    assert found["options"]["annotations"]["seeds"]["test_export.py::test_bert[jit-parity]"] == 7
    assert found["uv.lock"]["digest"] == {"sha256": OTHER}
    assert found["run"]["annotations"] == {"exit_status": 1}


def test_a_contract_that_changes_has_another_digest() -> None:
    name = "contract of test_export.py::test_bert[jit]"
    other = run_of(verdict("trace", contract={"rtol": 0.1}))
    assert resources(run_of(verdict("trace")))[name]["digest"] != resources(other)[name]["digest"]


@pytest.mark.parametrize("order", list(permutations(MIXED.verdicts[:4])))
def test_the_bytes_do_not_depend_on_the_order_or_the_time(order: tuple[Verdict, ...]) -> None:
    slower = [verdict(one.check, one.outcome, one.headline, seconds=9.9) for one in order]
    assert statement.text(run_of(*slower, MIXED.verdicts[4], unanswered=MIXED.unanswered, exit_status=1)) == (
        statement.text(MIXED)
    )


def test_a_model_that_was_exported_twice_has_two_files_with_their_own_checks() -> None:
    first, second = written(run_of(verdict("trace"), verdict("parity", sha256=OTHER)))["subject"]
    assert first["name"] == f"test_export.py::test_bert[jit] {DIGEST[:12]}"
    assert "parity" not in first["annotations"]["checks"]
    assert "trace" not in second["annotations"]["checks"]
    assert "parity" in second["annotations"]["checks"]


def test_a_run_that_judged_no_file_has_no_statement() -> None:
    with pytest.raises(ArtifactError, match=r"^no file was judged$"):
        statement.text(run_of(verdict("trace", Outcome.FAILED, sha256=None)))
    with pytest.raises(ArtifactError):
        statement.text(run_of())


def test_a_name_that_is_no_ascii_is_kept() -> None:
    document = written(run_of(verdict("trace", subject=f"{BERT}[grün]")))
    assert document["subject"][0]["name"] == f"{BERT}[grün-jit]"
