"""Wrong on purpose: the exporter rounds the weights to bfloat16, and the test does not say that this is intended."""

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """Half of the bits of each weight are lost. The file has the same size, and every answer is slightly wrong."""
    rounded = copy.deepcopy(model).bfloat16().float()
    torch.jit.save(torch.jit.trace(rounded, example_kwarg_inputs=dict(inputs), strict=False), str(path))


@pytest.mark.torchscript(export=export, checks=["parity"])
def test_parity() -> BertModel:
    torch.manual_seed(0)
    return BertModel(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    )
