"""sizes -> inputs: what the reported models are given, the same at every call."""

from __future__ import annotations

import torch

from pytest_tsexport.testing.specimen import Inputs


def floats(*shape: int, name: str = "x") -> Inputs:
    """One input of floats, the same at every call."""
    return {name: torch.randn(shape, generator=torch.Generator().manual_seed(3))}


def ids(*shape: int, high: int = 50) -> Inputs:
    """Token ids."""
    return {"ids": torch.randint(1, high, shape, generator=torch.Generator().manual_seed(3))}


def lengths(*values: int, name: str = "lengths") -> Inputs:
    """Whole numbers, one a row."""
    return {name: torch.tensor(values)}


def masked(*real: int, length: int = 7) -> Inputs:
    """Ids, and a mask with so many real tokens at the end of each row."""
    padded = torch.tensor(real)[:, None]
    return {**ids(len(real), length), "mask": (torch.arange(length) >= length - padded).to(torch.int64)}
