"""Proves that eager runs in evaluation mode, and that no state passes from one case to the next."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.reference import Reference, one_line, same_bits
from pytest_tsexport.tensors.copies import clone
from pytest_tsexport.tensors.memory import blocks
from pytest_tsexport.testing import right_sizes, right_state, wrong_exports, wrong_state
from tests.tensors.every_tensor import EVERY

PHASE = torch.polar(torch.ones(3), torch.linspace(0, 3, 3))

X = {"x": torch.randn(2, 7)}
SHORT = {"x": torch.randn(2, 3)}


def answers(model: nn.Module, calls: int = 3) -> list[torch.Tensor]:
    found = Reference(model, {}).case(X, calls)
    return [one.leaves["output"] for one in found if one.leaves is not None]


def test_a_counter_is_seen_on_the_same_copy() -> None:
    one, two, three = answers(wrong_state.CountsCalls())
    assert torch.equal(two, 2 * one)
    assert torch.equal(three, 3 * one)


def test_the_third_call_is_made() -> None:
    one, two, three = answers(wrong_state.OnThirdCall())
    assert torch.equal(one, two)
    assert not torch.equal(two, three)


def test_every_case_starts_from_the_same_state() -> None:
    reference = Reference(wrong_state.CountsCalls(), {})
    first, second = (reference.case(X, 2)[0].leaves for _ in range(2))
    assert first is not None
    assert second is not None
    assert torch.equal(first["output"], second["output"])


def test_a_switch_at_a_short_input_does_not_change_the_next_case() -> None:
    model = right_state.FlipsOnShortInput()
    reference = Reference(model, {})
    reference.case(SHORT)
    assert model.kind == "sparse"
    assert reference.parameter_sharing_copy().kind == "sparse"


def test_a_model_without_state_is_called_once_for_each_case() -> None:
    calls: list[int] = []

    class Logs(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            return x

    reference = Reference(Logs(), {})
    assert len(reference.case(X, 3)) == 3
    reference.case(SHORT, 3)
    assert len(calls) == 2


def test_eager_is_called_in_evaluation_mode_without_gradient_and_the_users_mode_is_kept() -> None:
    model = nn.Sequential(nn.Dropout(0.9), nn.Linear(7, 7)).train()
    reference = Reference(model, {})
    one, two = (reference.call(reference.parameter_sharing_copy(), {"input": X["x"]}) for _ in range(2))
    assert one.leaves is not None
    assert two.leaves is not None
    assert torch.equal(one.leaves["output"], two.leaves["output"])
    assert not one.leaves["output"].requires_grad
    assert model.training


def test_constants_are_passed_to_every_call() -> None:
    class Scales(nn.Module):
        def forward(self, x: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
            return x * scale

    (answer,) = Reference(Scales(), {"scale": 3.0}).case(X)
    assert answer.leaves is not None
    assert torch.equal(answer.leaves["output"], X["x"] * 3)


def test_overwritten_inputs_are_named_and_the_callers_inputs_are_kept() -> None:
    before = X["x"].clone()
    (answer,) = Reference(right_sizes.OverwritesInEagerToo(), {}).case(X)
    assert answer.overwritten == ("x",)
    assert torch.equal(X["x"], before)


def test_an_answer_is_not_overwritten_by_the_next_call() -> None:
    reference = Reference(right_state.ReusesItsOutput(), {})
    model = reference.parameter_sharing_copy()
    first = reference.call(model, X)
    reference.call(model, {"x": torch.zeros(2, 7)})
    assert first.leaves is not None
    assert torch.equal(first.leaves["output"], X["x"] * 2)


def test_an_exception_is_an_answer() -> None:
    (answer,) = Reference(wrong_exports.Plain(), {}).case(SHORT)
    assert answer.leaves is None
    assert answer.raised is not None
    assert answer.raised.startswith("RuntimeError: ")


class WarnsOnce(nn.Module):
    """Warns at its first call, as C++ code of torch's does."""

    warned = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.warned:
            self.warned = True
            warnings.warn("a prototype", UserWarning, stacklevel=1)
        return x * 2


def test_a_warning_is_shown_and_is_no_answer_though_warnings_are_errors() -> None:
    reference = Reference(WarnsOnce(), {})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        assert [one.raised for one in reference.case({"x": torch.ones(2)}, 2)] == [None, None]
        assert warnings.filters == filters
        with pytest.raises(UserWarning, match="another"):
            warnings.warn("another", UserWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == ["a prototype"]


def test_what_users_ignore_is_ignored() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "a prototype")
        assert Reference(WarnsOnce(), {}).case({"x": torch.ones(2)})[0].raised is None
    assert caught == []


