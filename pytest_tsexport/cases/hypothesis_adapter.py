"""strategy, predicate -> value: the only module that calls hypothesis.

Its database is not used, because a counterexample of one subject would be replayed against another. Nor is its
deadline: `find` would stop after 200 ms. The randomness comes from us, so that a printed seed draws the same values
everywhere: with `CI` set, the default profile of hypothesis ignores its own seeds.

What a predicate raises leaves hypothesis at once. It would take a `sys.exit` or a time limit of pytest for a failing
example, and call the predicate many times more in order to shrink it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from types import ModuleType
from typing import Any, TypeVar

import torch
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

from pytest_tsexport.errors import INTERRUPTS, InputsError
from pytest_tsexport.subjects.fields import Field

T = TypeVar("T")


def default_examples() -> int:
    """The number of cases for each check, from the active hypothesis profile."""
    return int(settings.default.max_examples) if settings.default is not None else 100


def derandomized() -> bool:
    """Whether the active profile asks for the same run every time, as hypothesis does in CI."""
    return settings.default is not None and bool(settings.default.derandomize)


class Enough(BaseException):
    """Raised by a predicate: no further value is wanted."""


class _Carried(BaseException):
    """Carries what a predicate raised through hypothesis, which handles every other exception itself."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__(raised)
        self.raised = raised


def smallest(strategy: st.SearchStrategy[T], wanted: Callable[[T], bool], *, tries: int, random: Random) -> T | None:
    """The simplest value for which `wanted` is true: `tries` values are drawn and shrunk. None if none is found.

    `wanted` may raise `Enough` to end the search; the values that it has found wanted by then are not returned. Raises
    whatever else `wanted` raises.
    """
    quiet = settings(max_examples=tries, deadline=None, database=None, derandomize=False, report_multiple_bugs=False)
    try:
        with answering_modules():
            return find(strategy, lambda value: _carried(wanted, value), settings=quiet, random=random)
    except (NoSuchExample, Unsatisfiable, Enough):
        return None
    except _Carried as carried:
        raise carried.raised from carried.raised.__cause__


def _carried(wanted: Callable[[T], bool], value: T) -> bool:
    try:
        return wanted(value)
    except INTERRUPTS:
        raise
    except Enough:
        raise
    except BaseException as raised:  # a model may raise anything at all, and `smallest` raises it
        raise _Carried(raised) from raised


@contextmanager
def answering_modules() -> Iterator[None]:
    """Lets hypothesis ask every module for its file, which some lazy modules answer with an `ImportError`.

    Hypothesis asks all of `sys.modules`, because it draws constants from the user's sources, and fails if one raises
    (speechbrain leaves nine that do). While this is open, such a module has `__file__ = None`, as a module without a
    file has. It stays in `sys.modules`: another thread that imports it meanwhile must not load it a second time.
    """
    silent = [module for module in list(sys.modules.values()) if _refuses_its_file(module)]
    for module in silent:
        vars(module)["__file__"] = None
    try:
        yield
    finally:
        for module in silent:
            vars(module).pop("__file__", None)


def _refuses_its_file(module: ModuleType) -> bool:
    try:
        getattr(module, "__file__", None)
    except Exception:  # a lazy module may raise anything when it is asked for an attribute
        return isinstance(module, ModuleType)
    return False


def below(count: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0, the simplest, to `count` - 1.

    They are counted from `_FAR`. Hypothesis mixes in numbers from the source of the local modules that are loaded, so
    one seed would draw other values in another process.
    """
    return st.integers(_FAR, _FAR + count - 1).map(lambda number: number - _FAR)


_FAR = 7_340_291_884_113
"""Neither this number nor the next 100 000 after it are in any other source."""


def sample(
    strategy: Any, field: Field, shape: tuple[int, ...], number: int, case: Mapping[str, Any] | None = None
) -> torch.Tensor:
    """The tensor of this shape that the user's own strategy draws for the seed `number`.

    `strategy` is a hypothesis strategy of tensors, or a function that returns one: of the shape, or of the shape and
    the `case`, which holds the size of every axis and the inputs drawn so far, by name. Raises `InputsError`, one
    sentence, if it raises, or if it draws anything but a tensor of this shape and of the dtype of the input.
    """
    made = _strategy(strategy, shape, case or {})
    value = _asked(made, f"strategies[{field.name!r}]", shape, number)
    drew = f"strategies[{field.name!r}] drew"
    if not isinstance(value, torch.Tensor):
        raise InputsError(f"{drew} {type(value).__name__} for shape {shape}; give a strategy of tensors")
    if tuple(value.shape) != shape:
        got = tuple(value.shape)
        raise InputsError(f"{drew} shape {got} where {shape} is asked for; give a function of the shape")
    if value.dtype != field.domain.dtype:
        raise InputsError(f"{drew} {value.dtype}; give a strategy of {field.domain.dtype}, which the input is")
    return value


def _asked(strategy: Callable[[], Any], name: str, shape: tuple[int, ...], number: int) -> Any:
    try:
        made = strategy()
        drawn = _drawn(made, number) if isinstance(made, st.SearchStrategy) else None
    except Unsatisfiable:
        drawn = []
    except Exception as error:  # the user's own code may raise anything, and the user needs to know what
        what, why = f"{name} raised {type(error).__name__} for shape {shape}", str(error).partition("\n")[0]
        raise InputsError(f"{what}; give a strategy that draws a tensor of it: {why}") from error
    if drawn is None:
        got = type(made).__name__
        raise InputsError(f"{name} returned {got} for shape {shape}; return a hypothesis strategy of tensors")
    if not drawn:
        raise InputsError(f"{name} drew nothing for shape {shape}; give a strategy whose filters let tensors through")
    return drawn[-1]


def _strategy(strategy: Any, shape: tuple[int, ...], case: Mapping[str, Any]) -> Callable[[], Any]:
    """What gives the strategy: itself, or a function of the shape, or one of the shape and the case."""
    if isinstance(strategy, st.SearchStrategy):
        return lambda: strategy
    return lambda: strategy(shape, dict(case)) if _takes_case(strategy) else strategy(shape)


def _takes_case(strategy: Any) -> bool:
    """Whether a function has two arguments that it requires: the shape, and the case."""
    try:
        parameters = inspect.signature(strategy).parameters.values()
    except (TypeError, ValueError):  # a builtin may have no signature
        return False
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [one.default is one.empty for one in positional[:2]] == [True, True]


def _drawn(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=2,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(value: Any) -> None:
        drawn.append(value)

    with answering_modules():
        keep()
    return drawn
