"""Reads the bytes of a tensor without NumPy, which torch does not need."""

from __future__ import annotations

import ctypes

import torch


def raw_bytes(tensor: torch.Tensor) -> bytes:
    """The elements in row-major order, whatever the strides and the device of the tensor are."""
    flat = tensor.cpu().reshape(-1).contiguous().resolve_conj().resolve_neg()
    return ctypes.string_at(flat.data_ptr(), flat.nbytes)
