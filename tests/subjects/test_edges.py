"""Proves that edges are found by the names of attributes, in configs and in modules, and that they are visited."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.edges import edges_in, edges_of
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.verdict import Outcome


@pytest.mark.parametrize(
    ("attributes", "edges"),
    [
        ({"attention_window": [4, 8]}, [4, 8]),
        ({"block_size": 64, "sliding_window": 4096, "hidden_size": 32}, [64, 4096]),
        ({"rope_parameters": {"original_max_position_embeddings": 8192, "factor": 2.0}}, [8192]),
        ({"chunk_size_feed_forward": 0, "axial_pos_chunk_length": 24, "patch_size": 14}, [24, 14]),
        ({"window": True, "sliding_window": None, "windowing": 5, "patch_size": (4, 4)}, [4, 4]),
        ({"num_attention_heads": 12, "vocab_size": 99, "n_layer": 2}, []),
    ],
)
def test_an_attribute_is_an_edge_by_its_name(attributes: dict[str, object], edges: list[int]) -> None:
    assert list(edges_in(attributes)) == edges


class Blocks(nn.Module):
    """Means over the last 600 positions, from the 601st on: further than sizes are drawn."""

    def __init__(self, **attributes: object) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x[:, -600:].mean(1, keepdim=True) if x.shape[1] > 600 else x - x.mean(1, keepdim=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "attributes", [{"block_size": 600}, {"config": SimpleNamespace(sliding_window=600)}, {"config": {"window": [600]}}]
)
def test_the_edges_of_any_module_are_found_and_visited(attributes: dict[str, object]) -> None:
    model = Blocks(**attributes)
    assert edges_of(nn.Sequential(model)) == (600,)
    subject = build(model, Meaning(inputs=rows()()), name="it")
    assert [axis.edges for axis in subject.axes] == [(), (600,)]
    found = judge(model, rows()(), checks="shapes")["shapes"]
    assert found.outcome is Outcome.FAILED
    assert dict(found.rows)["right for"].endswith("wrong from dim1 601")


def test_an_axis_that_the_user_bounds_has_no_edge_above_its_maximum() -> None:
    meaning = Meaning(inputs=rows()(), dynamic_shapes={"x": {1: torch.export.Dim("length", max=100)}})
    (axis,) = build(Blocks(block_size=600, window=50), meaning, name="it").axes
    assert (axis.name, axis.high, axis.edges) == ("length", 100, (50,))
