"""Known failures: a table that a team commits, of what is known to fail, with the reason and, if wanted, an expiry.

[[known]]
subject = "test_export.py::test_longformer"
backend = "jit"
check = "shapes"
reason = "windows are cut while tracing; callers pad to 512"
link = "https://github.com/huggingface/transformers/issues/1"
expires = 2027-06-30
when = ["transformers>=5"]

`subject`, `backend` and `check` are one name or a list of names; without `check` the entry stands for every check.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.config.validators import Given, path
from pytest_tsexport.errors import PolicyError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest brings it there
    import tomli as tomllib

REQUIRED = ("subject", "backend", "reason")
OPTIONAL = ("check", "link", "expires", "when")


Key = tuple[str, str, str]
"""A subject, a backend and a check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """One entry of the table. `checks` are all checks if the entry names none; `where` is `known.toml, entry 2`."""

    where: str
    subjects: tuple[str, ...]
    backends: tuple[str, ...]
    checks: tuple[str, ...]
    reason: str
    link: str = ""
    expires: dt.date | None = None

    @property
    def text(self) -> str:
        """The reason, with the link if there is one."""
        return f"{self.reason} ({self.link})" if self.link else self.reason

    @property
    def keys(self) -> Iterator[Key]:
        """What is known to fail, one by one."""
        return product(self.subjects, self.backends, self.checks)


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """The entries of a table that are about this environment: those that hold today, and those that have expired."""

    entries: tuple[KnownFailure, ...] = ()
    expired: tuple[KnownFailure, ...] = ()
    file: Path = field(default=Path(), compare=False)
    _by_key: Mapping[Key, KnownFailure] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # One that holds counts more than an expired one.
        found = {key: one for one in (*self.expired, *self.entries) for key in one.keys}
        object.__setattr__(self, "_by_key", found)

    def of(self, subject: str, backend: str, check: str) -> KnownFailure | None:
        """The entry that holds for this check of this subject."""
        found = self.listed(subject, backend, check)
        return None if found is None or found in self.expired else found

    def listed(self, subject: str, backend: str, check: str) -> KnownFailure | None:
        """The same, be it expired or not."""
        found = (self._by_key.get((name, backend, check)) for name in names_of(subject))
        return next((one for one in found if one is not None), None)


def names_of(subject: str) -> Iterator[str]:
    """The names by which a table may call a subject: its node id, and that without the folders of its file."""
    file, *rest = subject.split("::", maxsplit=1)
    folders = file.split("/")
    for number in range(len(folders)):
        yield "::".join(("/".join(folders[number:]), *rest))


def given_table(given: Given) -> KnownFailures:
    """The validator of `--ts-known-failures`: a bad file ends the run before anything is made."""
    file = path(given)
    return read_known_failures(file, typed=os.path.relpath(file, given.cwd))


def read_known_failures(file: Path, *, typed: str, today: dt.date | None = None) -> KnownFailures:
    """The entries of a file. Raises `PolicyError`, one sentence; `typed` names the file there."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        rows = tables.pop("known", [])
        if tables or not isinstance(rows, list):
            raise ValueError(f"it has {', '.join(tables) or 'one [known]'}; give [[known]] tables only")
        entries = [_entry(typed, number, row) for number, row in enumerate(rows, start=1) if _holds(number, row)]
    except OSError as error:
        raise PolicyError(f"{typed} cannot be read as known failures ({error.strerror})") from None
    except ValueError as error:
        raise PolicyError(f"{typed} cannot be read as known failures: {error}") from None
    day = today or dt.date.today()
    expired = tuple(one for one in entries if one.expires is not None and one.expires < day)
    return KnownFailures(tuple(one for one in entries if one not in expired), expired, file)


def _entry(typed: str, number: int, row: Mapping[str, Any]) -> KnownFailure:
    missing = [name for name in REQUIRED if not row.get(name)]
    unknown = [name for name in row if name not in (*REQUIRED, *OPTIONAL)]
    if missing or unknown:
        what = f"has no {missing[0]}" if missing else f"has {unknown[0]!r}"
        raise ValueError(f"entry {number} {what}; give {', '.join(REQUIRED)} and, if wanted, {', '.join(OPTIONAL)}")
    checks = _names(number, "check", row.get("check", list(CHECKS)))
    for check in checks:
        if check not in CHECKS:
            raise ValueError(f"entry {number} names the check {check!r}; use one of {', '.join(CHECKS)}")
    expires = row.get("expires")
    if type(expires) not in (dt.date, type(None)):
        raise ValueError(f"entry {number} expires {expires!r}; give a date, as 2027-06-30")
    return KnownFailure(
        where=f"{typed}, entry {number}",
        subjects=_names(number, "subject", row["subject"]),
        backends=_names(number, "backend", row["backend"]),
        checks=checks,
        reason=str(row["reason"]),
        link=str(row.get("link", "")),
        expires=expires,
    )


def _names(number: int, what: str, given: object) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"entry {number} has {given!r} as {what}; give a name or a list of names")
    return tuple(names)


def _holds(number: int, row: object) -> bool:
    """Whether the versions that the entry is about are installed."""
    if not isinstance(row, Mapping):
        raise ValueError(f"entry {number} is {row!r}; give a [[known]] table")
    return all(_is_installed(number, text) for text in row.get("when", ()))


def _is_installed(number: int, text: object) -> bool:
    try:
        requirement = Requirement(str(text))
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except InvalidRequirement:
        raise ValueError(f"entry {number} holds when {text!r}; give a requirement, as 'transformers>=5'") from None
    except PackageNotFoundError:
        return False
