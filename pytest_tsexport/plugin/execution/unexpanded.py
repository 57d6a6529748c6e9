"""Judges a marked item that was not expanded: a bare marker of another project, or a mistake that must not pass."""

from __future__ import annotations

import unittest

import pytest

from pytest_tsexport.config.shown import with_article
from pytest_tsexport.errors import TsExportError
from pytest_tsexport.plugin.collection.bare_markers import returns_something
from pytest_tsexport.plugin.collection.expansion import is_async
from pytest_tsexport.plugin.execution import outcomes
from pytest_tsexport.plugin.markers import is_bare, marks_of, parameter_marks
from pytest_tsexport.plugin.session.transport import BARE_MARKER
from pytest_tsexport.plugin.settings import Settings

VALID = "return an nn.Module, a ScriptModule, or (module, inputs)"


def may_return_nothing(item: pytest.Item, settings: Settings) -> bool:
    """Whether the marker may be that of another project, such as timm, whose marked tests return nothing."""
    return is_bare(marks_of(item)) and not settings.configured


def none_returned(item: pytest.Item) -> str:
    """The sentence for a marked function that forgot its `return`."""
    return f"{_name(item)} returned None; a function marked torchscript must {VALID}"


def refuse_async(item: pytest.Item) -> None:
    """Fail a coroutine that would return a model, before anything runs it; a bare marker on one is legal."""
    if not isinstance(item, pytest.Function) or not is_async(item):
        return
    if not is_bare(marks_of(item)) or returns_something(item.function):
        outcomes.fail(f"{_name(item)} is async, and no check can await it; make it a plain `def`, and {VALID}")


def judge(item: pytest.Item, returned: list[object], settings: Settings) -> None:
    """Fail a test that returned a value, which no check looked at, or returned nothing though it had to."""
    if not returned:
        return  # a TestCase method that raised, which pytest shows only in the report
    value = returned[-1]
    if isinstance(value, TsExportError):
        raise value
    if value is not None:
        outcomes.fail(
            f"{_name(item)} returned {with_article(value)}, which no check looked at: {_why_not_expanded(item)}"
        )
    if not may_return_nothing(item, settings):
        outcomes.fail(none_returned(item))
    item.stash[BARE_MARKER] = True


def _why_not_expanded(item: pytest.Item) -> str:
    cls = getattr(item, "cls", None)
    if isinstance(cls, type) and issubclass(cls, unittest.TestCase):
        return "a method of a unittest.TestCase is one test; mark a plain function or method instead"
    if is_async(item):
        return "it is async; make it a plain `def`"
    if parameter_marks(item) and len(parameter_marks(item)) == len(marks_of(item)):
        return "its marker is inside pytest.param; put @pytest.mark.torchscript on the function"
    return "its source shows no `return` with a value; give the marker a keyword, as in checks=[...]"


def _name(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name
