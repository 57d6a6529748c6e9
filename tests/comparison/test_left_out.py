"""Proves what becomes of values that eager has no answer to: they are left out, and the example's own stand in."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import CaseResult
from pytest_tsexport.comparison.compare_case import compare_case
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import exporters, judge_specimen, right_unshown
from pytest_tsexport.testing.right_unshown import rightly_unshown
from pytest_tsexport.testing.specimen import Inputs, Specimen, rows
from pytest_tsexport.testing.wrong_unshown import positive
from pytest_tsexport.verdict import Outcome


def evidence(model: nn.Module, inputs: Inputs, **keywords: Any) -> Evidence:
    dims = {name: {0: "batch"} for name in inputs}
    policy = from_keywords({"inputs": inputs, "dynamic_shapes": dims, **keywords})
    return export(model, policy, name="it")._evidence("parity")


def compared(found: Evidence, values: str, seed: int = 1) -> CaseResult:
    return compare_case(found, at(found.subject, {}, seed=seed, values=values))


class RefusesMissing(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.isnan().any()):
            raise ValueError("a value is missing")
        return x * 2


class SumsAll(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, x.sum()


@pytest.mark.parametrize("model", [RefusesMissing(), SumsAll()])
def test_added_values_that_eager_refuses_or_answers_with_a_whole_nan_are_replaced_by_those_of_the_example(
    model: nn.Module,
) -> None:
    one = compared(evidence(model, rows()()), "nan")
    assert (one.status, one.case.values) == ("equal", "resampled")
    assert one.instead_of is not None
    assert one.instead_of.values == "nan"


def test_added_values_that_eager_answers_are_compared() -> None:
    double = evidence(right_unshown.FillsMissing(), rows()())
    assert (compared(double, "nan").status, compared(double, "nan").instead_of) == ("equal", None)
    ignoring = exporters.instead(lambda _: RefusesNothing())
    one = compared(evidence(right_unshown.FillsMissing(), rows()(), export=ignoring), "nan")
    assert (one.status, one.case.values) == ("wrong", "nan")
    assert one.difference is not None
    assert one.difference.kind == "nan"


class RefusesNothing(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


def test_usual_values_are_compared_before_others_stand_in_for_them() -> None:
    """NaN of eager and of the file must agree, whatever is drawn."""
    one = compared(evidence(SumsLogs(), positive()), "uniform")
    assert one.status == "equal"
    assert one.case.values == "resampled"
    filled = exporters.instead(Filled)
    one = compared(evidence(SumsLogs(), positive(), export=filled), "uniform")
    assert one.status == "wrong"
    assert one.case.values == "uniform"


class SumsLogs(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.log().sum(1)


class Filled(nn.Module):
    """Answers 0 where the model answers NaN."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.nan_to_num(0.0)


class NeverAnswers(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * float("nan")


def test_where_the_examples_own_values_have_no_answer_either_the_case_is_what_it_was() -> None:
    found = evidence(NeverAnswers(), rows()())
    assert (compared(found, "uniform").status, compared(found, "uniform").case.values) == ("equal", "uniform")
    assert compared(found, "nan").status == "left out"


class Best(nn.Module):
    """The last of the best, in a file that takes the first: nothing says which of several NaN is the best."""

    def __init__(self, *, last: bool = False) -> None:
        super().__init__()
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(-1, keepdim=True)
        return x.shape[1] - 1 - x.flip(1).argmax(1) if self.last else x.argmax(1)


def test_a_choice_among_nan_says_nothing() -> None:
    found = evidence(Best(), rows()(), export=exporters.instead(lambda _: Best(last=True)))
    assert compared(found, "nan").case.values == "resampled"
    assert compared(found, "nan").status == "equal"


@pytest.mark.parametrize("keywords", [{"rtol": 0.0, "atol": 0.2}, {"metric": "cosine"}])
def test_a_tolerance_that_is_meant_for_usual_values_is_not_applied_to_much_larger_ones(
    keywords: dict[str, Any],
) -> None:
    nearly = exporters.instead(lambda _: Nearly())
    found = evidence(RefusesNothing(), rows()(), export=nearly, **keywords)
    assert compared(found, "uniform").status == "equal"
    assert compared(found, "beyond").case.values == "resampled"
    assert not found.is_exact
    exact = evidence(RefusesNothing(), rows()())
    assert exact.is_exact
    assert compared(exact, "beyond").case.values == "beyond"


class Nearly(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2.001


def specimen(title: str) -> Specimen:
    return next(one for one in rightly_unshown() if one.title == title)


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("LogOfPositive", "x"),
        ("ChecksDistribution", "p"),
        ("FactorsCovariance", "x"),
        ("NeedsSortedTimes", "times"),
        ("BagsOfItems", "starts"),
    ],
)
def test_an_input_of_which_most_drawn_values_have_no_answer_is_told(title: str, names: str) -> None:
    found = judge_specimen(specimen(title), checks="parity", max_examples=30)["parity"]
    assert found.outcome is Outcome.PASSED
    assert found.judged > 20
    (line,) = [line for line in found.not_covered if "refuses" in line]
    assert line.startswith(f"{names}: eager refuses the values of ")
    assert line.endswith(
        " drawn cases, or answers NaN; the example's own values were given instead; draw possible ones with strategies="
    )


@pytest.mark.parametrize("title", ["FillsMissing", "Clamps", "SeesPadding"])
def test_nothing_is_told_where_most_drawn_values_are_answered(title: str) -> None:
    found = judge_specimen(specimen(title), checks="parity", max_examples=30)["parity"]
    assert not any("refuses" in line for line in found.not_covered)


@pytest.mark.slow
def test_a_file_runs_elsewhere_on_the_cases_that_it_answers() -> None:
    found = judge_specimen(specimen("BagsOfItems"), checks="round_trip")["round_trip"]
    assert (found.outcome, found.judged, found.planned) == (Outcome.PASSED, 3, 3)


class HalvesUntilSmall(nn.Module):
    """A loop that never ends for infinite values; the number of its rounds does not change the answer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = x.detach().abs().max()
        while bool(left > 1e-3):
            left = left / 2
        return x * 2


@pytest.mark.parametrize("values", ["infinite", "beyond"])
def test_a_loop_that_never_ends_for_infinite_values_is_left_out(values: str) -> None:
    one = compared(evidence(HalvesUntilSmall(), rows()()), values)
    assert one.status == "equal"
    assert one.case.values == ("resampled" if values == "infinite" else "beyond")


class LargestOfAll(nn.Module):
    """`eps` is added, as another kernel rounds otherwise; `skips` says whether NaN is left out of the comparison."""

    def __init__(self, *, eps: float = 0.0, skips: bool = False) -> None:
        super().__init__()
        self.eps, self.skips = eps, skips

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        known = x.nan_to_num(-1e9) if self.skips else x
        return torch.cat([known.amax(1, keepdim=True), x * (1 + self.eps)], 1)


@pytest.mark.parametrize(("eps", "status"), [(0.0, "wrong"), (1.2e-7, "left out")])
def test_another_kernel_may_spread_nan_further(eps: float, status: str) -> None:
    """Where the file gives eager's very bits for ordinary values, it has to give eager's NaN too."""
    other = exporters.instead(lambda _model: LargestOfAll(eps=eps, skips=True))
    found = evidence(LargestOfAll(), rows()(), export=other)
    assert found.is_same_kernel is (eps == 0.0)
    one = compared(found, "nan", seed=0)
    assert (one.status if one.instead_of is None else "left out") == status
    assert one.status != "wrong" or one.difference is not None
