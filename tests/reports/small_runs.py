"""Runs of a few verdicts, from which the statement and the judgement of a file are made."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import RunRecord, Surroundings
from pytest_tsexport.verdict import Outcome, Verdict

BERT = "test_export.py::test_bert"
TINY = "test_export.py::test_gpt[tiny]"
DIGEST = "ab" * 32
OTHER = "cd" * 32
CONTRACT = {"axes": {"batch": {"traced": 2, "contract": "safe"}}, "rtol": None}
VERSIONS = {"python": "3.11.7", "torch": "2.13.0"}
SURROUNDINGS = Surroundings(options={"--ts-budget": 5.0}, packages={"torch": "2.13.0"}, files={"uv.lock": OTHER})


def verdict(check: str, outcome: Outcome = Outcome.PASSED, headline: str = "equal", **changes: object) -> Verdict:
    """A verdict about the file of `BERT` on jit."""
    one = Verdict(
        subject=BERT, backend="jit", check=check, outcome=outcome, headline=headline, sha256=DIGEST, seed=7,
        contract=CONTRACT, signature="ids i64 -> logits f32",
    )  # fmt: skip
    return replace(one, **changes)  # type: ignore[arg-type]


def lost(check: str, why: str = "its process ended before it gave a verdict") -> Unanswered:
    """An item of `BERT` without a verdict."""
    return Unanswered(item=f"{BERT}[jit-{check}]", subject=BERT, backend="jit", check=check, why=why)


def run_of(*verdicts: Verdict, **changes: object) -> RunRecord:
    """A green run with these verdicts."""
    one = RunRecord(verdicts=verdicts, versions=VERSIONS, surroundings=SURROUNDINGS)
    return replace(one, **changes)  # type: ignore[arg-type]
