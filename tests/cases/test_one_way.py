"""Proves that a line which went one way in every case is told, and that a line which went two ways is not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch
from torch import nn

from pytest_tsexport.cases import one_way as told
from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.cases.one_way import FIRST, MOST_WATCHED, one_way
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Answer, Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import rows


def built(model: nn.Module) -> Subject:
    return build(model, Meaning(inputs=rows()()), name="it")


def cases(subject: Subject, count: int = 20) -> list[Case]:
    return list(traced_cases(subject))[:count]


class NeverHot(nn.Module):
    """Does something else for one number that is never drawn."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 3 if (x == 123.456).any() else x


class OftenPositive(nn.Module):
    """Takes both ways."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.sum() > 0 else x


class ManyBranches(nn.Module):
    """Four lines that go one way, and one that goes two ways."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = int((x == 123.456).sum())
        two = float((x == 234.567).sum())
        three = (x == 345.678).any().item()
        four = bool((x == 456.789).any())
        return x * 2 if x.sum() > 0 else x + one + two + three + four


def line_of(model: type[nn.Module], text: str) -> int:
    lines, start = inspect.getsourcelines(model)
    return next(start + place for place, line in enumerate(lines) if text in line)


def test_a_branch_that_went_one_way_is_told_by_its_line() -> None:
    subject = built(NeverHot())
    line = line_of(NeverHot, "if (x == 123.456)")
    assert one_way(subject, cases(subject)) == (f"test_one_way.py:{line} went one way in all 20 cases watched",)


def test_a_branch_that_went_two_ways_is_not_told() -> None:
    subject = built(OftenPositive())
    assert one_way(subject, cases(subject)) == ()


def test_many_lines_are_folded() -> None:
    subject = built(ManyBranches())
    found = one_way(subject, cases(subject))
    assert len(found) == 4
    assert found[-1] == "1 more lines that went one way"


class Counting(Reference):
    """Counts the cases that are watched."""

    asked = 0

    def case(self, inputs: Mapping[str, torch.Tensor], calls: int = 1) -> list[Answer]:
        Counting.asked += 1
        return super().case(inputs, calls)


def test_no_more_cases_are_watched_than_needed(monkeypatch: object) -> None:
    monkeypatch.setattr(told, "Reference", Counting)  # type: ignore[attr-defined]
    for model, watched in ((OftenPositive(), FIRST), (NeverHot(), MOST_WATCHED)):
        Counting.asked = 0
        subject = built(model)
        one_way(subject, cases(subject, 20) * 5)
        assert Counting.asked == watched


def test_verdicts_list_them_as_not_covered() -> None:
    found = judge(NeverHot(), rows()(), checks=["parity", "shapes"], max_examples=20)
    for verdict in found.values():
        assert any("went one way in all" in line for line in verdict.not_covered)
