"""Proves that `interface` sees what an output is made of, and how arguments can be passed, as callers do.

Each pair of models comes with a caller. It shows by torch alone whether what worked with the first works with the
second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from pytest_tsexport.config.baseline import Baseline, InterfaceLines
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import files
from pytest_tsexport.testing.specimen import Inputs
from pytest_tsexport.verdict import Outcome, Verdict

NAME = "test_export.py::test_ranker"
X = torch.linspace(-1, 1, 14).view(2, 7)


class Tuple(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x * 2


class NoneAppended(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        return x, x * 2, None


class Number(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        return x, x * 2, 3


class Truth(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, bool]:
        return x, x * 2, True


class NumberAsTensor(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return x, x * 2, torch.tensor(3)


class TupleAppended(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor | None, int]]:
        return x, x * 2, (None, 3)


class List(nn.Module):
    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x, x * 2]


class Dict(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"0": x, "1": x * 2}


class DictByNumber(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[int, torch.Tensor]:
        return {0: x, 1: x * 2}


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"one": x, "other": x * 2}


class NamedInAnotherOrder(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"other": x * 2, "one": x}


class Pair(NamedTuple):
    one: torch.Tensor
    other: torch.Tensor


class Riap(NamedTuple):
    other: torch.Tensor
    one: torch.Tensor


class NamedTuples(nn.Module):
    def forward(self, x: torch.Tensor) -> Pair:
        return Pair(x, x * 2)


class NamedTuplesInAnotherOrder(nn.Module):
    def forward(self, x: torch.Tensor) -> Riap:
        return Riap(x * 2, x)


class Nested(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[dict[str, torch.Tensor]]]:
        return x, [{"one": x, "other": x.mean(1)}]


class NestedInAnotherOrder(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[dict[str, torch.Tensor]]]:
        return x, [{"other": x.mean(1), "one": x}]


class NestedInDict(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, dict[str, torch.Tensor]]:
        return {"states": {"one": x, "other": x.mean(1)}}


class NestedInDictInAnotherOrder(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, dict[str, torch.Tensor]]:
        return {"states": {"other": x.mean(1), "one": x}}


class NestedInTuple(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        return {"states": (x, x.mean(1))}


class NestedInList(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        return {"states": [x, x.mean(1)]}


class NestedNone(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor | None, torch.Tensor]]:
        return x, (None, x)


class NestedTensor(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor | None, torch.Tensor]]:
        return x, (x, x)


class Bare(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class BareInDict(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"output": x * 2}


def scripted(model: nn.Module, inputs: Inputs, path: Path) -> None:
    with files.quiet():
        torch.jit.save(torch.jit.script(model), str(path))


def judged(baseline: Baseline, model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    policy = from_keywords({"checks": "interface", "inputs": inputs or {"x": X}, **keywords})
    policy = replace(policy, options=replace(policy.options, seed=0, baseline=baseline))
    made = export(model, policy, name=NAME)
    try:
        return made.check("interface")
    finally:
        made.close()


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    return Baseline(tmp_path / "ts-baseline.json", typed="ts-baseline.json")


def promise(baseline: Baseline, model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> InterfaceLines:
    found = judged(replace(baseline, writes=True), model, inputs, **keywords)
    assert found.interface is not None
    baseline.write({NAME: {"jit": found.interface}})
    return found.interface


def as_earlier(baseline: Baseline) -> None:
    """The entry as it was written before there was a part `structure`."""
    entries = baseline.read()
    earlier = {part: lines for part, lines in entries[NAME]["jit"].items() if part not in ("structure", "keywords")}
    baseline.write({NAME: {"jit": earlier}})


def works(caller: Callable[[Any], Any], model: nn.Module) -> bool:
    """Whether a caller of the scripted model gets what it expects."""
    with files.quiet():
        answer = torch.jit.script(model)(X)
    try:
        return bool(caller(answer))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return False


def two(answer: Any) -> bool:
    one, other = answer
    return torch.equal(2 * one, other)


def three(answer: Any) -> bool:
    return len(answer) == 3


SCRIPTED: list[tuple[nn.Module, nn.Module, Callable[[Any], Any], list[tuple[str, str]]]] = [
    (Tuple(), NoneAppended(), two, [("structure", "is new: 2: None")]),
    (NoneAppended(), Tuple(), three, [("structure", "2 was None, is gone")]),
    (Tuple(), List(), lambda answer: hash(answer) != 0, [("structure", "the output was tuple, is list")]),
    (List(), Tuple(), lambda answer: answer.append(0) is None, [("structure", "the output was list, is tuple")]),
    (Tuple(), Dict(), two, [("structure", "the output was tuple, is dict")]),
    (Dict(), Tuple(), lambda answer: answer["0"] is not None, [("structure", "the output was dict, is tuple")]),
    (Dict(), DictByNumber(), lambda answer: answer["0"].dim(), [("structure", "the output was dict, is dict by int")]),
    (
        Number(),
        NumberAsTensor(),
        lambda answer: isinstance(answer[2], int),
        [("structure", "2 was int, is tensor")],
    ),
    (
        NumberAsTensor(),
        Number(),
        lambda answer: answer[2].item() == 3,
        [("structure", "2 was tensor, is int")],
    ),
    (
        Number(),
        Truth(),
        lambda answer: answer[2] == 3,
        [("output 3", "2 was int64 of rank 0, is bool of rank 0"), ("structure", "2 was int, is bool")],
    ),
    (
        NoneAppended(),
        NumberAsTensor(),
        lambda answer: answer[2] is None,
        [("output 3", "is new: 2: int64 of rank 0"), ("structure", "2 was None, is tensor")],
    ),
    (
        Tuple(),
        TupleAppended(),
        two,
        [
            ("output 3", "is new: 2.1: int64 of rank 0"),
            ("structure", "is new: 2: tuple"),
            ("structure", "is new: 2.0: None"),
            ("structure", "is new: 2.1: int"),
        ],
    ),
    (
        Named(),
        NamedTuples(),
        lambda answer: answer["one"].dim() == 2,
        [("structure", "the output was dict, is named tuple of one, other")],
    ),
    (
        NamedTuples(),
        NamedTuplesInAnotherOrder(),
        two,
        [
            ("output 1", "was one: float32 of rank 2, is other: float32 of rank 2"),
            ("output 2", "was other: float32 of rank 2, is one: float32 of rank 2"),
            ("structure", "the output was named tuple of one, other, is named tuple of other, one"),
        ],
    ),
    (
        NestedInTuple(),
        NestedInList(),
        lambda answer: hash(answer["states"]) != 0,
        [("structure", "states was tuple, is list")],
    ),
    (
        NestedNone(),
        NestedTensor(),
        lambda answer: answer[1][0] is None,
        [
            ("output 2", "was 1.1: float32 of rank 2, is 1.0: float32 of rank 2"),
            ("output 3", "is new: 1.1: float32 of rank 2"),
            ("structure", "1.0 was None, is tensor"),
        ],
    ),
    (Bare(), BareInDict(), lambda answer: answer.dim() == 2, [("structure", "the output was tensor, is dict")]),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("was", "now", "caller", "rows"), SCRIPTED, ids=[f"{type(a).__name__}-{type(b).__name__}" for a, b, *_ in SCRIPTED]
)
def test_what_breaks_a_caller_of_the_output_is_red(
    baseline: Baseline, was: nn.Module, now: nn.Module, caller: Callable[[Any], Any], rows: list[tuple[str, str]]
) -> None:
    assert (works(caller, was), works(caller, now)) == (True, False)
    promise(baseline, was, export=scripted)
    found = judged(baseline, now, export=scripted)
    assert found.outcome is Outcome.FAILED
    assert list(found.rows[1:-1]) == rows


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    ("was", "now", "caller"),
    [
        (Named(), NamedInAnotherOrder(), lambda answer: torch.equal(2 * answer["one"], answer["other"])),
        (Nested(), NestedInAnotherOrder(), lambda answer: answer[1][0]["one"].dim() == 2),
        (NestedInDict(), NestedInDictInAnotherOrder(), lambda answer: answer["states"]["other"].dim() == 1),
    ],
)
def test_the_order_of_a_dict_is_read_by_nobody(
    baseline: Baseline, was: nn.Module, now: nn.Module, caller: Callable[[Any], Any], *, earlier: bool
) -> None:
    assert works(caller, was)
    assert works(caller, now)
    promise(baseline, was, export=scripted)
    if earlier:
        as_earlier(baseline)
    found = judged(baseline, now, export=scripted)
    assert (found.outcome, found.rows) == (Outcome.PASSED, ())


EVERY = dict.fromkeys(type(model) for one, other, *_ in SCRIPTED for model in (one, other))


@pytest.mark.slow
@pytest.mark.parametrize("model", [*EVERY, Nested, NestedInDict])
@pytest.mark.parametrize("earlier", [False, True])
def test_an_unchanged_output_is_green(baseline: Baseline, model: type[nn.Module], *, earlier: bool) -> None:
    promise(baseline, model(), export=scripted)
    if earlier:
        as_earlier(baseline)
    assert judged(baseline, model(), export=scripted).outcome is Outcome.PASSED


def test_an_earlier_entry_is_replaced_by_one_that_says_more(baseline: Baseline) -> None:
    promise(baseline, Tuple(), export=scripted)
    as_earlier(baseline)
    assert judged(baseline, List(), export=scripted).outcome is Outcome.PASSED
    found = judged(replace(baseline, writes=True), Tuple(), export=scripted)
    assert found.headline == "as promised in ts-baseline.json already; written in more detail"
    assert promise(baseline, Tuple(), export=scripted)["structure"] == ["the output: tuple"]
    assert judged(baseline, List(), export=scripted).outcome is Outcome.FAILED


class ByName(nn.Module):
    def forward(self, x: torch.Tensor, *, by: float = 2.0) -> torch.Tensor:
        return x * by


class Renamed(nn.Module):
    def forward(self, x: torch.Tensor, *, scale: float = 2.0) -> torch.Tensor:
        return x * scale


class Closed(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class ByPosition(nn.Module):
    def forward(self, x: torch.Tensor, by: float = 2.0) -> torch.Tensor:
        return x * by


class First(nn.Module):
    def forward(self, by: float = 2.0, x: torch.Tensor = X) -> torch.Tensor:
        return x * by


class FirstByPositionOnly(nn.Module):
    def forward(self, by: float = 2.0, /, x: torch.Tensor = X) -> torch.Tensor:
        return x * by


class FirstRenamed(nn.Module):
    def forward(self, scale: float = 2.0, /, x: torch.Tensor = X) -> torch.Tensor:
        return x * scale


class Open(nn.Module):
    def forward(self, x: torch.Tensor, **more: Any) -> torch.Tensor:
        return x * 2


class OpenOtherwise(nn.Module):
    def forward(self, x: torch.Tensor, **rest: Any) -> torch.Tensor:
        return x * 2


class TwoByName(nn.Module):
    def forward(self, x: torch.Tensor, *, by: float = 2.0, plus: float = 0.0) -> torch.Tensor:
        return x * by + plus


class TwoByNameInAnotherOrder(nn.Module):
    def forward(self, x: torch.Tensor, *, plus: float = 0.0, by: float = 2.0) -> torch.Tensor:
        return x * by + plus


Call = Callable[[nn.Module], torch.Tensor]
named: Call = lambda model: model(x=X, by=3.0)  # noqa: E731
in_order: Call = lambda model: model(X, 3.0)  # noqa: E731


@pytest.mark.parametrize(
    ("was", "now", "call", "rows"),
    [
        (ByName(), Renamed(), named, [("keyword", "was by, is gone; new, and perhaps its name now: scale")]),
        (ByName(), Closed(), named, [("keyword", "was by, is gone")]),
        (ByPosition(), ByName(), in_order, [("argument 2", "was by, is gone")]),
        (First(), FirstByPositionOnly(), named, [("argument 1", "was by, is by (by position only)")]),
        (FirstByPositionOnly(), First(), lambda model: model(3.0), []),
        (FirstByPositionOnly(), FirstRenamed(), lambda model: model(3.0, x=X), []),
        (Open(), Closed(), lambda model: model(X, any=3), [("keyword", "was **kwargs, is gone")]),
        (ByName(), ByPosition(), named, []),
        (Closed(), ByName(), lambda model: model(X), []),
        (Closed(), Open(), lambda model: model(X), []),
        (Open(), OpenOtherwise(), lambda model: model(X, any=3), []),
        (TwoByName(), TwoByNameInAnotherOrder(), lambda model: model(X, by=2.0, plus=1.0), []),
        (TwoByNameInAnotherOrder(), TwoByName(), lambda model: model(X, plus=1.0, by=2.0), []),
    ],
)
def test_a_call_that_no_longer_works_is_red(
    baseline: Baseline, was: nn.Module, now: nn.Module, call: Call, rows: list[tuple[str, str]]
) -> None:
    call(was)
    promise(baseline, was)
    found = judged(baseline, now)
    assert list(found.rows[1:-1]) == rows
    if not rows:
        call(now)
        assert found.outcome is Outcome.PASSED
    else:
        with pytest.raises(TypeError):
            call(now)


class NeedsMask(nn.Module):
    def forward(self, x: torch.Tensor, *, mask: torch.Tensor) -> torch.Tensor:
        return x * mask


class MayHaveMask(nn.Module):
    def forward(self, x: torch.Tensor, *, mask: torch.Tensor | None = None) -> torch.Tensor:
        return x if mask is None else x * mask


def test_an_argument_by_name_that_became_required_is_red(baseline: Baseline) -> None:
    MayHaveMask()(X)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument"):
        NeedsMask()(X)
    given = {"x": X, "mask": X > 0}
    promise(baseline, MayHaveMask(), given)
    assert list(judged(baseline, NeedsMask(), given).rows[1:-1]) == [("keyword", "mask can no longer be left out")]
    promise(baseline, NeedsMask(), given)
    assert judged(baseline, MayHaveMask(), given).outcome is Outcome.PASSED


class FileTakesMask(nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return x if mask is None else x * mask


class FileNeedsMask(nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return x * mask


def file_of(other: nn.Module) -> dict[str, Any]:
    """Exports another model than the one that is returned, whose own arguments stay as they are."""
    return {"export": lambda model, inputs, path: scripted(other, inputs, path)}


@pytest.mark.parametrize("earlier", [False, True])
def test_how_an_input_of_the_file_is_passed_is_promised(baseline: Baseline, *, earlier: bool) -> None:
    model, given = FileTakesMask(), {"x": X, "mask": X > 0}
    promise(baseline, model, given, **file_of(FileTakesMask()))
    assert list(judged(baseline, model, given, **file_of(FileNeedsMask())).rows[1:-1]) == [
        ("input 2", "mask: bool of rank 2 can no longer be left out")
    ]
    lines = promise(baseline, model, given, **file_of(FileNeedsMask()))
    assert lines["inputs"] == ["x: float32 of rank 2", "mask: bool of rank 2"]
    if earlier:
        as_earlier(baseline)
    assert judged(baseline, model, given, **file_of(FileTakesMask())).outcome is Outcome.PASSED
