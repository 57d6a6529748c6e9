"""Two interfaces are compared: what breaks a call is described, what breaks none is not, whatever wrote the entry."""

from __future__ import annotations

import pytest

from pytest_tsexport.config.baseline import InterfaceLines
from pytest_tsexport.config.interface_changes import changes, sorted_outputs

ONE: InterfaceLines = {
    "forward": ["x", "mask=..."],
    "inputs": ["x: float32 of rank 2"],
    "outputs": ["output: int64 of rank 1"],
}
OTHER: InterfaceLines = {**ONE, "labels": ["NO", "YES"]}
TENSOR = {"structure": ["the output: tensor"]}
TUPLE = {"structure": ["the output: tuple"]}


def described(part: str, was: list[str], now: list[str]) -> list[tuple[str, str]]:
    return list(changes({part: was, **TUPLE}, {part: now, **TUPLE}))


@pytest.mark.parametrize(
    ("part", "was", "now", "rows"),
    [
        ("forward", ["x", "y"], ["y", "x"], [("argument 1", "was x, is y"), ("argument 2", "was y, is x")]),
        ("forward", ["x", "a=..."], ["x", "b=..."], [("argument 2", "was a, is b")]),
        ("forward", ["x", "a=..."], ["x"], [("argument 2", "was a, is gone")]),
        ("forward", ["x"], ["x", "y"], [("argument 2", "is new: y")]),
        ("forward", ["x", "a=..."], ["x", "a"], [("argument 2", "a can no longer be left out")]),
        ("forward", ["x", "a=..."], ["x", "b=...", "a=..."], [("argument 2", "was a, is b")]),
        (
            "inputs",
            ["ids: int64 of rank 2"],
            ["ids: int32 of rank 2"],
            [("input 1", "ids was int64 of rank 2, is int32 of rank 2")],
        ),
        (
            "inputs",
            ["ids: int64 of rank 2"],
            ["mask: int64 of rank 2"],
            [("input 1", "was ids: int64 of rank 2, is mask: int64 of rank 2")],
        ),
        (
            "outputs",
            ["0 = a: f of rank 1", "1 = b: f of rank 1"],
            ["0 = a: f of rank 1"],
            [("output 2", "was 1 = b: f of rank 1, is gone")],
        ),
        ("outputs", ["a"], ["a", "b=..."], [("output 2", "is new: b=...")]),
        ("labels", ["NO", "YES"], ["YES", "NO"], [("label 0", "was NO, is YES"), ("label 1", "was YES, is NO")]),
    ],
)
def test_a_broken_interface_is_described(
    part: str, was: list[str], now: list[str], rows: list[tuple[str, str]]
) -> None:
    assert described(part, was, now) == rows


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (["x"], ["x"]),
        (["x"], ["x", "a=..."]),
        (["x"], ["x=..."]),
        (["x", "a=..."], ["x", "a=...", "b=...", "c=..."]),
    ],
)
def test_what_breaks_no_call_is_not_described(was: list[str], now: list[str]) -> None:
    assert described("forward", was, now) == []


def test_parts_are_described_in_their_order_and_a_removed_part_too() -> None:
    rows = changes(OTHER, {"outputs": ["output: int64 of rank 2"]})
    assert [place for place, _ in rows] == ["argument 1", "argument 2", "input 1", "output 1", "label 0", "label 1"]


@pytest.mark.parametrize(
    ("was", "now", "rows"),
    [
        (["x (by position only)"], ["y"], []),
        (["x (by position only)"], ["y (by position only)=..."], []),
        (["x (by position only)=..."], ["x"], [("argument 1", "x (by position only) was left out")]),
        (["x"], ["x (by position only)"], [("argument 1", "was x, is x (by position only)")]),
        (["x=..."], ["x (by position only)=..."], [("argument 1", "was x, is x (by position only)")]),
    ],
)
def test_an_argument_may_get_more_ways_to_be_passed_and_no_fewer(
    was: list[str], now: list[str], rows: list[tuple[str, str]]
) -> None:
    found = described("forward", was, now)
    assert [place for place, _ in found] == [place for place, _ in rows]
    if rows and "left out" not in rows[0][1]:
        assert found == rows


