"""Wrong on purpose, so the suite does not collect it. Run it with `pytest docs/examples/red/shapes.py`."""

import pytest
import torch
from transformers import LongformerConfig, LongformerModel


@pytest.mark.torchscript(
    inputs={
        "input_ids": torch.arange(2, 16).reshape(2, 7),
        "attention_mask": torch.ones(2, 7, dtype=torch.long),
    },
    dynamic_shapes={"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "sequence"}},
    shapes="safe",
)
def test_longformer() -> torch.nn.Module:
    """Its attention cuts the sequence into windows. The trace freezes how many there are."""
    torch.manual_seed(0)
    config = LongformerConfig(
        vocab_size=99,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=37,
        attention_window=8,
        max_position_embeddings=66,
    )
    model: torch.nn.Module = LongformerModel(config)
    return model
