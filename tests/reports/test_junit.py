"""A verdict is one JSON text in JUnit, which any reader accepts."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from pytest_tsexport.reports.junit import to_property
from pytest_tsexport.verdict import Outcome, Verdict, Visit, Worst

VERDICT = Verdict(
    subject="test_export.py::test_bert",
    backend="jit",
    check="parity",
    outcome=Outcome.FAILED,
    headline="the artifact differs from eager at the traced size",
    rows=(("traced at", "batch ≠ 2"),),
    judged=40,
    planned=100,
    worst=Worst(leaf="logits", difference=math.inf, allowed=1e-4, at="[0, 1]", case="(batch=2, sequence=7)"),
    seed=3141,
    seconds=1.5,
    notes=("a note",),
    not_covered=("calls 2 and 3",),
    sha256="ab12",
    signature="input_ids i64 -> logits f32",
    axes={"batch": 2},
    visits=(Visit(sizes=(3,), status="wrong"),),
)


def test_the_whole_verdict_and_its_question_are_in_one_property() -> None:
    assert to_property(VERDICT) == (
        "tsexport",
        '{"question": "At the traced size, does the saved and loaded artifact equal eager?", '
        '"subject": "test_export.py::test_bert", "backend": "jit", "check": "parity", "outcome": "failed", '
        '"headline": "the artifact differs from eager at the traced size", '
        '"rows": [["traced at", "batch \\u2260 2"]], "judged": 40, "planned": 100, '
        '"worst": {"leaf": "logits", "difference": "inf", "allowed": 0.0001, "at": "[0, 1]", '
        '"case": "(batch=2, sequence=7)"}, "seed": 3141, "seconds": 1.5, "first_breach": null, "notes": ["a note"], '
        '"not_covered": ["calls 2 and 3"], "sha256": "ab12", "signature": "input_ids i64 -> logits f32", '
        '"interface": null, "counterexample": null, "no_model": false, "axes": {"batch": 2}}',
    )


def test_a_verdict_comes_back_from_its_property_without_its_visits() -> None:
    fields = json.loads(to_property(VERDICT)[1])
    fields.pop("question")
    assert Verdict.from_dict(fields) == replace(VERDICT, visits=())
