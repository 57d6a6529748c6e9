"""Small runs of the validation suite as the JSON report has them."""

from __future__ import annotations

import json
from typing import Any

from pytest_tsexport.reports import json_report
from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome, Row, Verdict, Visit

VERSIONS = {"python": "3.11.7", "pytest-tsexport": "0.1.0", "torch": "2.13.0+cpu", "transformers": "5.23.0"}
DIFFERS: tuple[Row, ...] = (
    ("traced at", "input_ids (batch=2, sequence=7)"),
    ("differs", "logits (2, 8, 4): off by 3.1e-01"),
    ("likely cause", "modeling_x.py:7, in layers.0"),
)
EQUAL = (Visit(sizes=(1, 7), status="equal"), Visit(sizes=(2, 6), status="equal"), Visit(sizes=(2, 8), status="equal"))
RAISES = (Visit(sizes=(1, 7), status="raises"), *EQUAL[1:])
WRONG = (*EQUAL[:2], Visit(sizes=(2, 8), status="wrong"), Visit(sizes=(2, 9), status="wrong"))


def verdict(check: str, outcome: Outcome = Outcome.PASSED, *, of: str = "bert", **more: Any) -> Verdict:
    """A verdict about one model type; `shapes` has its axes."""
    axes = {"axes": {"batch": 2, "sequence": 7}, "visits": EQUAL} if check == "shapes" else {}
    counts = {"judged": 20, "planned": 30, "seed": 5, "seconds": 0.25, "headline": f"{check} is {outcome.value}"}
    return Verdict(
        **{
            "subject": f"suite/test_architectures.py::test_architecture[{of}]",
            "backend": "jit",
            "check": check,
            "outcome": outcome,
            **axes,
            **counts,
            **more,
        }
    )


def failed(check: str, headline: str, **more: Any) -> Verdict:
    """A verdict of a fault that was seen."""
    return verdict(check, Outcome.FAILED, headline=headline, rows=DIFFERS, **more)


def right(of: str = "bert", **more: Any) -> tuple[Verdict, ...]:
    """The verdicts about an export that is right."""
    return tuple(verdict(check, of=of, **more) for check in ("trace", "parity", "shapes"))


def replaced(*others: Verdict, of: str = "bert") -> tuple[Verdict, ...]:
    """The verdicts about an export that is right, but for these."""
    checks = {one.check: one for one in (*right(of), *others)}
    return tuple(checks.values())


def lost(of: str, why: str, check: str = "trace", backend: str = "jit") -> Unanswered:
    """An item without a verdict."""
    subject = f"suite/test_architectures.py::test_architecture[{of}]"
    return Unanswered(item=f"{subject[:-1]}-{backend}-{check}]", subject=subject, backend=backend, check=check, why=why)


def run(*verdicts: Verdict, unanswered: tuple[Unanswered, ...] = (), **more: Any) -> dict[str, Any]:
    """A run as its report, read back."""
    values = {"versions": VERSIONS, "options": ("--ts-backend=jit,neuron-sim", "--ts-budget=9"), **more}
    record = RunRecord(verdicts=verdicts, unanswered=unanswered, **values)
    document: dict[str, Any] = json.loads(json_report.text(record))
    return document
