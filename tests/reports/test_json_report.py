"""The JSON report of a run is valid by its schema, complete, and the same in whatever order verdicts arrive."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.reports import json_report
from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome, Verdict, Visit, Worst

SCHEMA = json.loads(Path(json_report.__file__).with_name("schema").joinpath("verdicts-1.json").read_text("utf-8"))
FAILED = Verdict(
    subject="test_export.py::test_bert",
    backend="jit",
    check="shapes",
    outcome=Outcome.FAILED,
    headline="silently wrong outside the traced size",
    rows=(("traced at", "batch ≠ 2"),),
    judged=40,
    planned=100,
    worst=Worst(leaf="logits", difference=math.inf, allowed=1e-4, at="[0, 1]", case="(batch=2, sequence=7)"),
    seed=3141,
    seconds=1.5,
    first_breach=3,
    notes=("a note",),
    not_covered=("sequence above 33",),
    sha256="ab12",
    signature="input_ids i64 -> logits f32",
    counterexample={"sizes": {"batch": 3}, "seed": 5, "values": "uniform", "mask": "ones"},
    axes={"batch": 2},
    visits=(Visit(sizes=(1,), status="equal"), Visit(sizes=(3,), status="wrong")),
)
TRACED = Verdict(subject=FAILED.subject, backend="jit", check="trace", outcome=Outcome.PASSED, headline="exports")
SIMULATED = replace(TRACED, backend="neuron-sim", subject="test_export.py::test_albert")
LOST = Unanswered(
    item="test_export.py::test_x[jit-trace]", subject="test_export.py::test_x", backend="jit", check="trace", why="died"
)
VERSIONS = {"python": "3.11.7", "pytest-tsexport": "0.1.0", "torch": "2.13.0", "transformers": "not installed"}
RUN = RunRecord(
    verdicts=(FAILED, TRACED, SIMULATED),
    unanswered=(LOST,),
    expected={(FAILED.subject, "jit-shapes"): "windows are cut"},
    versions=VERSIONS,
    exit_status=1,
    options=("--ts-max-examples=30",),
)


def why_invalid(document: object) -> str | None:
    error = next(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document), None)
    return None if error is None else error.message


def changed(**verdict: Any) -> dict[str, Any]:
    """The document with a change of its last verdict, the failed one."""
    document: dict[str, Any] = json.loads(json_report.text(RUN))
    document["verdicts"][-1].update(verdict)
    return document


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"] == {**SCHEMA["properties"]["schema"], "const": json_report.VERSION}
    outcomes = SCHEMA["$defs"]["verdict"]["properties"]["outcome"]["enum"]
    assert outcomes == [outcome.value for outcome in Outcome]


def test_a_report_is_valid_and_has_every_field_of_a_verdict() -> None:
    document = changed()
    assert why_invalid(document) is None
    added = {"question", "expected", "simulation"}
    assert set(document["verdicts"][-1]) == {field.name for field in fields(Verdict)} | added


def test_the_document_says_what_is_expected_what_is_simulated_and_what_has_no_verdict() -> None:
    document = changed()
    found = [(v["backend"], v["check"], v["expected"], bool(v["simulation"])) for v in document["verdicts"]]
    assert found == [
        ("neuron-sim", "trace", False, True),
        ("jit", "trace", False, False),
        ("jit", "shapes", True, False),
    ]
    assert document["unanswered"] == [
        {
            "item": "test_export.py::test_x[jit-trace]",
            "subject": "test_export.py::test_x",
            "backend": "jit",
            "check": "trace",
            "why": "died",
            "skipped": False,
        }
    ]
    assert document["versions"] == VERSIONS
    assert document["options"] == ["--ts-max-examples=30"]
    assert document["exit_status"] == 1
    assert document["verdicts"][-1]["question"] == CHECKS["shapes"]
    assert document["verdicts"][-1]["worst"]["difference"] == "inf"
    assert document["verdicts"][-1]["visits"] == [
        {"sizes": [1], "status": "equal"},
        {"sizes": [3], "status": "wrong"},
    ]
    assert document["verdicts"][-1]["axes"] == [
        {"name": "batch", "traced": 2, "right": [1], "raises": [], "wrong": [3], "wrong_from": 3}
    ]


@pytest.mark.parametrize("order", list(permutations(RUN.verdicts)))
def test_the_order_in_which_verdicts_arrive_does_not_matter(order: tuple[Verdict, ...]) -> None:
    assert json_report.text(replace(RUN, verdicts=order)) == json_report.text(RUN)


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "green"},
        {"judged": -1},
        {"judged": "40"},
        {"worst": {"leaf": "x"}},
        {"seconds": "NaN"},
        {"visits": [{"sizes": [1], "status": "fine"}]},
        {"axes": [{"name": "batch"}]},
        {"surprise": 1},
    ],
)
def test_the_schema_refuses_what_is_no_verdict(change: dict[str, Any]) -> None:
    assert why_invalid(changed(**change)) is not None


def test_a_run_without_a_verdict_has_a_report_too() -> None:
    document = json_report.document(RunRecord(verdicts=(), versions=VERSIONS))
    assert why_invalid(document) is None
    assert document["verdicts"] == document["unanswered"] == []
