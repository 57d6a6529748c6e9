"""config, settings -> what the run depends on besides its tests: options, installed packages, files by digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import pytest

from pytest_tsexport.config.isolation import Isolation
from pytest_tsexport.config.options import EFFORT, OPTIONS, WHERE, RunOptions
from pytest_tsexport.config.report_files import kind_of
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.run_record import Surroundings

STATEMENT = ".intoto.json"
"""The report that names them; without it they are not looked up, which takes a part of a second."""

LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
"""The names of lock files, as tools write them into the root folder of a project."""


def surroundings(config: pytest.Config, settings: Settings) -> Surroundings:
    """Those of this run, if one of its reports names them."""
    options = settings.options
    if not any(kind_of(file) == STATEMENT for file in options.reports or ()):
        return Surroundings()
    files = {os.path.relpath(file, config.rootpath): _sha256(file) for file in _files(config, options)}
    return Surroundings(options=_in_force(options), packages=_packages(), files=files)


def _in_force(options: RunOptions) -> Mapping[str, object]:
    """The options that say where to run and how hard to look. Paths are left out: machines have different ones."""
    given = {name: getattr(options, name) for name, row in OPTIONS.items() if row.group in (WHERE, EFFORT)}
    return {OPTIONS[name].flag: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, Isolation):
        return asdict(value)
    return list(map(str, value)) if isinstance(value, tuple) else value


def _packages() -> Mapping[str, str]:
    """Every installed package with its version, by the name that the index gives it."""
    found: dict[str, str] = {}
    for one in metadata.distributions():  # the first of a name is the one that is imported
        found.setdefault(str(one.metadata["Name"]).lower().replace("_", "-"), one.version)
    return found


def _files(config: pytest.Config, options: RunOptions) -> Iterator[Path]:
    yield from (config.rootpath / name for name in LOCKS if (config.rootpath / name).is_file())
    if options.known_failures is not None:
        yield options.known_failures.file
    if options.baseline is not None and not options.baseline.writes:
        yield options.baseline.path


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
