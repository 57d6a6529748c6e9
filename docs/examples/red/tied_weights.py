"""Wrong on purpose: the exporter does not clone the tied head, so two weights share one storage in the file."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """The model is traced without cloning, as in many tutorials."""
    torch.jit.save(torch.jit.trace(model, example_kwarg_inputs=dict(inputs), strict=False), str(path))


@pytest.mark.torchscript(export=export, checks=["tied_weights"])
def test_tied_weights() -> BertForMaskedLM:
    return BertForMaskedLM(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    )
