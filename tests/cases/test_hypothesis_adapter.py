"""Proves that hypothesis draws the same values for the same seed, without its database and its deadline."""

from __future__ import annotations

import sys
import time
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

from pytest_tsexport.cases.hypothesis_adapter import (
    Enough,
    answering_modules,
    below,
    default_examples,
    derandomized,
    sample,
    smallest,
)
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.fields import Field


def drawn(seed: int, tries: int) -> list[int]:
    seen: list[int] = []

    def look(value: int) -> bool:
        seen.append(value)
        return False

    smallest(st.integers(0, 10**6), look, tries=tries, random=Random(seed))
    return seen


def test_the_smallest_wanted_value_is_found() -> None:
    assert smallest(st.integers(0, 1000), lambda value: value > 40, tries=100, random=Random(0)) == 41


def test_no_wanted_value_gives_none() -> None:
    assert smallest(st.integers(0, 9), lambda value: value > 10, tries=50, random=Random(0)) is None


def test_a_seed_draws_the_same_values() -> None:
    assert drawn(1, 30) == drawn(1, 30)
    assert drawn(1, 30) != drawn(2, 30)


def test_no_more_values_are_drawn_than_tries() -> None:
    assert len(drawn(0, 25)) <= 25


def test_slow_cases_are_not_an_error() -> None:
    def slow(value: int) -> bool:
        time.sleep(0.3)
        return False

    assert smallest(st.integers(0, 3), slow, tries=2, random=Random(0)) is None


def test_the_active_profile_of_hypothesis_is_used() -> None:
    before = settings.get_current_profile_name()
    settings.register_profile("tiny", max_examples=7, derandomize=True)
    try:
        settings.load_profile("tiny")
        assert default_examples() == 7
        assert derandomized()
    finally:
        settings.load_profile(before)


def test_without_a_profile_a_hundred_cases_are_judged_and_each_run_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tsexport.cases.hypothesis_adapter.settings", SimpleNamespace(default=None))
    assert default_examples() == 100
    assert not derandomized()


def test_numbers_below_a_count_start_at_zero() -> None:
    seen: set[int] = set()

    def look(value: int) -> bool:
        seen.add(value)
        return False

    smallest(below(4), look, tries=100, random=Random(0))
    assert seen == {0, 1, 2, 3}
    assert smallest(below(9), lambda value: True, tries=9, random=Random(0)) == 0


def field(*dims: str | int, dtype: torch.dtype = torch.float32) -> Field:
    return Field("x", dims, Floats(dtype=dtype))


def test_a_seed_draws_the_same_sample_and_another_seed_another() -> None:
    strategy, whole = st.integers(0, 10**9).map(torch.tensor), field(dtype=torch.int64)
    assert sample(strategy, whole, (), 3) == sample(strategy, whole, (), 3)
    assert len({int(sample(strategy, whole, (), number)) for number in range(10)}) > 1


def test_a_sample_costs_two_draws_of_which_the_first_is_the_simplest() -> None:
    """What a strategy draws first is the simplest value whatever the seed, so it is not the one that is taken."""
    drawn: list[int] = []

    def kept(number: int) -> torch.Tensor:
        drawn.append(number)
        return torch.tensor(number)

    taken = sample(st.integers(0, 10**9).map(kept), field(dtype=torch.int64), (), 3)
    assert len(drawn) == 2
    assert drawn[0] == 0
    assert drawn[1] == int(taken)


def raising(_: object) -> Any:
    raise ValueError("nope\nand more")


ONES = st.just(torch.ones(2))


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (st.integers(), "drew int for shape (2,); give a strategy of tensors"),
        (torch.zeros, "returned Tensor for shape (2,); return a hypothesis strategy of tensors"),
        (lambda shape: None, "returned NoneType for shape (2,); return a hypothesis strategy of tensors"),
        (lambda: ONES, "raised TypeError for shape (2,); give a strategy that draws a tensor of it: "),
        (raising, "raised ValueError for shape (2,); give a strategy that draws a tensor of it: nope"),
        (ONES.map(raising), "raised ValueError for shape (2,); give a strategy that draws a tensor of it: nope"),
        (
            ONES.filter(lambda _: False),
            "drew nothing for shape (2,); give a strategy whose filters let tensors through",
        ),
        (st.nothing(), "drew nothing for shape (2,); give a strategy whose filters let tensors through"),
        (st.just(torch.ones(3)), "drew shape (3,) where (2,) is asked for; give a function of the shape"),
        (
            st.just(torch.ones(2, dtype=torch.int64)),
            "drew torch.int64; give a strategy of torch.float32, which the input is",
        ),
    ],
)
def test_a_strategy_that_draws_no_such_tensor_is_refused_in_one_sentence(strategy: Any, sentence: str) -> None:
    with pytest.raises(InputsError) as refusal:
        sample(strategy, field("batch"), (2,), 0)
    assert str(refusal.value).startswith(f"strategies['x'] {sentence}")
    assert "\n" not in str(refusal.value)


