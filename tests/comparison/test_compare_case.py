"""Proves what becomes of one case: above the noise or not, long or not, and whose fault an example is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import Status
from pytest_tsexport.comparison.compare_case import LONG, compare_case, is_long, wrong_at_traced_size
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Faulty, Offset, right_sizes
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows


def evidence(by: float, **keywords: Any) -> Evidence:
    """Evidence about an export that adds `by`."""
    torch.manual_seed(0)
    backend = Faulty("offset", lambda model: Offset(model, by))
    policy = from_keywords({"inputs": rows()(), **keywords})
    return export(made.Plain(), policy, name="it", backend=backend)._evidence("shapes")


class Twins(nn.Module):
    """Two scores that are one sum: rounding decides which is the best."""

    def __init__(self, *, last: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 2)
        with torch.no_grad():
            self.linear.weight.copy_(torch.linspace(-0.7, 0.3, 7))
            self.linear.bias.fill_(0.1)
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.linear(x)
        return 1 - scores.flip(1).argmax(1) if self.last else scores.argmax(1)


def twins() -> Evidence:
    """Evidence about an export that takes the last of two scores that tie, where eager takes the first."""
    backend = Faulty("last", lambda _: Twins(last=True))
    return export(Twins(), from_keywords({"inputs": rows()()}), name="it", backend=backend)._evidence("shapes")


@pytest.mark.parametrize(
    ("model", "length", "status"),
    [
        (right_sizes.PositionsFromShape, 9, "equal"),
        (right_sizes.RaisesOffSize, 9, "raises"),
        (right_sizes.EagerAlsoRaises, 2, "both raise"),
        (right_sizes.EagerAloneRaises, 21, "eager raises"),
    ],
)
def test_a_result_says_what_happened_and_leaves_the_contract_to_the_check(
    model: type[nn.Module], length: int, status: Status
) -> None:
    found = export(model(), from_keywords({"inputs": rows()()}), name="it")._evidence("shapes")
    one = compare_case(found, at(found.subject, {"dim1": length}))
    assert (one.status, one.breach, one.difference) == (status, False, None)


def test_what_is_wrong_is_a_breach_only_by_the_contract_of_the_check() -> None:
    found = evidence(1.0)
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.breach, one.above_noise) == ("wrong", False, False)


def test_a_tie_break_is_equal_and_is_marked_as_one() -> None:
    found = twins()
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.breach, one.tie_break, one.above_noise) == ("equal", False, True, False)


def test_where_the_time_is_spent_a_tie_break_is_neither_equal_nor_wrong() -> None:
    found = twins()
    found.tie_break_time.seconds = found.tie_break_time.limit + 1
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.breach, one.tie_break) == ("unsettled", False, False)
    assert one.text == "it may be a tie-break, and the time to find out is spent"


@pytest.mark.parametrize(
    ("by", "keywords", "above"),
    [
        (0.0, {}, False),
        (2e-5, {}, True),
        (2e-5, {"rtol": 0.0, "atol": 0.1}, False),
        (2e-5, {"rtol": {"output": 0.0}, "atol": {"output": 0.1}}, False),
    ],
)
def test_noise_counts_only_where_the_user_said_nothing(by: float, keywords: dict[str, Any], *, above: bool) -> None:
    found = evidence(by, **keywords)
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.above_noise, one.tie_break) == ("equal", above, False)


def test_a_fault_at_the_traced_size_is_found_and_a_right_one_is_not() -> None:
    wrong = wrong_at_traced_size(evidence(1.0))
    assert wrong is not None
    assert wrong.status == "wrong"
    assert wrong_at_traced_size(evidence(0.0)) is None


def test_a_case_is_long_past_sixteen_times_the_traced_volume() -> None:
    subject = evidence(0.0).subject
    assert subject.sizes == {"batch": 2}
    assert not is_long(at(subject, {"batch": 2 * LONG}), subject)
    assert is_long(at(subject, {"batch": 2 * LONG + 1}), subject)


def test_a_difference_that_no_tie_break_explains_is_remembered_in_this_run_alone() -> None:
    one = evidence(1.0)
    compare_case(one, at(one.subject, {}))
    assert one.tie_break_time.refuted
    assert not evidence(1.0).tie_break_time.refuted


def test_masks_that_production_never_sends_refute_nothing() -> None:
    one = evidence(1.0)
    compare_case(one, at(one.subject, {}, mask="holes"))
    assert not one.tie_break_time.refuted
