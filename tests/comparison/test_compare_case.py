"""Proves what becomes of one case: above the noise or not, long or not, and whose fault an example is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pytest_tsexport.cases.case import at
from pytest_tsexport.comparison.compare_case import LONG, compare_case, is_long, wrong_at_traced_size
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Faulty, Offset
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows


def evidence(by: float, **keywords: Any) -> Evidence:
    """Evidence about an export that adds `by`."""
    torch.manual_seed(0)
    backend = Faulty("offset", lambda model: Offset(model, by))
    policy = from_keywords({"inputs": rows()(), **keywords})
    return export(made.Plain(), policy, name="it", backend=backend)._evidence("shapes")


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
    assert (one.status, one.above_noise) == ("equal", above)


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
