"""Proves that the table which an input indexes is seen, however the model writes the lookup."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from pytest_tsexport.subjects.vocabulary import TableLookups

TABLE = torch.randn(40, 4)
Lookup = Callable[[torch.Tensor], object]


def seen(lookup: Lookup, ids: torch.Tensor) -> dict[str, int]:
    watch = TableLookups({"ids": ids})
    with torch.no_grad(), watch:
        lookup(ids)
    return watch.rows


@pytest.mark.parametrize(
    "lookup",
    [
        lambda ids: functional.embedding(ids, TABLE),
        lambda ids: functional.embedding(ids.view(-1), TABLE),
        lambda ids: TABLE[ids],
        lambda ids: TABLE.index_select(0, ids.flatten()),
        lambda ids: functional.embedding(ids[:, 1:], TABLE),
    ],
    ids=["embedding", "of a view", "indexing", "index_select", "of a slice"],
)
def test_a_lookup_is_seen(lookup: Lookup) -> None:
    assert seen(lookup, torch.zeros(2, 3, dtype=torch.int64)) == {"ids": 40}


@pytest.mark.parametrize(
    "lookup",
    [
        lambda ids: functional.embedding(ids + 2, TABLE),
        lambda ids: ids * 2,
        lambda ids: functional.embedding(torch.arange(3), TABLE),
        lambda ids: TABLE.index_select(1, ids[0]),
    ],
    ids=["of a sum", "arithmetic", "of positions", "of columns"],
)
def test_anything_but_a_lookup_by_this_input_is_not_recorded(lookup: Lookup) -> None:
    assert seen(lookup, torch.zeros(2, 3, dtype=torch.int64)) == {}


def test_the_smaller_of_two_tables_counts() -> None:
    short = torch.randn(9, 4)
    rows = seen(lambda ids: functional.embedding(ids, TABLE) + short[ids], torch.zeros(2, dtype=torch.int64))
    assert rows == {"ids": 9}


def test_floats_are_not_watched() -> None:
    watch = TableLookups({"x": torch.zeros(3)})
    with watch:
        torch.zeros(3) + 1
    assert watch.rows == {}
