"""Wrong on purpose: the exporter leaves the mask out, so the model attends to padding like to any other token."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel


class WithoutMask(torch.nn.Module):
    """Takes the mask, so that callers need not change, and ignores it."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(self.model(input_ids=input_ids))


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """Nobody notices this while every row is as long as the traced one."""
    named = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    traced = torch.jit.trace(WithoutMask(model), example_kwarg_inputs=named, strict=False)
    torch.jit.save(traced, str(path))


INPUTS = {"input_ids": torch.tensor([[2, 41, 17, 8, 3]]), "attention_mask": torch.ones(1, 5, dtype=torch.long)}


@pytest.mark.torchscript(inputs=INPUTS, export=export, checks=["padding"])
def test_padding() -> BertModel:
    torch.manual_seed(0)
    return BertModel(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    )
