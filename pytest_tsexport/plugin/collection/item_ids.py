"""Reads the subject, the backend and the check from the id of an item."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pytest_tsexport.config.names import CHECKS


class ItemId(NamedTuple):
    """The parts of `test_x.py::test_bert[tiny-jit-parity]`.

    `subject` is `test_x.py::test_bert[tiny]`; the ids of all checks of that subject and backend begin with `group`;
    `tail` is the group name that pytest-xdist's loadgroup appends.
    """

    group: str
    subject: str
    backend: str
    check: str
    tail: str

    def of(self, check: str) -> str:
        """The node id of another check of the same subject and backend."""
        return f"{self.group}-{check}]{self.tail}"


def parse(nodeid: str, backends: Iterable[str]) -> ItemId | None:
    """The parts of `nodeid`, or None if it is not an item of ours."""
    # The longest names first, and as little as possible before them: the backend `my-jit` is not the backend `jit`.
    names = "|".join(map(re.escape, sorted(backends, key=len, reverse=True)))
    checks = "|".join(map(re.escape, CHECKS))
    match = re.match(rf"(.*?[\[-])({names})-({checks})\](@[^\]]*)?$", nodeid, re.DOTALL)
    if match is None:
        return None
    before, backend, check, tail = match.groups()
    subject = before[:-1] if before.endswith("[") else f"{before[:-1]}]"
    return ItemId(f"{before}{backend}", subject, backend, check, tail or "")
