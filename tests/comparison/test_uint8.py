"""Proves that a model of images in bytes, whose 256 values one byte just holds, is judged like any other."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome


class Blurs(nn.Module):
    """The mean of each pixel and its left neighbour."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = image.float()
        return (values + values.roll(1, 1)) / 2


def test_an_image_of_all_bytes_is_judged() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(2, 128)
    found = judge(Blurs(), {"image": image}, checks="parity", max_examples=20)["parity"]
    assert found.outcome is Outcome.PASSED


class Zeros(nn.Module):
    """Its weights are zero, so no pixel changes the answer at another one."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(2, 1)
        nn.init.zeros_(self.mix.weight)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = image.float()
        mixed: torch.Tensor = self.mix(torch.stack([values[:, ::2].sum(1), values[:, 1::2].sum(1)], dim=1))
        return values + mixed


def test_an_image_whose_pixels_do_not_interact_is_refused() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(2, 128)
    found = judge(Zeros(), {"image": image}, checks="parity", max_examples=20)["parity"]
    assert found.outcome is Outcome.FAILED
    assert "zero-init weights" in found.headline
