"""Proves which result of a case breaks which contract, and what `shapes` says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import CaseResult, Difference, Findings, Status
from pytest_tsexport.checks import shapes
from pytest_tsexport.checks.base import verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Faulty
from pytest_tsexport.verdict import Outcome, Verdict

EVERY: Sequence[Status] = ("equal", "raises", "both raise", "eager raises", "wrong", "unsettled")


class Doubles(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, y * 2


def evidence(contract: str = "safe", **keywords: Any) -> Evidence:
    """Evidence about two inputs, of shapes (batch, dim1) and (batch, y.1)."""
    inputs = {"x": torch.randn(2, 7), "y": torch.randn(2, 5)}
    backend = Faulty("ours", lambda model: model, contract)
    return export(Doubles(), from_keywords({"inputs": inputs, **keywords}), name="it", backend=backend)._evidence(
        "shapes"
    )


def judged(
    found: Evidence, sizes: dict[str, int], status: Status, monkeypatch: pytest.MonkeyPatch
) -> CaseResult | None:
    """What `shapes` makes of a result with this status."""
    monkeypatch.setattr(
        shapes, "compare_case", lambda _, case: CaseResult(case=case, status=status, breach=False, text="it")
    )
    return shapes._judge(found, at(found.subject, sizes))


@pytest.mark.parametrize(
    ("sizes", "breaches"),
    [
        ({"dim1": 9}, {"wrong"}),
        ({"y.1": 9}, {"wrong", "raises"}),
        ({"batch": 9}, {"wrong", "equal", "eager raises", "unsettled"}),
        ({"dim1": 9, "y.1": 9}, {"wrong"}),
        ({"batch": 9, "y.1": 9}, {"wrong", "equal", "eager raises", "unsettled"}),
    ],
    ids=["safe", "dynamic", "fixed", "safe and dynamic", "fixed and dynamic"],
)
def test_a_case_breaks_a_contract_or_keeps_it(
    sizes: dict[str, int], breaches: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evidence(shapes={"batch": "fixed", "dim1": "safe", "y.1": "dynamic"})
    results = {status: judged(found, sizes, status, monkeypatch) for status in EVERY}
    assert {status for status, one in results.items() if one is not None and one.breach} == breaches


def test_a_case_at_the_traced_size_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(evidence(), {}, "wrong", monkeypatch) is None


@pytest.mark.parametrize(
    ("dropped", "batch", "length"),
    [((), "fixed", "fixed"), (("x",), "fixed", "safe"), (("y",), "fixed", "fixed"), (("x", "y"), "safe", "safe")],
)
def test_an_axis_of_inputs_that_the_compiler_dropped_is_safe(
    dropped: tuple[str, ...], batch: str, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "dropped", lambda _: dropped)
    found = evidence("fixed")
    assert (shapes.contract_of(found, "batch"), shapes.contract_of(found, "dim1")) == (batch, length)
    assert shapes.contract_of(evidence("fixed", shapes="dynamic"), "dim1") == "dynamic"


def result(found: Evidence, status: Status, off: float | None = None, text: str = "", **sizes: int) -> CaseResult:
    difference = None
    if off is not None:
        difference = Difference(kind="value", leaf="0", text=text, value=off, allowed=0.1)
    case = at(found.subject, {name.replace("_", "."): size for name, size in sizes.items()})
    return CaseResult(case=case, status=status, breach=off is not None, difference=difference, text=text)


def described(found: Evidence, outcome: Outcome, *judged: CaseResult) -> Verdict:
    blank = verdict(found, outcome, "it")
    return shapes._described(blank, found, Findings(judged=judged, planned=9))


def test_the_smallest_case_where_only_eager_raises_is_noted_if_all_else_is_right() -> None:
    found = evidence()
    beyond = [result(found, "eager raises", dim1=size, batch=3) for size in (9, 8, 21)]
    passed = described(found, Outcome.PASSED, result(found, "equal", dim1=6), *beyond)
    assert passed.notes == ("runs where eager raises: (batch=3, dim1=8, y.1=5)",)
    assert (passed.judged, passed.planned) == (1, 9)
    assert described(found, Outcome.FAILED, *beyond).notes == ()


def test_a_worse_difference_than_that_of_the_smallest_breach_is_reported_beside_it() -> None:
    found = evidence()
    small, large = result(found, "wrong", 0.5, "off by 5.0e-01", dim1=8), result(found, "wrong", 3.0, dim1=30)
    searched = Findings(judged=(small, large), planned=9, smallest=small)
    rows = dict(shapes._rows(found, searched, small))
    assert rows["traced at"] == "x, y (batch=2, dim1=7, y.1=5)"
    assert rows["counterexample"] == (
        f"(batch=2, dim1=8, y.1=5)        smallest of 2 in 2 of 9 cases, seed {found.seed}"
    )
    assert rows["differs"] == "off by 5.0e-01; worst met 3.0e+00 at (2, 30, 5)"
    assert dict(shapes._rows(found, Findings(judged=(small,), planned=9, smallest=small), small))["differs"] == (
        "off by 5.0e-01"
    )


@pytest.mark.parametrize(
    ("status", "contract", "headline", "fix"),
    [
        (
            "equal",
            "fixed",
            "computes outside the traced size, where the contract of dim1 is fixed",
            "export with guard=True so that another size raises, or declare the axis 'safe' or 'dynamic'",
        ),
        (
            "raises",
            "dynamic",
            "raises outside the traced size, where the contract is dynamic",
            "declare the axis shapes='safe' if callers can handle the error, or change what freezes the size",
        ),
        (
            "wrong",
            "safe",
            "silently wrong outside the traced size",
            "trace at the largest size and pad, or export with guard=True so that other sizes raise",
        ),
    ],
)
def test_what_to_do_follows_from_how_the_contract_is_broken(
    status: Status, contract: str, headline: str, fix: str
) -> None:
    found = evidence(shapes={"dim1": contract})
    assert shapes._headline(found, result(found, status, dim1=9)) == (headline, fix)


def test_where_it_is_equal_and_should_have_raised_the_row_says_so() -> None:
    found = evidence(shapes="fixed")
    one = result(found, "equal", dim1=9)
    rows = dict(shapes._rows(found, Findings(judged=(one,), planned=9, smallest=one), one))
    assert rows["differs"] == "it does not raise, and equals eager"
