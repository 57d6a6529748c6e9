"""strategy, predicate -> what hypothesis draws: the only room that calls it.

Its own database stays out (a counterexample of one subject would be replayed against another), and so does its
deadline (`find` obeys the 200 ms one). The randomness is ours, so that a printed seed draws the same again, in CI
too. (facts: pytest, 15 and 16.)
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import torch
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

from pytest_tsexport.errors import InputsError

T = TypeVar("T")


def default_examples() -> int:
    """Cases a check, as the hypothesis profile in force says."""
    return int(settings.default.max_examples) if settings.default is not None else 100


def derandomized() -> bool:
    """Whether the profile in force wants every run to be the same, as hypothesis does in CI."""
    return settings.default is not None and bool(settings.default.derandomize)


def smallest(strategy: st.SearchStrategy[T], wanted: Callable[[T], bool], *, tries: int, random: Random) -> T | None:
    """The simplest value that is wanted, among `tries` drawn and what they shrink to; None where there is none."""
    quiet = settings(max_examples=tries, deadline=None, database=None, derandomize=False, report_multiple_bugs=False)
    try:
        return find(strategy, wanted, settings=quiet, random=random)
    except (NoSuchExample, Unsatisfiable):
        return None


def below(count: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0, which is the simplest, to `count` - 1.

    They are counted from `_FAR`: hypothesis mixes in numbers that stand in the source of whatever local modules are
    loaded, so that one seed would draw otherwise in another process.
    """
    return st.integers(_FAR, _FAR + count - 1).map(lambda number: number - _FAR)


_FAR = 7_340_291_884_113
"""A number that stands in no other source, nor do the next 100 000 after it."""


def sample(strategy: Any, shape: tuple[int, ...], number: int) -> torch.Tensor:
    """The tensor of this shape that the user's own strategy draws for a seed.

    `strategy` is a hypothesis strategy of a tensor, or a function of the shape that returns one.
    """
    made = strategy if isinstance(strategy, st.SearchStrategy) else strategy(shape)
    drawn: list[torch.Tensor] = []

    @seed(number)
    @settings(
        max_examples=2,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made)
    def keep(value: torch.Tensor) -> None:
        drawn.append(value)

    keep()
    if not drawn or not isinstance(drawn[-1], torch.Tensor):
        got = type(drawn[-1]).__name__ if drawn else "nothing"
        raise InputsError(f"strategies: drew {got} for shape {shape}; give a strategy of tensors")
    return drawn[-1]
