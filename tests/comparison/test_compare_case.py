"""Proves what becomes of one case: equal or not, long or not, and whose fault an example is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import CaseResult, Status
from pytest_tsexport.cases.listed import example_cases
from pytest_tsexport.comparison.compare_case import LONG, bad_example, compare_case, is_long, wrong_at_traced_size
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.settle import Settled, Settling
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.tensors.tree import Leaves
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
    assert (one.status, one.breach) == ("wrong", False)


def test_a_tie_break_is_equal_and_is_marked_as_one() -> None:
    found = twins()
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.breach, one.tie_break) == ("equal", False, True)


class Rounds(made.Plain):
    """Answers whole numbers, by rounding: a value may jump."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).round()


def test_where_the_time_is_spent_a_tie_break_is_neither_equal_nor_wrong() -> None:
    backend = Faulty("offset", lambda model: Offset(model, 1.0))
    found = export(Rounds(), from_keywords({"inputs": rows()()}), name="it", backend=backend)._evidence("shapes")
    found.tie_break_time.seconds = found.tie_break_time.limit + 1
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.breach, one.tie_break) == ("unsettled", False, False)
    assert one.text == "it may be a tie-break, and the time to find out is spent"


@pytest.mark.parametrize(("batch", "calls"), [(2, 3), (2 * LONG, 3), (2 * LONG + 1, 1)])
def test_each_call_is_compared_once_and_a_long_case_is_called_once(
    batch: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    settle = Settling.settle

    def spy(settling: Settling, call: int, eager: Leaves, artifact: Leaves) -> Settled:
        asked.append(call)
        return settle(settling, call, eager, artifact)

    monkeypatch.setattr(Settling, "settle", spy)
    found = twins()
    assert compare_case(found, at(found.subject, {"batch": batch}, seed=1)).tie_break
    assert asked == list(range(calls))


@pytest.mark.parametrize("later", [2, 3])
def test_the_first_call_that_is_not_equal_decides(later: int) -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return x * (2 if self.calls < later else 3)

    found = export(Counts(), from_keywords({"inputs": rows()()}), name="it")._evidence("parity")
    one = compare_case(found, at(found.subject, {}))
    assert one.status == "wrong"
    assert one.text.startswith(f"on call {later} with the same inputs: output (2, 7): off by ")


@pytest.mark.parametrize(
    ("by", "keywords", "status"),
    [
        (0.0, {}, "equal"),
        (1e-8, {}, "equal"),
        (2e-5, {}, "wrong"),
        (2e-5, {"rtol": 0.0, "atol": 0.1}, "equal"),
        (2e-5, {"rtol": {"output": 0.0}, "atol": {"output": 0.1}}, "equal"),
        (2e-8, {"rtol": 0.0, "atol": 1e-9}, "wrong"),
    ],
)
def test_noise_counts_only_where_the_user_said_nothing(by: float, keywords: dict[str, Any], status: Status) -> None:
    found = evidence(by, **keywords)
    one = compare_case(found, at(found.subject, {}))
    assert (one.status, one.tie_break) == (status, False)


def test_what_the_tolerance_hid_is_told_of_outputs_that_are_not_bit_equal() -> None:
    found = evidence(1e-2, rtol=0.0, atol=0.1)
    one = compare_case(found, at(found.subject, {}))
    least = float(found.spread.by_place["output"].min())
    assert one.hidden == {"output": pytest.approx(0.1 / least)}
    assert one.nearest == pytest.approx((1e-2, 0.1, "output"), abs=1e-6)
    exact = evidence(0.0, rtol=0.0, atol=0.1)
    assert compare_case(exact, at(exact.subject, {})).hidden == {}


def test_a_fault_at_the_traced_size_is_found_and_a_right_one_is_not() -> None:
    wrong = wrong_at_traced_size(evidence(1.0))
    assert wrong is not None
    assert (wrong.status, wrong.case) == ("wrong", at(evidence(1.0).subject, {}, seed=3))
    assert wrong_at_traced_size(evidence(0.0)) is None


def test_a_frozen_mask_is_looked_for_at_the_traced_size_with_the_values_and_the_mask_of_a_case() -> None:
    found = evidence(1.0)
    like = replace(at(found.subject, {"batch": 5}, seed=9, values="special", mask="left"), example=4)
    wrong = wrong_at_traced_size(found, like)
    assert wrong is not None
    assert wrong.case == at(found.subject, {}, seed=9, values="special", mask="left")


def test_a_file_that_raises_at_the_traced_size_is_wrong_there() -> None:
    backend = Faulty("raises", RaisesForNegative)
    found = export(made.Plain(), from_keywords({"inputs": rows()()}), name="it", backend=backend)._evidence("shapes")
    wrong = wrong_at_traced_size(found)
    assert wrong is not None
    assert wrong.status == "raises"


class RaisesForNegative(nn.Module):
    """Takes as many values as are positive in the example to be all of them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + x[x > 0].reshape(int((x > 0).sum())).sum() * 0


def test_a_case_is_long_past_sixteen_times_the_traced_volume() -> None:
    subject = evidence(0.0).subject
    assert (LONG, subject.sizes) == (16, {"batch": 2})
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


class Doubles(nn.Module):
    """Twice the input; with a fault, one more, or nothing for a large first value."""

    def __init__(self, *, by: float = 0.0, most: float = 99.0) -> None:
        super().__init__()
        self.by = by
        self.most = most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if float(x[0, 0]) > self.most:
            raise ValueError("too large")
        return x * 2 + self.by


X = torch.linspace(-1, 1, 14).reshape(2, 7)


def compared(example: dict[str, torch.Tensor], *, by: float = 0.0) -> CaseResult:
    """The example, compared with a file that adds `by`."""
    backend = Faulty("offset", lambda model: Offset(model, by))
    policy = from_keywords({"inputs": rows()(), "examples": [example]})
    found = export(Doubles(), policy, name="it", backend=backend)._evidence("parity")
    (case,) = example_cases(found.subject)
    return compare_case(found, case)


STALE = (
    "neither the file nor eager gives the outputs that are stored with an example",
    "store new outputs with it, or give the model that the stored ones came from",
)


@pytest.mark.parametrize(
    ("stored", "by", "status", "kind", "text", "fault"),
    [
        ({}, 0.0, "equal", None, "", None),
        ({}, 1.0, "wrong", "value", "output (2, 7): off by 1.0e+00 at ", None),
        ({"output": X * 2}, 0.0, "equal", None, "", None),
        (
            {"output": X * 2},
            1.0,
            "wrong",
            "value",
            "from the outputs stored with it: output (2, 7): off by 1.0e+00",
            None,
        ),
        (
            {"output": X * 2 + 5},
            0.0,
            "wrong",
            "stale",
            "from the outputs stored with it: output (2, 7): off by ",
            STALE,
        ),
        ({"output": X[:1]}, 0.0, "wrong", "stale", "from the outputs stored with it: output has shape (2, 7), ", STALE),
    ],
    ids=["nothing stored", "wrong file", "right", "wrong file, right example", "stale", "another shape"],
)
def test_whose_fault_an_example_is(
    stored: dict[str, torch.Tensor],
    by: float,
    status: Status,
    kind: str | None,
    text: str,
    fault: tuple[str, str] | None,
) -> None:
    one = compared({"x": X, **stored}, by=by)
    assert (one.status, one.breach, None if one.difference is None else one.difference.kind) == (status, False, kind)
    assert one.text.startswith(text)
    assert one.text.endswith("; eager differs from them too") is (kind == "stale")
    assert bad_example(one) == fault


def test_of_several_outputs_only_those_that_are_stored_are_compared_with_what_is_stored() -> None:
    policy = from_keywords({"inputs": rows()(), "examples": [{"x": X, "1": X + 7}]})
    found = export(made.TwoOutputs(), policy, name="it")._evidence("parity")
    (case,) = example_cases(found.subject)
    one = compare_case(found, case)
    assert one.difference is not None
    assert (one.difference.kind, one.difference.leaf) == ("stale", "1")


def test_an_example_that_eager_refuses_is_not_the_files_fault() -> None:
    one = compared({"x": X + 200, "output": X})
    assert one.difference is not None
    assert (one.status, one.difference.kind, one.difference.value) == ("wrong", "refused", float("inf"))
    assert one.difference.allowed == 0.0
    assert one.text == "eager raises on it: ValueError: too large"
    assert bad_example(one) == ("eager refuses an example", "give examples= that the model takes")


class Overwrites(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.clone())
        x.zero_()
        return answer


@pytest.mark.parametrize(("model", "overwrites"), [(made.Plain, True), (right_sizes.OverwritesInEagerToo, False)])
def test_an_input_that_only_the_file_overwrites_is_a_fault(model: type[nn.Module], *, overwrites: bool) -> None:
    found = export(
        model(), from_keywords({"inputs": rows()()}), name="it", backend=Faulty("overwrites", Overwrites)
    )._evidence("parity")
    one = compare_case(found, at(found.subject, {}))
    assert one.status == ("wrong" if overwrites else "equal")
    if one.difference is not None:
        assert (one.difference.kind, one.difference.leaf, one.difference.allowed) == ("overwrite", "x", 0.0)
        assert one.difference.value == float("inf")
        assert one.text == "the artifact overwrites its input x, eager leaves it alone"
