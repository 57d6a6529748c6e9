"""facts -> bounds and edges: how long a sequence may be, and at which lengths a model may compute differently."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import torch
from torch import nn

from pytest_tsexport.subjects.edges import edges_in
from pytest_tsexport.subjects.transformers.facts import Facts

# A table of absolute positions under one of these names has no row for a longer sequence. Relative and rotary
# positions have other names, and set no bound.
TABLES = (
    "position_embeddings",
    "char_position_embeddings",
    "position_embedding",
    "positional_embedding",
    "embed_positions",
    "positions_embed",
    "pos_embed",
    "pos_emb",
    "pos_encoding",
    "wpe",
)

_OTHER_SENSES = re.compile(r"vision|visual|image|video|audio|speech")


def bound_of(facts: Facts, axis: str, axes: tuple[str, ...]) -> int | None:
    """The longest sequence that the position tables along this axis have rows for; None if there is no such table.

    The tables of a decoder bound `decoder_sequence` if there is such an axis. They bound `sequence` if the decoder's
    ids are derived from the encoder's, or if the model is a decoder.
    """
    rows = []
    for tower in facts.towers:
        for path, count in _tables(tower):
            inside_decoder = "decoder" in path.split(".") and "decoder_sequence" in axes
            if axis == ("decoder_sequence" if inside_decoder else "sequence"):
                rows.append(count)
    return min(rows, default=None)


def edges_of(facts: Facts, high: int | None) -> tuple[int, ...]:
    """The edges in the config attributes, up to `high`, ascending."""
    found = {edge for config in facts.configs for edge in edges_in(config.to_dict())}
    return tuple(sorted(edge for edge in found if high is None or edge <= high))


def position_count(facts: Facts) -> int:
    """How many positions there are: the bound of the tables, or what the config says, or 512."""
    count = bound_of(facts, "sequence", ()) or facts.setting("max_position_embeddings", "n_positions")
    return count if isinstance(count, int) else 512


def _tables(tower: nn.Module) -> Iterator[tuple[str, int]]:
    for path, module in tower.named_modules():
        if _OTHER_SENSES.search(path):
            continue
        for name in TABLES:
            count = _rows(getattr(module, name, None))
            if count is not None:
                yield f"{path}.{name}", min(count, _numbered(module))


def _rows(table: object) -> int | None:
    # A buffer is a table of sines. A bare parameter is not a table of the input's positions (Perceiver's queries).
    rows = table if isinstance(table, torch.Tensor) else getattr(table, "weight", None)
    if not isinstance(rows, torch.Tensor) or rows.ndim != 2 or isinstance(table, (nn.Parameter, nn.Linear)):
        return None
    # BART keeps `offset` unused rows at the front; RoBERTa counts from the row of the padding id on.
    offset = getattr(table, "offset", None)
    if not isinstance(offset, int):
        padding = getattr(table, "padding_idx", None)
        offset = padding + 1 if isinstance(padding, int) else 0
    return rows.shape[0] - offset


def _numbered(module: nn.Module) -> int:
    # A ready-made row of position numbers may be shorter than the table that it indexes.
    numbers = getattr(module, "position_ids", None)
    return int(numbers.shape[-1]) if isinstance(numbers, torch.Tensor) else sys.maxsize
