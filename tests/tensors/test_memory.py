"""Proves that memory is read for every dtype and layout of torch, and that sharing is decided by elements."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.tensors.memory import blocks, digest, share_elements, why_unreadable
from tests.tensors.every_tensor import EVERY, UNREADABLE

FUSED = torch.arange(98.0).reshape(7, 14)

SHARING: dict[str, tuple[torch.Tensor, torch.Tensor, bool]] = {
    "itself": (FUSED, FUSED, True),
    "the transpose": (FUSED, FUSED.T, True),
    "a clone": (FUSED, FUSED.clone(), False),
    "columns of one matrix": (FUSED[:, :7], FUSED[:, 7:], False),
    "columns with one in both": (FUSED[:, :8], FUSED[:, 7:], True),
    "every second row": (FUSED[::2], FUSED[1::2], False),
    "two rows": (FUSED[0], FUSED[1], False),
    "its bytes": (FUSED, FUSED.view(torch.uint8), True),
    "real and imaginary parts": (torch.view_as_complex(FUSED.view(49, 2)).real, FUSED.view(49, 2)[:, 1], False),
    "a complex number and its imaginary part": (
        torch.view_as_complex(FUSED.view(49, 2)),
        FUSED.view(49, 2)[:, 1],
        True,
    ),
    "the conjugate": (torch.view_as_complex(FUSED.view(49, 2)), torch.view_as_complex(FUSED.view(49, 2)).conj(), True),
    "an expanded element": (FUSED[0, 0].expand(10**12), FUSED[0], True),
    "a diagonal and what is above it": (FUSED[:, :7].diagonal(), FUSED[:, 1:].diagonal(), False),
    "no elements": (FUSED[:0], FUSED, False),
    "the values of a sparse tensor": (torch.eye(3).to_sparse().coalesce().values(), torch.ones(3), False),
}


@pytest.mark.parametrize("name", SHARING)
def test_sharing_is_decided_by_elements(name: str) -> None:
    one, other, shared = SHARING[name]
    assert share_elements(one, other) is shared
    assert share_elements(other, one) is shared


def test_a_sparse_tensor_shares_its_values() -> None:
    values = torch.ones(3)
    sparse = torch.sparse_coo_tensor(torch.arange(3)[None], values, (3,), is_coalesced=True, check_invariants=True)
    assert share_elements(sparse, values)
    assert not share_elements(sparse, values.clone())


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_dtype_and_layout_is_read(name: str) -> None:
    tensor = EVERY[name]
    assert why_unreadable(tensor) is None
    assert share_elements(tensor, tensor)
    before = digest(tensor)
    assert digest(tensor) == before
    for block in blocks(tensor):
        block.memory[block.start] ^= 1
    assert digest(tensor) != before
    for block in blocks(tensor):
        block.memory[block.start] ^= 1  # other tests have this tensor too
    assert digest(tensor) == before


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_told(name: str) -> None:
    tensor, why = UNREADABLE[name]
    assert why_unreadable(tensor) == why
    assert blocks(tensor) == ()
    assert not share_elements(tensor, tensor)
    assert digest(tensor) == digest(tensor)


DIFFERENT = {
    "a value": (torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])),
    "far places": (torch.arange(70_000) == 1, torch.arange(70_000) == 65_522),
    "the dtype": (torch.zeros(2), torch.zeros(2, dtype=torch.int32)),
    "the shape": (torch.zeros(2, 3), torch.zeros(3, 2)),
    "the sign of a view": (torch.ones(2), torch._neg_view(torch.ones(2))),
    "the scale": (
        torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.quint8),
        torch.quantize_per_tensor(torch.ones(2) * 2, 2.0, 0, torch.quint8),
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_digest_shows_every_difference(name: str) -> None:
    one, other = DIFFERENT[name]
    assert digest(one) != digest(other)


def test_a_digest_is_of_values_and_not_of_strides() -> None:
    assert digest(FUSED[:, :7]) == digest(FUSED[:, :7].clone())
    assert digest(FUSED.T) == digest(FUSED.T.contiguous())
