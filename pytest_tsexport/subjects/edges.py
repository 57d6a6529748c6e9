"""attributes -> edges: the sizes at which a model may change its computation, found by the names of attributes.

A window, a block, the length that positions were made for: the name of an attribute says what it is, so no list of
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
"""Attributes that hold a length at which attention or positions are computed in another way."""


def edges_in(attributes: Mapping[str, Any]) -> Iterator[int]:
    """The numbers above 1 in such attributes, in lists and in nested attributes too."""
    for name, value in attributes.items():
        if isinstance(value, Mapping):
            yield from edges_in(value)
        elif EDGES.fullmatch(str(name)):
            values = value if isinstance(value, (list, tuple)) else (value,)
            yield from (edge for edge in values if type(edge) is int and edge > 1)


def edges_of(model: nn.Module) -> tuple[int, ...]:
    """The edges in the attributes and configs of all modules of a model, ascending."""
    found: set[int] = set()
    for module in model.modules():
        found |= set(edges_in(vars(module)))
        config = getattr(module, "config", None)
        found |= set(edges_in(config if isinstance(config, Mapping) else getattr(config, "__dict__", {})))
    return tuple(sorted(found))
