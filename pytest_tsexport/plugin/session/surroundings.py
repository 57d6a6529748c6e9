"""config, settings -> what the run depends on besides its tests: options, installed packages, files by digest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import pytest

from pytest_tsexport.config.digest import sha256_of
from pytest_tsexport.config.isolation import Isolation
from pytest_tsexport.config.options import EFFORT, OPTIONS, WHERE, RunOptions
from pytest_tsexport.config.report_files import STATEMENT, kind_of
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.run_record import Surroundings

LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
"""The names of lock files, as tools write them into the root folder of a project."""


def surroundings(config: pytest.Config, settings: Settings) -> Surroundings:
    """Those of this run, if its statement names them: to look them up takes a part of a second."""
    options = settings.options
    if not any(kind_of(file) == STATEMENT for file in options.reports or ()):
        return Surroundings()
    files = {os.path.relpath(file, config.rootpath): sha256_of(file) for file in _files(config, options)}
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
    """Those that exist: a baseline of the ini may not be written yet."""
    files = [config.rootpath / name for name in LOCKS]
    if options.known_failures is not None:
        files.append(options.known_failures.file)
    if options.baseline is not None and not options.baseline.writes:
        files.append(options.baseline.path)
    yield from filter(Path.is_file, files)
