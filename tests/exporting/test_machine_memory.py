"""Proves that the memory of a machine, or the limit of a container if that is less, is shared out to processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tsexport.exporting import machine_memory
from pytest_tsexport.exporting.machine_memory import PART, share

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a container's limit stands; there is none yet."""
    path = tmp_path / "memory.max"
    monkeypatch.setattr(machine_memory, "LIMITS", (path, tmp_path / "absent"))
    return path


@pytest.mark.parametrize("text", [None, "max\n", "", f"{2**63}\n"])
def test_without_a_limit_it_is_the_machines(limit: Path, text: str | None) -> None:
    if text is not None:
        limit.write_text(text, encoding="ascii")
    assert share(1) == int(PART * MACHINE)


def test_a_container_has_less(limit: Path) -> None:
    limit.write_text(f"{10 * 2**20}\n", encoding="ascii")
    assert share(1) == int(PART * 10 * 2**20)


def test_processes_share_it(limit: Path) -> None:
    limit.write_text(f"{10 * 2**20}\n", encoding="ascii")
    assert share(4) == int(PART * 10 * 2**20 / 4)
