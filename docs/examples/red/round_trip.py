"""Wrong on purpose: the model calls an operator that is registered in this process only."""

import pytest
import torch

OPERATORS = torch.library.Library("example", "DEF")
OPERATORS.define("twice(Tensor x) -> Tensor")
OPERATORS.impl("twice", lambda x: x * 2, "CompositeExplicitAutograd")


class UsesOwnOperator(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        doubled: torch.Tensor = torch.ops.example.twice(self.linear(x))
        return doubled


@pytest.mark.torchscript(inputs={"x": torch.ones(2, 4)}, dynamic_shapes={"x": {0: "batch"}}, checks=["round_trip"])
def test_round_trip() -> UsesOwnOperator:
    return UsesOwnOperator()
