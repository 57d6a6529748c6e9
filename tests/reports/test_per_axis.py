"""What is said of one axis is what happened where that axis alone left its traced size."""

from __future__ import annotations

import pytest

from pytest_tsexport.reports.per_axis import AxisAnswers, per_axis
from pytest_tsexport.verdict import Outcome, Verdict, Visit

VERDICT = Verdict(
    subject="s",
    backend="jit",
    check="shapes",
    outcome=Outcome.FAILED,
    headline="silently wrong outside the traced size",
    axes={"batch": 2, "sequence": 7},
    visits=(
        Visit(sizes=(1, 7), status="raises"),
        Visit(sizes=(2, 6), status="equal"),
        Visit(sizes=(2, 8), status="wrong"),
        Visit(sizes=(2, 9), status="eager raises"),
        Visit(sizes=(2, 10), status="wrong"),
        Visit(sizes=(3, 7), status="equal"),
        Visit(sizes=(3, 12), status="equal"),
    ),
)


def test_each_axis_has_the_sizes_that_it_alone_was_given() -> None:
    assert per_axis(VERDICT) == (
        AxisAnswers(name="batch", traced=2, right=(3,), raises=(1,), wrong=(), wrong_from=None),
        AxisAnswers(name="sequence", traced=7, right=(6,), raises=(), wrong=(8, 10), wrong_from=8),
    )


@pytest.mark.parametrize(
    ("statuses", "start"),
    [
        ({8: "wrong", 9: "equal", 10: "wrong", 11: "wrong"}, 10),
        ({8: "wrong", 9: "raises"}, None),
        ({5: "wrong", 8: "equal"}, None),
        ({5: "wrong"}, None),
        ({8: "equal"}, None),
    ],
)
def test_wrong_from_is_where_no_larger_size_is_right_or_raises(statuses: dict[int, str], start: int | None) -> None:
    visits = tuple(Visit(sizes=(size,), status=status) for size, status in statuses.items())
    one = Verdict(
        subject="s", backend="jit", check="shapes", outcome=Outcome.FAILED, headline="", axes={"n": 7}, visits=visits
    )
    assert per_axis(one)[0].wrong_from == start


def test_a_verdict_that_varied_nothing_has_no_axes() -> None:
    assert per_axis(Verdict(subject="s", backend="jit", check="parity", outcome=Outcome.PASSED, headline="")) == ()
