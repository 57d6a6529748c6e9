"""The interface baseline: what callers were promised of each export, as a small JSON file that a team commits.

{"test_export.py::test_ranker": {"jit": {
    "forward": ["input_ids=...", "attention_mask=..."],
    "inputs": ["input_ids: int64 of rank 2", "attention_mask: int64 of rank 2"],
    "outputs": ["0 = logits: float32 of rank 2"],
    "structure": ["the output: tuple"],
    "labels": ["NEGATIVE", "POSITIVE"]}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.config.options import OPTIONS
from pytest_tsexport.errors import PolicyError

InterfaceLines = Mapping[str, Sequence[str]]
"""The lines of each of `PARTS`; a part without lines is left out."""

Entries = dict[str, dict[str, InterfaceLines]]
"""Interfaces by subject and by backend."""

PARTS: Mapping[str, str] = {
    "forward": "argument",
    "keywords": "keyword",
    "inputs": "input",
    "outputs": "output",
    "structure": "structure",
    "labels": "label",
}
"""Each part of an interface, with what one line of it describes."""

DEFAULT = OPTIONS["baseline"].in_root
"""The file in the root folder that exports are compared with, unless the ini names another."""

OPTIONAL = "=..."
"""The end of a line about an argument that callers may leave out, as in a Python stub."""

WHOLE = "the output"
"""The place of the whole output in a line of `structure`."""

BY_POSITION = " (by position only)"
"""Before that, the end of a line about an argument that cannot be passed by name."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file of an interface baseline: its path, its path as a user types it, and whether this run writes it."""

    path: Path
    typed: str
    writes: bool = False

    def read(self) -> Entries:
        """The interfaces in the file; none if there is no file. Raises `PolicyError` for a damaged one."""
        try:
            return _expanded(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise PolicyError(
                f"{self.typed} cannot be read as a baseline ({_why(error)}); restore it, "
                f"or delete it and write a new one with --ts-baseline={self.typed}"
            ) from None

    def write(self, entries: Entries) -> None:
        """Replace the content of the file with these interfaces. Raises `OSError`."""
        with replacing(self.path) as partial:
            partial.write_text(_text(entries), encoding="utf-8")


def _expanded(read: object) -> Entries:
    """Entries from JSON, where backends with the same interface share an entry. Raises `ValueError`."""
    entries: Entries = {}
    for subject, by_backends in _mapping("it", read).items():
        entries[subject] = {}
        for backends, interface in _mapping(subject, by_backends).items():
            for part, lines in _mapping(subject, interface).items():
                if part not in PARTS or not isinstance(lines, list) or not all(isinstance(one, str) for one in lines):
                    raise ValueError(f"{subject}: {part} is not one of {', '.join(PARTS)} with a list of texts")
            entries[subject].update(dict.fromkeys(backends.split(", "), interface))
    return entries


def _why(error: OSError | ValueError) -> str:
    """Without the path: the sentence names the file already, and an absolute path belongs to one machine."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _mapping(what: str, value: object) -> Mapping[str, Mapping[str, Sequence[str]]]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} holds {value!r:.40}, not names")
    return value


def _text(entries: Entries) -> str:
    """Sorted, so that a change of one test changes only its own lines."""
    folded = {subject: _folded(entries[subject]) for subject in sorted(entries)}
    return json.dumps(folded, indent=2, ensure_ascii=False) + "\n"


def _folded(by_backend: Mapping[str, InterfaceLines]) -> dict[str, dict[str, list[str]]]:
    """One entry for all backends with the same interface."""
    found: list[tuple[dict[str, list[str]], list[str]]] = []
    for backend in sorted(by_backend):
        interface = {part: list(by_backend[backend][part]) for part in PARTS if by_backend[backend].get(part)}
        twin = next((names for other, names in found if other == interface), None)
        if twin is None:
            found.append((interface, [backend]))
        else:
            twin.append(backend)
    return {", ".join(names): interface for interface, names in found}
