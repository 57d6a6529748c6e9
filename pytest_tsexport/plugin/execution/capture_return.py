"""Captures what a test function returns, while pytest still calls it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest

from pytest_tsexport.errors import InputsError, UnavailableError
from pytest_tsexport.exporting.exits import exits_raised

NOT_MADE = (UnavailableError, InputsError)
"""What a marked function raises if it has no model to return: its checks say so, in a sentence."""


Watch = Callable[[], AbstractContextManager[None]]
"""Makes what is open while the function is called."""


@contextmanager
def captured_return(item: pytest.Item, watch: Watch = nullcontext, *, deferred: bool = False) -> Iterator[list[object]]:
    """While this is open, what the test function returns is appended to the list, and pytest sees None.

    What it raises of `NOT_MADE` is appended likewise. It is called within `watch`.
    If `deferred`, the function is not called: the call, with its arguments, is appended in place of what it returns.
    Because `item.obj` is wrapped, it works for a method of a `TestCase` too, and for a plugin that makes the call.
    """
    returned: list[object] = []
    if not isinstance(item, pytest.Function):
        yield returned
        return
    original = item.obj
    item.obj = _deferring(original, returned) if deferred else _capturing(original, returned, watch)
    try:
        yield returned
    finally:
        item.obj = original


def _capturing(function: Callable[..., Any], returned: list[object], watch: Watch) -> Callable[..., Any]:
    # A plugin that runs coroutines asks whether this is one, so the wrapper must be a coroutine function too.
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> None:
            with watch():
                returned.append(await function(*args, **kwargs))

        return call_async

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        with watch():
            returned.append(returned_by(functools.partial(function, *args, **kwargs)))

    return call


def returned_by(call: Callable[[], object]) -> object:
    """What the call of a marked function returns, or raises if it has no model."""
    try:
        with exits_raised():
            return call()
    except NOT_MADE as error:
        return error


def _deferring(function: Callable[..., Any], calls: list[object]) -> Callable[..., Any]:
    @functools.wraps(function)
    def defer(*args: Any, **kwargs: Any) -> None:
        calls.append(functools.partial(function, *args, **kwargs))

    return defer


class FixtureGraph:
    """Which fixtures a test's own fixtures asked for, recorded while pytest sets them up."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[str, ...]] = {}
        self._scopes: dict[str, str] = {}

    def add(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """A fixture is being set up."""
        self._asked[fixturedef.argname] = tuple(fixturedef.argnames)
        self._scopes[fixturedef.argname] = fixturedef.scope

    def without_own(self, item: pytest.Function) -> list[str]:
        """The item's fixtures without the arguments of its function, and without what only these need: a new list.

        pytest's list is shared by all items of the function. What another fixture needs too, that fixture asks for.
        """
        own: set[str] = set()
        waiting = [name for name in own_arguments(item) if name in item.fixturenames]
        while waiting:
            name = waiting.pop()
            if name not in own:
                own.add(name)
                waiting.extend(self._asked.get(name, ()))
        return [name for name in item.fixturenames if name not in own]

    def that_ended(self, item: pytest.Function) -> list[str]:
        """The arguments of the function that pytest tore down after the first item of the subject."""
        params = item.callspec.params if hasattr(item, "callspec") else {}
        return [n for n in own_arguments(item) if self._scopes.get(n) == "function" and n not in params]


def own_arguments(item: pytest.Function) -> list[str]:
    """The names in the signature of the test function."""
    return [name for name in inspect.signature(item.function).parameters if name != "self"]
