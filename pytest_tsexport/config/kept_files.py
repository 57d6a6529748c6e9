"""The files of `--ts-export-dir`: their names say how far a file got.

`x.unjudged.pt` while it is judged; then `x.pt`, or `x.rejected.pt`. A file beside it, `x.rejected.json`, says why.
"""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tsexport.config.atomic_file import replacing

UNJUDGED = ".unjudged"
REJECTED = ".rejected"
SIDECAR = ".json"
LONGEST = 180
"""Characters of a node id that a name takes: with the backend, the suffixes and what a copy adds, it has 255 bytes."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The names that the file of one export may have in the folder; `suffix` is that of its format."""

    folder: Path
    stem: str
    suffix: str

    @property
    def unjudged(self) -> Path:
        """While it is judged, and if not all of it could be."""
        return self.folder / f"{self.stem}{UNJUDGED}{self.suffix}"

    @property
    def accepted(self) -> Path:
        """When every selected check ended without a failure."""
        return self.folder / f"{self.stem}{self.suffix}"

    @property
    def rejected(self) -> Path:
        """When a check failed."""
        return self.folder / f"{self.stem}{REJECTED}{self.suffix}"

    def sidecar(self, file: Path) -> Path:
        """What is said about a judged file, beside it."""
        return file.with_name(f"{file.name.removesuffix(self.suffix)}{SIDECAR}")

    def keep(self, made: Path) -> None:
        """Copy a new file, not yet judged.

        The copy is moved into place in one step, because other workers may write it too.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.unjudged) as partial:
            shutil.copyfile(made, partial)

    def discard(self) -> None:
        """Remove what an earlier export left: if the new one ends without a file, no file may stand for it."""
        for file in (self.accepted, self.rejected, self.unjudged):
            file.unlink(missing_ok=True)
            self.sidecar(file).unlink(missing_ok=True)


def unjudged_files(folder: Path, subject: str, backend: str) -> Iterator[KeptFile]:
    """The file of an export that waits for its judgement, if there is one."""
    stem = stem_of(subject, backend)
    for path in sorted(folder.glob(f"{stem}{UNJUDGED}.*")):
        if path.suffix != SIDECAR:
            yield KeptFile(folder, stem, path.name.removeprefix(f"{stem}{UNJUDGED}"))


def stem_of(subject: str, backend: str) -> str:
    """A node id and a backend as a file name, without the suffix.

    A checksum separates ids that differ only in characters that a name cannot hold, or in what is cut off.
    """
    plain = re.sub(r"::|[/\\\[]", "-", subject).replace("]", "")
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-")
    parameters = subject.partition("[")[2]
    if safe == plain and len(safe) <= LONGEST and "/" not in parameters and "\\" not in parameters:
        return f"{safe}-{backend}"
    # A node id has lone surrogates if it holds a file name that is no text.
    checksum = zlib.crc32(subject.encode(errors="surrogateescape"))
    return f"{safe[:LONGEST]}-{checksum:08x}-{backend}"
