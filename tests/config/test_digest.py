"""A file has the digest that other programs find, also if it is read in several parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pytest_tsexport.config.digest import CHUNK, sha256_of


@pytest.mark.parametrize("size", [0, 5, CHUNK, 2 * CHUNK + 1])
def test_all_of_a_file_is_read(tmp_path: Path, size: int) -> None:
    file = tmp_path / "x.pt"
    file.write_bytes(b"x" * size)
    assert sha256_of(file) == hashlib.sha256(b"x" * size).hexdigest()
