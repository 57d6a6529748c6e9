"""items -> order: the checks of one subject stay neighbours, whoever shuffles."""

from __future__ import annotations

import pytest

from pytest_tsexport.collecting.expansion import id_of
from pytest_tsexport.policy import CHECKS


def regroup(items: list[pytest.Item]) -> None:
    """Bring the checks of a subject together where the first of them stands, in the order of `CHECKS`.

    A plugin that shuffles would have each subject built once a check.
    """
    order = list(CHECKS)
    places: dict[str, list[tuple[int, pytest.Item]]] = {}
    for item in items:
        parts = id_of(item)
        group, rank = (parts.group, order.index(parts.check)) if parts else (item.nodeid, 0)
        places.setdefault(group, []).append((rank, item))
    items[:] = [item for place in places.values() for _, item in sorted(place, key=lambda ranked: ranked[0])]
