"""Your own exporter: it wraps, traces and freezes the model, and the file that it writes is judged."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification


class Probabilities(torch.nn.Module):
    """Callers of the classifier want probabilities, and nothing else."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        answer = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return torch.softmax(answer.logits, dim=-1)


def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    """The last lines of the script that ships. `inputs` are those of the test, by name, at the traced size."""
    traced = torch.jit.trace(model, example_kwarg_inputs=dict(inputs), strict=False)
    torch.jit.save(torch.jit.freeze(traced), str(path))


@pytest.mark.torchscript(export=export)
def test_shipped_file() -> torch.nn.Module:
    config = BertConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, num_labels=3
    )
    return Probabilities(BertForSequenceClassification(config))
