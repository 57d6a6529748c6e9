"""Proves that the rows which an input looks up are seen where they are looked up, however the model writes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from pytest_tsexport.subjects.vocabulary import RowsReached

TABLE = torch.randn(40, 4)
Lookup = Callable[[torch.Tensor], object]


def seen(lookup: Lookup, ids: torch.Tensor) -> dict[str, int]:
    watch = RowsReached({"ids": ids})
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
def test_a_look_up_is_seen(lookup: Lookup) -> None:
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
def test_what_is_no_look_up_by_this_input_is_not(lookup: Lookup) -> None:
    assert seen(lookup, torch.zeros(2, 3, dtype=torch.int64)) == {}


def test_of_two_tables_the_shorter_bounds_the_ids() -> None:
    short = torch.randn(9, 4)
    rows = seen(lambda ids: functional.embedding(ids, TABLE) + short[ids], torch.zeros(2, dtype=torch.int64))
    assert rows == {"ids": 9}


def test_floats_are_not_watched() -> None:
    watch = RowsReached({"x": torch.zeros(3)})
    with watch:
        torch.zeros(3) + 1
    assert watch.rows == {}
