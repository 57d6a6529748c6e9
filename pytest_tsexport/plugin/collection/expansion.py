"""Expands a marked function into items: one for each backend and check, with the check last in the id."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import pytest

from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.plugin.collection.bare_markers import returns_something
from pytest_tsexport.plugin.collection.item_ids import ItemId, parse
from pytest_tsexport.plugin.markers import checked_policy, is_bare, marks_of
from pytest_tsexport.plugin.settings import Settings

PARAMETER = "ts_check"
POLICY = pytest.StashKey[Policy]()
Node = TypeVar("Node", bound="pytest.Item | pytest.Collector")


class Slot(NamedTuple):
    """The backend and the check of one item."""

    backend: str
    check: str


def slot_of(item: pytest.Item) -> Slot | None:
    """The backend and check of an expanded item, None for any other."""
    callspec = getattr(item, "callspec", None)
    slot = callspec.params.get(PARAMETER) if callspec else None
    return slot if isinstance(slot, Slot) else None


def id_of(item: pytest.Item) -> ItemId | None:
    """The parts of the id of an expanded item, None for any other."""
    slot = slot_of(item)
    return parse(item.nodeid, (slot.backend,)) if slot else None


def is_async(item: pytest.Item) -> bool:
    """Whether the test is a coroutine, which no check can call."""
    function = getattr(item, "function", None)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def expand(metafunc: pytest.Metafunc, settings: Settings) -> None:
    """Parametrise a marked function over every backend and check; `keep_wanted` drops those that nobody asked for.

    All of them, because the marker of a parameter may ask for others, and is not known before its item is made.
    """
    marks = marks_of(metafunc.definition)
    if not marks:
        return
    checked_policy(metafunc.definition, settings)
    if is_async(metafunc.definition) or (is_bare(marks) and not returns_something(metafunc.function)):
        return
    slots = [Slot(backend, check) for backend in settings.backends for check in CHECKS]
    metafunc.fixturenames.append(PARAMETER)
    metafunc.parametrize(PARAMETER, slots, ids=[f"{slot.backend}-{slot.check}" for slot in slots], scope="function")


def keep_wanted(made: Sequence[Node], settings: Settings) -> list[Node]:
    """What pytest made of one name in a module, without the items whose backend or check nobody asked for."""
    return [item for item in made if not isinstance(item, pytest.Item) or _is_wanted(item, settings)]


def _is_wanted(item: pytest.Item, settings: Settings) -> bool:
    if not marks_of(item):
        return True
    policy = checked_policy(item, settings)
    item.stash[POLICY] = policy
    slot = slot_of(item)
    return slot is None or (slot.backend in policy.backends and slot.check in policy.checks)
