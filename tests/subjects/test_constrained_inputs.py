"""Proves that eager accepts every drawn case of inputs that depend on one another, at the traced size and at others."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.cases.listed import edge_cases, traced_cases
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome
from tests.subjects.families import build as family

TEXT = {"input_ids": torch.arange(14).view(2, 7) + 3, "lengths": torch.tensor([7, 4])}
SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "boxes": ("layoutlm", {}),
    "lengths": ("xlm", {"inputs": TEXT}),
    "lengths of a renamed axis": (
        "xlm",
        {"inputs": TEXT, "dynamic_shapes": {"input_ids": {0: "rows", 1: "time"}, "lengths": {0: "rows"}}},
    ),
}
subjects = pytest.mark.parametrize(("name", "meaning"), SUBJECTS.values(), ids=SUBJECTS)


def small_cases(subject: Subject) -> list[Case]:
    """Sizes that eager takes: the family has a table of 48 positions."""
    cases = [case for case in edge_cases(subject) if case.volume <= 100 and max(dict(case.sizes).values()) <= 48]
    return [*list(traced_cases(subject))[:20], *cases]


@subjects
def test_eager_accepts_every_case(name: str, meaning: dict[str, Any]) -> None:
    subject = build(family(name).eval(), Meaning(**meaning), name="it")
    reference = Reference(subject.model, subject.constants)
    cases = small_cases(subject)
    assert len(cases) > 30
    refused = [str(case) for case in cases if reference.case(tensors(case, subject))[0].leaves is None]
    assert not refused


@subjects
def test_a_right_export_is_judged_right(name: str, meaning: dict[str, Any]) -> None:
    found = judge(family(name), checks=["parity", "shapes"], max_examples=15, **meaning)
    assert {check: one.outcome for check, one in found.items()} == dict.fromkeys(("parity", "shapes"), Outcome.PASSED)
