"""Wrong on purpose: the exporter does not clone the tied head, so the file shares one storage under two names."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """Straight from the model, as in many a tutorial."""
    torch.jit.save(torch.jit.trace(model, example_kwarg_inputs=dict(inputs), strict=False), str(path))


@pytest.mark.torchscript(export=export, checks=["tied_weights"])
def test_tied_weights() -> BertForMaskedLM:
    return BertForMaskedLM(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    )