@pytest.mark.parametrize(
    ("was", "now", "rows"),
    [
        (
            {"keywords": ["by=..."]},
            {"keywords": ["scale=..."]},
            [("keyword", "was by, is gone; new, and perhaps its name now: scale")],
        ),
        ({"keywords": ["by"]}, {"keywords": ["**kwargs"]}, [("keyword", "was by, is gone")]),
        ({"keywords": ["by"]}, {"keywords": ["scale"]}, [("keyword", "was by, is gone"), ("keyword", "is new: scale")]),
        ({"keywords": ["by=..."]}, {"keywords": ["by"]}, [("keyword", "by can no longer be left out")]),
        ({"keywords": ["by"]}, {"keywords": ["by=..."]}, []),
        ({}, {"keywords": ["by"]}, [("keyword", "is new: by")]),
        ({}, {"keywords": ["*args", "**kwargs", "by=..."]}, []),
        ({"keywords": ["**kwargs"]}, {}, [("keyword", "was **kwargs, is gone")]),
        ({"keywords": ["a=...", "b=..."]}, {"keywords": ["b=...", "a=..."]}, []),
        ({"forward": ["x"], "keywords": ["by"]}, {"forward": ["x", "by"]}, []),
        ({"forward": ["x"], "keywords": ["by=..."]}, {"forward": ["x", "by=..."]}, []),
        (
            {"forward": ["x"], "keywords": ["by=..."]},
            {"forward": ["x", "by"]},
            [("keyword", "by can no longer be left out")],
        ),
        (
            {"forward": ["x", "y"], "keywords": ["by"]},
            {"forward": ["x", "by", "y"]},
            [("argument 2", "was y, is by"), ("argument 3", "is new: y")],
        ),
        (
            {"forward": ["x"], "keywords": ["by=..."]},
            {"forward": ["x", "by (by position only)=..."]},
            [("keyword", "was by, is gone")],
        ),
        ({"forward": ["x", "by"]}, {"forward": ["x"], "keywords": ["by"]}, [("argument 2", "was by, is gone")]),
    ],
)
def test_arguments_that_are_passed_by_name(
    was: InterfaceLines, now: InterfaceLines, rows: list[tuple[str, str]]
) -> None:
    assert list(changes({**was, **TUPLE}, {**now, **TUPLE})) == rows


def with_structure(outputs: list[str], *lines: str) -> InterfaceLines:
    return {"outputs": outputs, "structure": list(lines)}


@pytest.mark.parametrize(
    ("was", "now", "rows"),
    [
        (TUPLE, {"structure": ["the output: list"]}, ["the output was tuple, is list"]),
        (TUPLE, {"structure": ["the output: tuple", "2: None"]}, ["is new: 2: None"]),
        ({"structure": ["the output: tuple", "2: None"]}, TUPLE, ["2 was None, is gone"]),
        (
            with_structure(["1: int64 of rank 0"], "the output: tuple", "1: int"),
            with_structure(["1: int64 of rank 0"], "the output: tuple"),
            ["1 was int, is tensor"],
        ),
        (
            with_structure(["1 = a: int64 of rank 0"], "the output: tuple"),
            with_structure(["1 = a: int64 of rank 0"], "the output: tuple", "1: int"),
            ["1 was tensor, is int"],
        ),
        (
            {"structure": ["the output: named tuple of a, b"]},
            {"structure": ["the output: named tuple of b, a"]},
            ["the output was named tuple of a, b, is named tuple of b, a"],
        ),
        ({"structure": ["the output: dict"]}, {"structure": ["the output: dict"]}, []),
    ],
)
def test_what_an_output_is_made_of(was: InterfaceLines, now: InterfaceLines, rows: list[str]) -> None:
    assert [text for place, text in changes(was, now) if place == "structure"] == rows


DICTS = ("the output: tuple", "1: dict", "1.a: dict")


def test_a_dict_has_no_order_at_any_depth() -> None:
    lines = ["0: f", "1.b: f", "1.a.z.1: f", "1.a.z.0: f", "1.a.y: f"]
    dicts = frozenset(("1", "1.a"))
    assert sorted_outputs(lines, dicts) == ["0: f", "1.a.y: f", "1.a.z.1: f", "1.a.z.0: f", "1.b: f"]
    assert sorted_outputs(lines[1:], frozenset()) == lines[1:]
    assert sorted_outputs(["b: f", "a.1: f", "a.0: f"], frozenset(("the output",))) == ["a.1: f", "a.0: f", "b: f"]
    assert changes(with_structure(lines, *DICTS), with_structure(lines[:2] + lines[4:] + lines[2:4], *DICTS)) == ()
    assert changes(with_structure(lines, *DICTS), with_structure([lines[1], lines[0], *lines[2:]], *DICTS)) != ()


EARLIER: InterfaceLines = {
    "forward": ["x", "y=..."],
    "inputs": ["x: float32 of rank 2", "by: float"],
    "outputs": ["0 = b: int64 of rank 0", "2.b: f of rank 1", "2.a: f of rank 1"],
}
"""As it was written before there was a part `structure`: of a number, None, and a dict."""

LATER: InterfaceLines = {
    "forward": ["x (by position only)", "y=..."],
    "keywords": ["again", "**kwargs"],
    "inputs": ["x: float32 of rank 2=...", "by: float"],
    "outputs": ["0 = b: int64 of rank 0", "2.a: f of rank 1", "2.b: f of rank 1"],
    "structure": ["0: int", "1: None", "2: dict", "the output: list"],
}


def test_an_earlier_entry_is_compared_by_what_it_says() -> None:
    assert changes(EARLIER, LATER) == ()
    assert changes(LATER, LATER) == ()
    outputs = ["0 = b: int64 of rank 0", "2.a: g of rank 1", "2.b: f of rank 1"]
    assert changes(EARLIER, {**LATER, "outputs": outputs}) == (("output 2", "2.a was f of rank 1, is g of rank 1"),)
    assert changes(EARLIER, {**LATER, "forward": ["z (by position only)", "y=..."]}) == (("argument 1", "was x, is z"),)