class Lazy(ModuleType):
    """A module whose attributes need another one that is not installed, as speechbrain leaves nine."""

    def __init__(self, name: str, raised: type[Exception] = ImportError) -> None:
        super().__init__(name)
        self.raised = raised

    def __getattr__(self, name: str) -> object:
        raise vars(self)["raised"](f"lazy import of {name}: an optional dependency is not installed")


def lazy_modules(monkeypatch: pytest.MonkeyPatch, count: int, raised: type[Exception] = ImportError) -> Lazy:
    """The first of so many lazy modules, which are loaded now. Hypothesis looks again only if their number changes."""
    for number in range(count):
        monkeypatch.setitem(sys.modules, f"somewhere.lazy{number}", Lazy(f"somewhere.lazy{number}", raised))
    first = sys.modules["somewhere.lazy0"]
    assert isinstance(first, Lazy)
    return first


@pytest.mark.parametrize(("count", "raised"), [(1, ImportError), (2, RuntimeError)])
def test_a_lazy_module_that_raises_ends_no_search(
    count: int, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = lazy_modules(monkeypatch, count, raised)
    asked = []

    def look(value: int) -> bool:
        asked.append(sys.modules["somewhere.lazy0"] is lazy)
        return False

    # So often that hypothesis looks for constants: it does for one value in twenty.
    smallest(st.integers(0, 10**6), look, tries=200, random=Random(0))
    assert len(asked) == 200
    assert all(asked), "another thread may import it meanwhile"
    assert "__file__" not in vars(lazy)
    with pytest.raises(raised):
        _ = lazy.__file__


def test_a_lazy_module_that_raises_ends_no_strategy_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    lazy_modules(monkeypatch, 3)
    strategy, whole = st.lists(st.integers(0, 10**9), min_size=50, max_size=50), field(50, dtype=torch.int64)
    assert sample(strategy.map(torch.tensor), whole, (50,), 3).shape == (50,)


def test_modules_that_answer_are_left_alone() -> None:
    before = {name: vars(module).get("__file__") for name, module in sys.modules.items() if hasattr(module, "__dict__")}
    with answering_modules():
        after = {name: vars(module).get("__file__") for name, module in sys.modules.items() if name in before}
    assert after == before


def test_a_predicate_may_end_the_search() -> None:
    seen: list[int] = []

    def look(value: int) -> bool:
        seen.append(value)
        if len(seen) == 7:
            raise Enough
        return False

    assert smallest(st.integers(0, 10**6), look, tries=10**7, random=Random(0)) is None
    assert len(seen) == 7


class Stop(BaseException):
    pass


@pytest.mark.parametrize("raised", [SystemExit, ValueError, Stop, KeyboardInterrupt, pytest.fail.Exception])
def test_what_a_predicate_raises_leaves_at_once_and_is_not_shrunk(raised: type[BaseException]) -> None:
    seen: list[int] = []

    def look(value: int) -> bool:
        seen.append(value)
        if value > 1000:
            raise raised("it ended")
        return False

    with pytest.raises(raised, match="it ended") as found:
        smallest(st.integers(0, 10**6), look, tries=100, random=Random(0))
    assert sum(value > 1000 for value in seen) == 1
    assert found.traceback[-1].name == "look"


def test_a_function_of_two_arguments_is_given_the_case_too() -> None:
    def rising(shape: tuple[int, ...], case: Any) -> Any:
        return st.just(torch.full(shape, float(case["length"])))

    assert sample(rising, field("batch"), (2,), 0, {"length": 9}).tolist() == [9.0, 9.0]


def test_a_second_argument_with_a_default_is_not_the_case() -> None:
    def scaled(shape: tuple[int, ...], scale: float = 3.0) -> Any:
        return st.just(torch.full(shape, scale))

    assert sample(scaled, field("batch"), (2,), 0, {"length": 9}).tolist() == [3.0, 3.0]


def test_what_a_function_does_to_the_case_is_not_kept() -> None:
    def clears(shape: tuple[int, ...], case: Any) -> Any:
        case.clear()
        return ONES

    case = {"length": 9}
    sample(clears, field("batch"), (2,), 0, case)
    assert case == {"length": 9}
