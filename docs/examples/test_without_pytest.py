"""`validate`: the verdicts as values, in a program of your own. Nothing of pytest is needed."""

import torch

from pytest_tsexport import Outcome, validate


class Ranker(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(100, 16)
        self.linear = torch.nn.Linear(16, 1)

    def forward(self, query: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.linear(self.embedding(query).mean(dim=1))
        return scores


def failures() -> list[str]:
    verdicts = validate(Ranker(), {"query": torch.arange(14).reshape(2, 7)}, checks=["trace", "parity", "shapes"])
    return [f"{verdict.check}: {verdict.headline}" for verdict in verdicts if verdict.outcome is Outcome.FAILED]


def test_nothing_is_wrong() -> None:
    assert failures() == []
