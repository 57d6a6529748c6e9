"""The CPU and a rehearsal for Neuron, side by side. neuron-sim is a SIMULATION: this is no pass on a chip."""

import pytest
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification


@pytest.mark.torchscript(backends=["jit", "neuron-sim"])
def test_classifier() -> DistilBertForSequenceClassification:
    config = DistilBertConfig(vocab_size=99, dim=32, n_layers=2, n_heads=4, hidden_dim=64)
    return DistilBertForSequenceClassification(config)


class LastToken(torch.nn.Module):
    """A score of the last token that is not padding. The position depends on the values of the mask."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(99, 32)
        self.score = torch.nn.Linear(32, 1)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        last = attention_mask.nonzero()[:, 1].max()
        scores: torch.Tensor = self.score(self.embedding(input_ids)[:, last])
        return scores


@pytest.mark.torchscript(
    backends=["neuron-sim"],
    checks=["trace", "parity"],
    inputs={
        "input_ids": torch.arange(14).reshape(2, 7),
        "attention_mask": torch.ones(2, 7, dtype=torch.long),
    },
    xfail={"trace": "the position of the last token is frozen", "parity": "the position of the last token is frozen"},
)
def test_last_token() -> LastToken:
    return LastToken()
