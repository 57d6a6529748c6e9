"""Proves when a check has judged enough, and which difference its verdict reports as the worst."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.findings import CaseResult, Difference, Findings, Status
from pytest_tsexport.checks.base import FLOOR, already_wrong, counterexample_of, too_few, vacuous, worst_of
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.verdict import Outcome


def result(size: int = 1, status: Status = "equal", **more: object) -> CaseResult:
    return CaseResult(case=Case(sizes=(("batch", size),)), status=status, breach=status == "wrong", **more)  # type: ignore[arg-type]


def findings(*judged: CaseResult, planned: int = 100) -> Findings:
    return Findings(judged=judged, planned=planned)


@pytest.mark.parametrize(
    ("count", "tried", "floor"),
    [
        (FLOOR - 1, 100, FLOOR),
        (FLOOR, 100, None),
        (2, 5, 3),
        (3, 5, None),
        (8, 8, None),
        (1, 1, None),
        (0, 1, 1),
        (0, 0, 1),
    ],
)
def test_ten_cases_are_enough_or_half_of_those_that_were_tried(count: int, tried: int, floor: int | None) -> None:
    refused = (result(status="eager raises") for _ in range(tried - count))
    why = too_few(findings(*(result() for _ in range(count)), *refused))
    raised = f"; eager raises in {tried - count}" if tried > count else ""
    few = f"only {count} of {tried} cases could be judged, fewer than {floor}{raised}"
    assert why == (None if floor is None else few)


def test_what_only_eager_refuses_is_not_judged_and_what_there_was_no_time_to_settle_was_not_tried() -> None:
    judged = [result(status=status) for status in ("eager raises", "unsettled") for _ in range(FLOOR)]
    assert too_few(findings(*judged)) == "only 0 of 10 cases could be judged, fewer than 5; eager raises in 10"
    settled = [result(), *(result(status="unsettled") for _ in range(99))]
    assert too_few(findings(*settled)) is None


def test_without_a_breach_the_worst_is_what_came_nearest_to_its_tolerance() -> None:
    judged = [
        result(1, nearest=(0.1, 1.0, "a")),
        result(2, nearest=(0.5, 1.0, "b")),
        result(3, nearest=(2.0, 100.0, "c")),
        result(4, nearest=(0.2, 1.0, "d")),
    ]
    worst = worst_of(findings(*judged))
    assert worst is not None
    assert (worst.leaf, worst.difference, worst.allowed, worst.case) == ("b", 0.5, 1.0, "(batch=2)")


def test_a_tolerance_of_nothing_is_nearest_of_all() -> None:
    worst = worst_of(findings(result(1, nearest=(0.9, 1.0, "a")), result(2, nearest=(1e-9, 0.0, "exact"))))
    assert worst is not None
    assert worst.leaf == "exact"


def test_a_breach_is_the_worst_however_near_another_case_came() -> None:
    small, large = (
        result(size, "wrong", difference=Difference(kind="value", leaf="b", text="", value=off, allowed=0.1, at="[0]"))
        for size, off in ((2, 0.2), (3, 0.3))
    )
    worst = worst_of(findings(result(1, nearest=(0.99, 1.0, "a")), small, large))
    assert worst is not None
    assert (worst.leaf, worst.difference, worst.at, worst.case) == ("b", 0.3, "[0]", "(batch=3)")


def test_where_nothing_differed_there_is_no_worst() -> None:
    assert worst_of(findings(result())) is None


def test_a_counterexample_is_the_smallest_breach_unless_the_user_gave_it() -> None:
    breach = result(3, "wrong")
    found = replace(findings(breach), smallest=breach)
    assert counterexample_of(found) == {"sizes": {"batch": 3}, "seed": 0, "values": "uniform", "mask": "ones"}
    example = replace(breach, case=replace(breach.case, example=0))
    assert counterexample_of(replace(found, smallest=example)) is None
    assert counterexample_of(findings(result())) is None


@pytest.mark.parametrize(
    ("keywords", "fix"),
    [
        ({}, "return a model with real weights, or random ones of an ordinary scale"),
        ({"metric": "cosine"}, "give examples= whose answers differ, or compare by metric='close'"),
    ],
)
def test_what_to_do_where_nothing_moves_depends_on_whether_a_metric_was_given(
    keywords: dict[str, str], fix: str
) -> None:
    found = vacuous(
        export(made.ZeroInit(), from_keywords({"inputs": rows()(), **keywords}), name="it")._evidence("parity")
    )
    assert found is not None
    assert found.headline == "nothing to compare: its outputs do not move when its inputs do, so any export would pass"
    assert found.rows == (("traced at", "x (batch=2)"), ("fix", fix))


def test_where_something_moves_there_is_something_to_compare() -> None:
    assert vacuous(export(made.Plain(), from_keywords({"inputs": rows()()}), name="it")._evidence("parity")) is None


def test_what_is_wrong_at_the_traced_size_is_left_to_parity() -> None:
    evidence = export(made.Plain(), from_keywords({"inputs": rows()()}), name="it")._evidence("shapes")
    found = already_wrong(evidence, result(text="off by 1"))
    assert (found.outcome, found.check, found.subject, found.seed) == (Outcome.FAILED, "shapes", "it", evidence.seed)
    assert found.headline == "already wrong at the traced size, so no other size was checked"
    assert found.rows == (
        ("traced at", "x (batch=2)"),
        ("differs", "off by 1"),
        ("fix", "fix what parity reports first"),
    )
