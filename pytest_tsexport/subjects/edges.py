"""attributes -> edges: the sizes at which a model may behave otherwise, by the names of what holds them.

A window, a block, the length that positions were made for: what an attribute is called says what it is, so no list of
models is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

EDGES = re.compile(
    r"(\w+_)?(window|window_size|block_size|chunk_(size|length)\w*|patch_size|image_size|num_buckets|position_buckets"
    r"|max_distance|max_relative_positions|max_position_embeddings|max_source_positions|n_positions|n_ctx|max_seq_len"
    r"|context_length|local_radius)|local_attention"
)
"""Attributes that name a length at which attention, or the making of positions, changes its ways."""


def edges_in(attributes: Mapping[str, Any]) -> Iterator[int]:
    """The numbers, above 1, that such attributes hold, those in a list and in nested attributes too."""
    for name, value in attributes.items():
        if isinstance(value, Mapping):
            yield from edges_in(value)
        elif EDGES.fullmatch(str(name)):
            values = value if isinstance(value, (list, tuple)) else (value,)
            yield from (edge for edge in values if type(edge) is int and edge > 1)


def edges_of(model: nn.Module) -> tuple[int, ...]:
    """The edges that any module of a model, or the config of one, names; ascending."""
    found: set[int] = set()
    for module in model.modules():
        found |= set(edges_in(vars(module)))
        config = getattr(module, "config", None)
        found |= set(edges_in(config if isinstance(config, Mapping) else getattr(config, "__dict__", {})))
    return tuple(sorted(found))
