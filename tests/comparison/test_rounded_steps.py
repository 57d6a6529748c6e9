"""Proves what becomes of a call whose steps round otherwise: what is computed moves, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pytest_tsexport.comparison.rounded_steps import ADDS, COPIES, RoundedSteps

X = torch.tensor([[0.1234567, -2.7182818, 0.7654321], [3.1415927, 0.1234567, 1.4142135]])
Call = Callable[[torch.Tensor], torch.Tensor]


def moved(call: Call, x: torch.Tensor = X, number: int = 0, half: torch.dtype | None = None) -> torch.Tensor:
    with torch.no_grad(), RoundedSteps(number, 1, half):
        return call(x)


NEWEST = (2, 13)
"""The version of torch whose operators the lists name; an older one has fewer."""


@pytest.mark.skipif(tuple(map(int, torch.__version__.split(".")[:2])) < NEWEST, reason="has not all operators yet")
def test_every_listed_operator_is_one_of_torch_and_stands_in_one_list() -> None:
    named = (one.name.removeprefix("aten::") for one in torch._C._jit_get_all_schemas())
    assert sorted((ADDS | COPIES).difference(named)) == []
    assert sorted(ADDS & COPIES) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x,
        lambda x: x.flip(0)[:, 1:],
        lambda x: x.relu(),
        lambda x: x.clamp(-1, 1),
        lambda x: x.amax(0) - x.amax(0),
        lambda x: x >= 0.1234567,
        lambda x: torch.where(x > 0, x, -x),
        lambda x: x.sort(-1).values,
        lambda x: torch.cat([x, x.abs()]),
        lambda x: x * 1.0,
        lambda x: x + 0.0,
        lambda x: (x > 0).float().sum(-1),
        lambda x: (x > 0).float().mean(0) * 4,
        lambda x: x.amax(0) == x.amin(0),
        lambda x: x[:, :1].expand(2, 3).var(-1),
        lambda x: F.embedding(torch.tensor([1, 0]), x),
        lambda x: torch.bucketize(x, torch.tensor([0.1234567, 1.0])),
    ],
)
def test_what_is_copied_chosen_compared_or_exact_stays(call: Call) -> None:
    for number in range(3):
        assert torch.equal(moved(call, number=number), call(X))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.exp(),
        lambda x: x * 0.3,
        lambda x: x.clone().mul_(0.3),
        lambda x: x.sum(),
        lambda x: x @ x.t(),
        lambda x: x.softmax(-1),
        lambda x: F.layer_norm(x, (3,)),
        lambda x: torch.arange(2, 5).float().log(),
        lambda x: torch.complex(x, x).exp(),
        lambda x: x.double().exp(),
    ],
)
def test_what_is_computed_moves_by_a_few_ulp(call: Call) -> None:
    expected = call(X)
    eps = torch.finfo(expected.dtype).eps
    found = [moved(call, number=number) for number in range(8)]
    off = [((one - expected).abs() / expected.abs()).max().item() / eps for one in found]
    assert 0 < max(off) < 64
    assert len({str(one.tolist()) for one in found}) > 2


def test_the_number_decides() -> None:
    assert torch.equal(moved(torch.exp, number=3), moved(torch.exp, number=3))
    assert not torch.equal(moved(torch.exp, number=3), moved(torch.exp, number=4))


def test_an_exact_difference_moves_by_its_own_ulp_only() -> None:
    """The nudged operands of 101325.3 - 101325 would move the difference by a hundredth."""
    pressure = torch.tensor([101325.3, 101324.1])
    off = moved(lambda x: x - 101325.0, pressure) - (pressure - 101325.0)
    assert float(off.abs().max()) < 1e-5


def test_a_sum_near_zero_moves_by_the_ulp_of_what_is_added() -> None:
    terms = torch.tensor([1000.1234, 3.7654321, -1003.8888])
    off = [float((moved(torch.sum, terms, number) - terms.sum()).abs()) for number in range(8)]
    assert max(off) > 1e-5


@pytest.mark.parametrize(("dtype", "half"), [(torch.float32, 11), (torch.float64, 26)])
def test_a_result_of_at_most_half_of_the_digits_stays(dtype: torch.dtype, half: int) -> None:
    for digits, stays in ((half, True), (half + 1, False)):
        expected = torch.full((20, 30), -(1 + 2.0 ** (1 - digits)), dtype=dtype)
        assert torch.equal(moved(lambda x: x - 2, expected + 2), expected) is stays


def test_a_sum_is_exact_only_if_all_of_its_terms_are() -> None:
    halves, thirds = torch.full((70,), 0.5), torch.tensor([1 / 3, 2 / 3])
    for terms, exact in ((halves, True), (torch.cat([halves, thirds]), False)):
        assert float(terms.sum()) == 35 + (not exact)
        assert ({float(moved(torch.sum, terms, number)) for number in range(8)} == {float(terms.sum())}) is exact


def test_steps_in_float32_of_a_model_in_half_precision_move_by_ulp_of_its_type() -> None:
    off = [moved(torch.exp, number=number, half=torch.bfloat16) / X.exp() - 1 for number in range(8)]
    assert max(float(one.abs().max()) for one in off) > 2**-10


def test_in_half_precision_only_zero_and_what_is_not_finite_is_exact() -> None:
    x = torch.tensor([0.0, float("inf"), 1.0, 1.5] * 40, dtype=torch.bfloat16)
    after = moved(lambda one: one * 1.0, x, half=torch.bfloat16)
    assert torch.equal(after[x == 0], x[x == 0])
    assert bool(after[x.isinf()].isinf().all())
    assert not torch.equal(after[x == 1.5], x[x == 1.5])


def test_every_operator_has_one_rule_and_is_one_of_torch() -> None:
    assert not ADDS & COPIES
    known = [name for name in ADDS if hasattr(torch.ops.aten, name)]
    assert len(known) > len(ADDS) // 2


def packed(layer: nn.TransformerEncoder, x: torch.Tensor) -> torch.Tensor:
    padded = torch.arange(x.shape[1]) >= torch.tensor([3, 7])[:, None]
    answer: torch.Tensor = layer(x, src_key_padding_mask=padded)
    return answer


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_the_rows_of_a_nested_tensor_are_moved_and_their_padding_is_not() -> None:
    layer = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    x = torch.randn(2, 7, 8)
    with torch.no_grad():
        plain = packed(layer, x)
    found = moved(lambda x: packed(layer, x), x)
    assert torch.equal(found[0, 3:], torch.zeros(4, 8))
    assert torch.equal(plain[0, 3:], torch.zeros(4, 8))
    real = torch.cat([found[0, :3], found[1]]), torch.cat([plain[0, :3], plain[1]])
    assert (real[0] != real[1]).float().mean() > 0.5
    torch.testing.assert_close(*real, rtol=0, atol=1e-5)


def rows_of(call: Call) -> Call:
    """What `call` makes of the packed rows 0 to 3 and 0 to 7, padded again."""

    def run(x: torch.Tensor) -> torch.Tensor:
        packed = torch._nested_tensor_from_mask(x, torch.arange(7) < torch.tensor([3, 7])[:, None])
        padded: torch.Tensor = call(packed).to_padded_tensor(0.0)
        return padded

    return run


ROWS = torch.randn(2, 7, 8)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(
    "call",
    [
        lambda packed: packed * 1.37,
        lambda packed: packed.mul_(1.37),
        lambda packed: (packed.transpose(1, 2) * 1.37).transpose(1, 2).contiguous(),
    ],
)
def test_steps_of_packed_rows_move_however_they_lie(call: Call) -> None:
    plain, found = rows_of(call)(ROWS), moved(rows_of(call), ROWS)
    assert torch.equal(found[0, 3:], torch.zeros(4, 8))
    assert (found[1] != plain[1]).float().mean() > 0.5
    torch.testing.assert_close(found, plain, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(
    "call",
    [
        lambda packed: packed,
        lambda packed: packed * 1,
        lambda packed: torch.nested.as_nested_tensor(list(packed.unbind())),
    ],
)
def test_packed_rows_that_are_only_copied_stay(call: Call) -> None:
    assert torch.equal(moved(rows_of(call), ROWS), rows_of(call)(ROWS))


def test_jagged_rows_are_answered_as_they_are() -> None:
    def call(x: torch.Tensor) -> torch.Tensor:
        jagged = torch.nested.nested_tensor([x[0, :3], x[1]], layout=torch.jagged)
        padded: torch.Tensor = (jagged * 1.37).to_padded_tensor(0.0)
        return padded

    assert torch.equal(moved(call, ROWS), call(ROWS))
