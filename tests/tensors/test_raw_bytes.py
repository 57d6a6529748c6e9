"""Proves that the bytes of a tensor are those of its elements, in order."""

from __future__ import annotations

import struct
import sys

import pytest
import torch

from pytest_tsexport.tensors.raw_bytes import raw_bytes

ROWS = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.int16)


@pytest.mark.parametrize(
    ("tensor", "values"),
    [
        (ROWS, (1, 2, 3, 4, 5, 6)),
        (ROWS.T, (1, 4, 2, 5, 3, 6)),
        (ROWS[1:], (4, 5, 6)),
        (ROWS[:, ::2], (1, 3, 4, 6)),
        (ROWS[0, :1].expand(3), (1, 1, 1)),
        (ROWS[0, 2], (3,)),
        (ROWS[:0], ()),
    ],
)
def test_elements_come_in_row_major_order(tensor: torch.Tensor, values: tuple[int, ...]) -> None:
    assert raw_bytes(tensor) == struct.pack(f"={len(values)}h", *values)


def test_a_view_that_negates_or_conjugates_is_read_as_its_values() -> None:
    number = torch.tensor([1 + 2j], dtype=torch.complex64)
    assert raw_bytes(number.conj()) == struct.pack("=2f", 1, -2)
    assert raw_bytes(number.conj().imag) == struct.pack("=f", -2)


def test_two_and_eight_bit_floats_and_booleans_have_bytes_too() -> None:
    assert raw_bytes(torch.tensor([1.5], dtype=torch.bfloat16)) == (0x3FC0).to_bytes(2, sys.byteorder)
    assert raw_bytes(torch.tensor([1.5], dtype=torch.float8_e4m3fn)) == b"\x3c"
    assert raw_bytes(torch.tensor([True, False])) == b"\x01\x00"


def test_a_tensor_that_asks_for_its_gradient_is_read() -> None:
    assert raw_bytes(torch.ones(1, requires_grad=True)) == struct.pack("=f", 1)
