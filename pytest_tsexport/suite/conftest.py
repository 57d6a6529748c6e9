"""Marks what is known to fail in the validation suite, and says how one item of it is run alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from pytest_tsexport.config.known_failures import KnownFailures, read_known_failures
from pytest_tsexport.plugin.collection.expansion import slot_of
from pytest_tsexport.plugin.execution.outcomes import SELECTED_BY, expect_entry
from pytest_tsexport.suite.selection import Architecture

SUITE = "--pyargs pytest_tsexport.suite"
TABLE = Path(__file__).with_name("known_failures.toml")


@cache
def known_failures() -> KnownFailures:
    """The table that ships with the suite."""
    return read_known_failures(TABLE, typed=TABLE.name)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the one item of each entry, and say how an item is run alone."""
    slot = slot_of(item)
    architecture = getattr(item, "callspec").params.get("architecture") if slot else None  # noqa: B009  # as in pytest
    if slot is not None and isinstance(architecture, Architecture):
        item.stash[SELECTED_BY] = [SUITE, *architecture.selected_by]
        expect_entry(item, known_failures().of(architecture.name, slot.backend, slot.check), strict=True)
