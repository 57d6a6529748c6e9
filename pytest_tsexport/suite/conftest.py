"""Marks what is known to fail in the validation suite: `known_failures.toml`, keyed by architecture."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from pytest_tsexport.config.known_failures import KnownFailures, read_known_failures
from pytest_tsexport.plugin.collection.expansion import slot_of
from pytest_tsexport.plugin.execution.outcomes import expect_entry
from pytest_tsexport.suite.selection import Architecture

TABLE = Path(__file__).with_name("known_failures.toml")


@cache
def known_failures() -> KnownFailures:
    """The table that ships with the suite."""
    return read_known_failures(TABLE, typed=TABLE.name)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the one item of each entry."""
    slot = slot_of(item)
    architecture = getattr(item, "callspec").params.get("architecture") if slot else None  # noqa: B009  # as in pytest
    if slot is not None and isinstance(architecture, Architecture):
        expect_entry(item, known_failures().of(architecture.name, slot.backend, slot.check))
