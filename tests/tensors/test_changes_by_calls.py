"""Proves that what a call changes by itself is left out, and that nothing else hides behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.changes import changes
from pytest_tsexport.tensors.changes_by_calls import unexplained
from pytest_tsexport.tensors.module_record import record


def left(start: Any, by_calls: list[Any], after: Any) -> list[str]:
    """What is left of the change from `start` to `after`, where calls change it to `by_calls` in turn."""
    before = record(holding(start))
    calls = [change for value in by_calls for change in changes(before, record(holding(value)))]
    return [change.text for change in unexplained(list(changes(before, record(holding(after)))), calls)]


def holding(value: Any) -> nn.Module:
    model = nn.Module()
    if value is not ABSENT:
        vars(model)["value"] = value
    return model


ABSENT = object()
FLOATS, LONGER, MATRIX, WHOLE = torch.zeros(3), torch.ones(9), torch.zeros(3, 3), torch.zeros(3, dtype=torch.int64)


@pytest.mark.parametrize(
    ("start", "by_calls", "after"),
    [
        pytest.param(0, [1, 2, 3], 1, id="a count"),
        pytest.param(0, [1, 2, 3], 17, id="a higher count"),
        pytest.param("sparse", ["full"], "full", id="a text"),
        pytest.param(False, [True, False], True, id="a flag"),
        pytest.param(None, [FLOATS], FLOATS, id="a cache"),
        pytest.param(None, [FLOATS], LONGER, id="a longer cache"),
        pytest.param(ABSENT, [FLOATS], LONGER, id="a new cache"),
        pytest.param(FLOATS, [ABSENT], ABSENT, id="a cache that is dropped"),
        pytest.param(FLOATS, [LONGER], FLOATS + 1, id="a table with other values"),
        pytest.param(0, [7], torch.tensor(7), id="a size that was traced"),
        pytest.param(torch.tensor(3), [torch.tensor(7)], 5, id="a size that is a tensor"),
        pytest.param(7, [7], torch.tensor(7), id="a size that was traced, and was the same before"),
        pytest.param(True, [True], torch.tensor(True), id="a comparison of sizes that was traced"),
        pytest.param([], [[FLOATS], [FLOATS, FLOATS]], [LONGER] * 5, id="a list that grows"),
        pytest.param([1, 2, 3], [[1, 2], [1]], [], id="a list that shrinks"),
        pytest.param({}, [{7: FLOATS}], {9: LONGER}, id="a table for each size"),
        pytest.param({}, [{"calls": 1}], {"calls": 4}, id="a count in a dict"),
        pytest.param(None, [SimpleNamespace(n=1, t=FLOATS)], SimpleNamespace(n=3, t=LONGER), id="a cache object"),
        pytest.param(SimpleNamespace(n=0), [SimpleNamespace(n=1)], SimpleNamespace(n=4), id="a count in an object"),
        pytest.param(None, [[FLOATS]], [LONGER, LONGER], id="a list that is made"),
    ],
)
def test_what_calls_do_is_left_out(start: Any, by_calls: list[Any], after: Any) -> None:
    assert left(start, by_calls, after) == []


@pytest.mark.parametrize(
    ("start", "by_calls", "after", "text"),
    [
        pytest.param(0, [0], 1, "value: 0 became 1", id="no call changes it"),
        pytest.param(0, [1], "x", "value: 0 became 'x'", id="another type"),
        pytest.param(0, [1], 1.5, "value: 0 became 1.5", id="a float for a count"),
        pytest.param(0, [1], True, "value: 0 became True", id="a flag for a count"),
        pytest.param("sparse", ["full"], "eager", "value: 'sparse' became 'eager'", id="another text"),
        pytest.param(None, [True], False, "value: None became False", id="another flag"),
        pytest.param(None, [FLOATS], WHOLE, "value: None became a tensor of shape (3,)", id="another dtype"),
        pytest.param(None, [FLOATS], MATRIX, "value: None became a tensor of shape (3, 3)", id="another rank"),
        pytest.param(FLOATS, [LONGER], ABSENT, "value is gone", id="a cache that is dropped"),
        pytest.param(FLOATS, [ABSENT], LONGER, "value: shape (3,) became (9,)", id="a cache that stays"),
        pytest.param([], [[FLOATS]], [1], "value.0 is new", id="another kind of element"),
        pytest.param([1], [[1, 2]], [], "value.0 is gone", id="a list that loses what calls only add"),
        pytest.param({}, [{"calls": 1}], {"calls": "x"}, "value.calls is new", id="another kind of value"),
        pytest.param(None, [SimpleNamespace(n=1)], {"n": 1}, "value: None became dict", id="another class"),
        pytest.param(
            None,
            [SimpleNamespace(n=1)],
            SimpleNamespace(n="x"),
            "value: None became SimpleNamespace",
            id="an object with another kind of field",
        ),
        pytest.param(
            SimpleNamespace(n=0, flag=False),
            [SimpleNamespace(n=1, flag=False)],
            SimpleNamespace(n=3, flag=True),
            "value.flag: False became True",
            id="a flag beside a count",
        ),
        pytest.param(
            SimpleNamespace(n=0),
            [SimpleNamespace(n=0, m=1)],
            SimpleNamespace(n=0, k=1),
            "value.k is new",
            id="another attribute than the one that calls make",
        ),
        pytest.param(7, [7], torch.tensor(8), "value: 7 became a tensor of shape ()", id="a tensor of another value"),
        pytest.param(7, [7], torch.tensor(7.0), "value: 7 became a tensor of shape ()", id="a tensor of another dtype"),
        pytest.param(2**70, [], torch.tensor(7), f"value: {2**70} became a tensor of shape ()", id="no size of torch"),
        pytest.param(2.5, [2.5], torch.tensor(2.5), "value: 2.5 became a tensor of shape ()", id="a float is no size"),
        pytest.param(7, [7], torch.tensor([7]), "value: 7 became a tensor of shape (1,)", id="a tensor of a dimension"),
        pytest.param(0, [7], torch.ones(1), "value: 0 became a tensor of shape (1,)", id="a tensor that is no size"),
    ],
)
def test_what_calls_do_not_do_stays(start: Any, by_calls: list[Any], after: Any, text: str) -> None:
    assert left(start, by_calls, after) == [text]


def test_a_list_elsewhere_explains_nothing() -> None:
    model, called, exported = nn.Module(), nn.Module(), nn.Module()
    vars(model).update(one=[], other=[])
    vars(called).update(one=[1], other=[])
    vars(exported).update(one=[], other=[1])
    before = record(model)
    calls = list(changes(before, record(called)))
    found = unexplained(list(changes(before, record(exported))), calls)
    assert [change.text for change in found] == ["other.0 is new"]
