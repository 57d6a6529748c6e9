"""A strategy that follows the case: rows of which the last one ends where `x` does."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import strategies as st


class MeansOfRows(torch.nn.Module):
    """The mean of each row of `x`, whose rows lie one after the other and end at `ends`."""

    def forward(self, x: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        if ends[-1] != x.shape[0]:
            raise ValueError("the last row does not end where x does")
        sums = torch.cat([torch.zeros(1), x.cumsum(0)])
        starts = torch.cat([torch.zeros(1, dtype=torch.int64), ends[:-1]])
        return (sums[ends] - sums[starts]) / (ends - starts).clamp(min=1)


def ends(shape: tuple[int, ...], case: Mapping[str, Any]) -> st.SearchStrategy[torch.Tensor]:
    """Ascending numbers up to the size of the axis `items`."""
    (rows,), items = shape, case["items"]
    numbers = st.lists(st.integers(0, items), min_size=rows - 1, max_size=rows - 1)
    return numbers.map(lambda drawn: torch.tensor([*sorted(drawn), items]))


@pytest.mark.torchscript(
    inputs={"x": torch.linspace(-1, 1, 9), "ends": torch.tensor([2, 5, 9])},
    dynamic_shapes={"x": {0: "items"}, "ends": {0: "rows"}},
    strategies={"ends": ends},
)
def test_rows() -> MeansOfRows:
    return MeansOfRows()
