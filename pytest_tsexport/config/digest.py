"""file -> its sha256, as reports, statements and kept files name it."""

from __future__ import annotations

import hashlib
from pathlib import Path

CHUNK = 2**20
"""Bytes of a file that are read at a time: files of several GiB are common."""


def sha256_of(file: Path) -> str:
    """The digest in hexadecimal. Raises `OSError`."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