def test_a_deep_copy_shares_nothing() -> None:
    model = wrong_exports.Plain()
    copied = Reference(model, {}).deep_copy()
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert bool(model.linear.weight.detach().any())
    assert not copied.training
    assert model.training


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(""), "ValueError, without a message"),
        (RuntimeError("The following operation failed in the TorchScript interpreter.\n  at x\nboom"), "boom"),
        (
            RuntimeError("\nUnknown builtin op: a::b.\nIt may not be supported in TorchScript.\n  ~~~ <--- HERE\n"),
            "RuntimeError: Unknown builtin op: a::b.",
        ),
        (KeyError("KeyError: x"), "KeyError: 'KeyError: x'"),
    ],
)
def test_an_exception_is_described_in_one_line(error: Exception, text: str) -> None:
    assert one_line(error).endswith(text)
    assert "\n" not in one_line(error)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")]), True),
        (torch.tensor([1.0]), torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0])), False),
        (torch.zeros(2), torch.zeros(2, 1), False),
        (torch.zeros(2), torch.zeros(2).double(), False),
        (torch.zeros(0), torch.zeros(0), True),
        (torch.tensor([True]), torch.tensor([True]), True),
        (torch.tensor([-0.0]), torch.tensor([0.0]), True),
        (PHASE.conj(), PHASE.conj().resolve_conj(), True),
        (PHASE.conj(), PHASE, False),
        (torch.tensor([1, 2], dtype=torch.uint16), torch.tensor([1, 3], dtype=torch.uint16), False),
        (torch.tensor([float("nan")]).to(torch.float8_e5m2), torch.tensor([float("nan")]).to(torch.float8_e5m2), True),
        (torch.eye(2).to_sparse(), torch.eye(2).to_sparse(), True),
        (torch.eye(2).to_sparse(), torch.eye(2), False),
        (torch.eye(2).to_sparse(), 2 * torch.eye(2).to_sparse(), False),
        (torch.eye(3).to_sparse(), torch.eye(3)[:2].to_sparse(), False),
        (torch.eye(2).to_mkldnn(), torch.eye(2).to_mkldnn(), True),
        (torch.eye(2).to_mkldnn(), torch.ones(2, 2).to_mkldnn(), False),
        (torch.ones(2, device="meta"), torch.ones(2, device="meta"), True),
    ],
)
def test_same_bits(one: torch.Tensor, other: torch.Tensor, *, same: bool) -> None:
    assert same_bits(one, other) is same


@pytest.mark.parametrize("name", sorted(EVERY))
def test_same_bits_of_every_dtype_and_layout(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls several layouts a prototype, and quantised tensors deprecated
        one, other = EVERY[name], clone(EVERY[name])
        assert same_bits(one, other)
        block = blocks(other)[0]
        block.memory[block.start] ^= 2 if one.dtype != torch.bool else 1
        assert not same_bits(one, other)


def test_codes_of_another_scale_are_other_values() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantised tensors are deprecated; files hold them all the same
        one, other = (torch.quantize_per_tensor(torch.tensor([scale]), scale, 0, torch.quint8) for scale in (1.0, 2.0))
    assert torch.equal(one.int_repr(), other.int_repr())
    assert not same_bits(one, other)


class SubtractsFirst(nn.Module):
    """What it saw first is taken away from all that follows."""

    def __init__(self) -> None:
        super().__init__()
        self.first: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.first = x if self.first is None else self.first
        return x - self.first


def test_a_sequence_is_called_in_order_on_one_copy() -> None:
    other = {"x": X["x"] * 3}
    one, two, three = Reference(SubtractsFirst(), {}).sequence([X, other, X])
    assert one.leaves is not None
    assert two.leaves is not None
    assert three.leaves is not None
    assert not bool(one.leaves["output"].any())
    assert torch.allclose(two.leaves["output"], X["x"] * 2)
    assert not bool(three.leaves["output"].any())


def test_without_state_equal_inputs_are_asked_once_and_other_ones_again() -> None:
    calls: list[int] = []

    class Logs(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            return x * 2

    one, two, three = Reference(Logs(), {}).sequence([X, SHORT, X])
    assert len(calls) == 2
    assert one is three
    assert two.leaves is not None
    assert torch.equal(two.leaves["output"], SHORT["x"] * 2)


def test_state_that_the_second_inputs_move_is_seen_by_the_third_call() -> None:
    class Opens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.open = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.open = self.open or bool((x > 100).any())
            return x * (2 if self.open else 1)

    _, _, last = Reference(Opens(), {}).sequence([X, {"x": X["x"] + 999}, X])
    assert last.leaves is not None
    assert torch.equal(last.leaves["output"], X["x"] * 2)


def test_an_answer_that_a_later_call_overwrites_is_known() -> None:
    one, two = Reference(right_state.ReusesItsOutput(), {}).sequence([X, {"x": X["x"] + 1}])
    assert one.changed == ("output",)
    assert two.changed == ()
    kept, _ = Reference(SubtractsFirst(), {}).sequence([X, {"x": X["x"] + 1}])
    assert kept.changed == ()


def test_a_model_sees_how_its_inputs_lie_in_memory() -> None:
    class Strides(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor(x.stride())

    gaps = torch.zeros(2, 7, 2)[..., 0]
    for given in (X["x"], X["x"].T, gaps):
        (answer,) = Reference(Strides(), {}).case({"x": given})
        assert answer.leaves is not None
        assert tuple(answer.leaves["output"].tolist()) == given.stride()
