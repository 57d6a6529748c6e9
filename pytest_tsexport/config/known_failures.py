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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """One entry of the table. `checks` are all checks if the entry names none."""

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


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """The entries of a table that hold in this environment, today."""

    entries: tuple[KnownFailure, ...] = ()
    _by_name: Mapping[tuple[str, str, str], KnownFailure] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {(s, b, c): one for one in self.entries for s in one.subjects for b in one.backends for c in one.checks}
        object.__setattr__(self, "_by_name", found)

    def of(self, subject: str, backend: str, check: str) -> KnownFailure | None:
        """The entry of this check of this subject. A subject may be given without the folders of its file."""
        parts = subject.partition("::")
        folders = parts[0].split("/")
        names = ("".join(("/".join(folders[number:]), *parts[1:])) for number in range(len(folders)))
        return next((found for name in names if (found := self._by_name.get((name, backend, check)))), None)


def given_table(given: Given) -> KnownFailures:
    """The validator of `--ts-known-failures`: a bad file ends the run before anything is made."""
    file = path(given)
    return read_known_failures(file, typed=os.path.relpath(file, given.cwd))


def read_known_failures(file: Path, *, typed: str, today: dt.date | None = None) -> KnownFailures:
    """The entries of a file that have not expired. Raises `PolicyError`, one sentence; `typed` names the file there."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        rows = tables.pop("known", [])
        if tables or not isinstance(rows, list):
            raise ValueError(f"it has {', '.join(tables) or 'one [known]'}; give [[known]] tables only")
        entries = [_entry(number, row) for number, row in enumerate(rows, start=1) if _holds(number, row)]
    except OSError as error:
        raise PolicyError(f"{typed} cannot be read as known failures ({error.strerror})") from None
    except ValueError as error:
        raise PolicyError(f"{typed} cannot be read as known failures: {error}") from None
    day = today or dt.date.today()
    return KnownFailures(tuple(one for one in entries if one.expires is None or one.expires >= day))


def _entry(number: int, row: Mapping[str, Any]) -> KnownFailure:
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
