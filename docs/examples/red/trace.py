"""Wrong on purpose: exporting leaves the source model in half precision."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """A copy was intended, but `.half()` changes the model in place."""
    halved = model.half()
    torch.jit.save(torch.jit.trace(halved, example_kwarg_inputs=dict(inputs), strict=False), str(path))


@pytest.mark.torchscript(export=export, checks=["trace"])
def test_trace() -> BertModel:
    return BertModel(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    )
