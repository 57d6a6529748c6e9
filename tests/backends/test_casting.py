"""Proves that compiler arguments decide what is cast, and that the emulation rounds exactly that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pytest_tsexport.backends.casting import SHARES, TYPES, Casting, argument, casting_of, emulated
from pytest_tsexport.errors import ExportError

NEURON = Casting(scope="matmult", type="fp16")
"""The default of a compiler."""


@pytest.mark.parametrize(
    ("args", "scope", "kind"),
    [
        ([], "matmult", "fp16"),
        (["--auto-cast", "all"], "all", "fp16"),
        (["--auto-cast=all"], "all", "fp16"),
        (["--auto-cast-type=bf16"], "matmult", "bf16"),
        (["--auto-cast-type", "tf32", "--auto-cast", "none"], "none", "tf32"),
        (["--optlevel", "2", "--auto-cast", "none", "--model-type=transformer"], "none", "fp16"),
        (["--auto-cast", "none", "--auto-cast", "all"], "all", "fp16"),
        (["--auto-cast=all", "--auto-cast", "none"], "none", "fp16"),
        (["--auto-cast", "none", "--auto-cast=all"], "all", "fp16"),
    ],
)
def test_the_last_of_each_argument_counts_in_both_spellings(args: list[str], scope: str, kind: str) -> None:
    assert casting_of(args, NEURON) == Casting(scope=scope, type=kind)


def test_an_argument_is_not_a_prefix_of_another() -> None:
    args = ["--auto-cast-type", "bf16", "--no-auto-cast", "x"]
    assert argument(args, "--auto-cast") is None
    assert argument(args, "--auto-cast-type") == "bf16"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--auto-cast", "most"], "the compiler argument --auto-cast is 'most'; use one of none, matmult, all"),
        (["--auto-cast=matmul"], "the compiler argument --auto-cast is 'matmul'; use one of none, matmult, all"),
        (
            ["--auto-cast-type=fp8"],
            "the compiler argument --auto-cast-type is 'fp8'; use one of bf16, fp16, tf32, fp8_e4m3",
        ),
    ],
)
def test_an_unknown_value_is_refused_in_a_sentence(args: list[str], sentence: str) -> None:
    with pytest.raises(ExportError) as raised:
        casting_of(args, NEURON)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("args", [["--auto-cast"], ["--auto-cast="], ["--optlevel", "2", "--auto-cast-type"]])
def test_an_argument_without_a_value_is_refused(args: list[str]) -> None:
    with pytest.raises(ExportError, match="is ''; use one of"):
        casting_of(args, NEURON)


def test_a_casting_prints_as_it_is_typed() -> None:
    assert str(NEURON) == "matmult fp16"
    assert str(Casting()) == "none"


@pytest.mark.parametrize("kind", TYPES)
def test_none_has_no_dtype_and_the_same_share_for_each_type(kind: str) -> None:
    none = Casting(scope="none", type=kind)
    assert (none.dtype, none.share) == (None, 1e-3)


def test_more_or_coarser_casting_allows_a_larger_difference() -> None:
    for kind in TYPES:
        assert SHARES["none"][kind] < SHARES["matmult"][kind] < SHARES["all"][kind]
    for scope in ("matmult", "all"):
        shares = [Casting(scope=scope, type=kind).share for kind in ("fp16", "bf16", "fp8_e4m3")]
        assert shares == sorted(set(shares))


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


A, B, BIAS = drawn(4, 8), drawn(8, 3), drawn(3)

PRODUCTS: dict[str, Callable[[], torch.Tensor]] = {
    "mm": lambda: A @ B,
    "addmm": lambda: torch.addmm(BIAS, A, B),
    "bmm": lambda: A.view(1, 4, 8).bmm(B.view(1, 8, 3)),
    "baddbmm": lambda: torch.baddbmm(BIAS, A.view(1, 4, 8), B.view(1, 8, 3)),
    "addbmm": lambda: torch.addbmm(BIAS, A.view(1, 4, 8), B.view(1, 8, 3)),
    "mv": lambda: A.mv(B[:, 0]),
    "addmv": lambda: torch.addmv(A[:, 0], A, B[:, 0]),
    "dot": lambda: A[0].dot(B[:, 0]),
    "linear": lambda: torch.nn.functional.linear(A, B.t(), BIAS),
    "einsum": lambda: torch.einsum("ab,bc->ca", A, B),
    "convolution": lambda: torch.nn.functional.conv1d(A.view(1, 4, 8), drawn(2, 4, 3)),
    "attention": lambda: torch.nn.functional.scaled_dot_product_attention(*(A.view(1, 1, 4, 8),) * 3),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_product_of_matrices_is_rounded(name: str) -> None:
    exact = PRODUCTS[name]()
    with emulated(Casting(scope="matmult", type="bf16")):
        cast = PRODUCTS[name]()
    assert cast.dtype == torch.float32
    assert 0 < float((cast - exact).abs().max()) < 2**-6 * float(exact.abs().max()) * 4


def test_the_summand_of_a_product_is_not_rounded() -> None:
    exact = torch.tensor([1 + 2**-12])
    with emulated(Casting(scope="matmult", type="bf16")):
        assert torch.equal(torch.addmm(exact, torch.zeros(1, 1), torch.zeros(1, 1)), exact.view(1, 1))


def test_sums_of_products_stay_in_float32() -> None:
    ones = torch.ones(1, 1000)
    with emulated(Casting(scope="matmult", type="bf16")):
        assert float(ones @ (ones.t() + 2**-7)) == 1000 + 1000 * 2**-7


def test_matmult_rounds_only_products() -> None:
    with emulated(Casting(scope="matmult", type="bf16")):
        assert torch.equal(A.exp() * 1.1, A.exp() * 1.1)
        cast = A.exp().softmax(-1)
    assert torch.equal(cast, A.exp().softmax(-1))


def test_all_rounds_arguments_and_results() -> None:
    with emulated(Casting(scope="all", type="bf16")):
        cast = A * 1.1
    number = torch.tensor(1.1).bfloat16().item()
    assert torch.equal(cast, (A.bfloat16().float() * number).bfloat16().float())


@pytest.mark.parametrize("number", [1.1, -0.3, 1e-30])
def test_a_number_is_rounded_as_a_tensor_of_it_is(number: float) -> None:
    with emulated(Casting(scope="all", type="fp16")):
        by_number, by_buffer = A * number + number, A * torch.tensor(number) + torch.tensor(number)
        filled = A.masked_fill(A > 0, number)
    assert torch.equal(by_number, by_buffer)
    assert torch.equal(filled[A > 0], torch.full_like(filled[A > 0], torch.tensor(number).half().item()))


def test_a_number_that_is_not_computed_with_is_not_rounded() -> None:
    tiny = A * 1e-9
    with emulated(Casting(scope="all", type="bf16")):
        cast = torch.nn.functional.layer_norm(tiny, (8,), eps=1e-12)
    assert bool(cast.isfinite().all())


def test_numbers_of_doubles_and_integers_are_not_rounded() -> None:
    exact = A.double()
    with emulated(Casting(scope="all", type="bf16")):
        doubled = exact * 1.1
        assert int(torch.tensor(257) + 2**20) == 257 + 2**20
    assert torch.equal(doubled, exact * 1.1)


def test_all_does_not_copy_views_and_writes_in_place() -> None:
    x = A.clone()
    with emulated(Casting(scope="all", type="bf16")):
        x.view(8, 4)[0].zero_()
    assert not bool(x.view(8, 4)[0].any())
    assert torch.equal(x.view(8, 4)[1:], A.view(8, 4)[1:])


@pytest.mark.parametrize("scope", ["matmult", "all"])
@pytest.mark.parametrize("x", [A.double(), A.half(), torch.tensor([[2**24 + 1]])], ids=["float64", "float16", "int64"])
def test_only_float32_is_cast(scope: str, x: torch.Tensor) -> None:
    exact = x @ x.t()
    with emulated(Casting(scope=scope, type="bf16")):
        assert torch.equal(x @ x.t(), exact)


@pytest.mark.parametrize(
    "casting", [Casting(), Casting(scope="all", type="tf32"), Casting(scope="all", type="fp8_e4m3")]
)
def test_a_type_without_a_torch_dtype_is_not_emulated(casting: Casting) -> None:
    exact = A @ B
    with emulated(casting):
        assert torch.equal(A @ B, exact)


def test_nothing_is_cast_afterwards() -> None:
    exact = A @ B
    with pytest.raises(KeyError), emulated(Casting(scope="all", type="bf16")):
        raise KeyError
    assert torch.equal(A @ B, exact)
