import pytest
import torch


class Scorer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(100, 16)
        self.linear = torch.nn.Linear(16, 1)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        mean = self.embedding(ids).mean(dim=1)
        scores: torch.Tensor = self.linear(mean)
        return scores


@pytest.mark.torchscript(
    inputs={"ids": torch.arange(14).reshape(2, 7)},
    dynamic_shapes={"ids": {0: "batch", 1: "sequence"}},
)
def test_scorer() -> Scorer:
    return Scorer()
