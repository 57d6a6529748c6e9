"""Keeps the items of one subject together, even if another plugin shuffles the items."""

from __future__ import annotations

import pytest

from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.plugin.collection.expansion import id_of
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.settings import SETTINGS


def regroup(items: list[pytest.Item]) -> None:
    """Move the items of a subject to the place of the first of them: backend by backend, check by check.

    Otherwise a plugin that shuffles would make each item build its model.
    """
    by_subject: dict[str, list[tuple[tuple[int, int], pytest.Item]]] = {}
    for item in items:
        parts = id_of(item)
        subject, rank = (parts.subject, _rank(item, parts)) if parts else (item.nodeid, (0, 0))
        by_subject.setdefault(subject, []).append((rank, item))
    items[:] = [
        item for subject_items in by_subject.values() for _, item in sorted(subject_items, key=lambda ranked: ranked[0])
    ]


def _rank(item: pytest.Item, parts: ItemId) -> tuple[int, int]:
    """The position of an item among those of its subject: the order in which they are collected."""
    backends = tuple(item.config.stash[SETTINGS].backends)
    return backends.index(parts.backend), tuple(CHECKS).index(parts.check)
