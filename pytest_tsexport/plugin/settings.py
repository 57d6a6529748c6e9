"""command line, ini -> settings: what the run asks for, read once and checked, as one frozen value."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import pytest

from pytest_tsexport.config.baseline import DEFAULT, Baseline
from pytest_tsexport.config.policy import BACKENDS, Effort
from pytest_tsexport.config.validators import valid_arguments, valid_checks, valid_count, valid_names, valid_seconds
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.plugin.options import OPTIONS, Option, flag

T = TypeVar("T")
ON_UNAVAILABLE = ("fail", "skip")
INI_TYPES = {"string": "a text", "linelist": "a list of texts", "int": "a whole number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the run asks for. `told` is from the command line and beats the marker; `usual` is the ini's."""

    command_line: Effort = field(default_factory=Effort)
    ini: Effort = field(default_factory=Effort)
    backends: Mapping[str, object] = field(default_factory=lambda: {name: name for name in BACKENDS})
    skip_unavailable: bool = False
    models: tuple[str, ...] = ()
    artifact: Path | None = None
    counterexamples: Path | None = None
    configured: bool = False
    typed: tuple[str, ...] = ()


SETTINGS = pytest.StashKey[Settings]()


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this run. Raises `pytest.UsageError`, one sentence, which is exit code 4."""
    try:
        backends = _backends(config)
        command_line = {option.key: _from_command_line(config, option) for option in OPTIONS}
        ini = {option.key: _from_ini(config, option) for option in OPTIONS}
        if ini["ts_baseline"] is None and (config.rootpath / DEFAULT).is_file():
            ini["ts_baseline"] = str(config.rootpath / DEFAULT)
        return _settings(config, backends, command_line, ini)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from None


def _settings(
    config: pytest.Config, backends: Mapping[str, object], command_line: Mapping[str, object], ini: Mapping[str, object]
) -> Settings:
    names = tuple(backends)
    either = {key: _stronger(key, command_line[key], ini[key]) for key in command_line}
    models = _read(either, "ts_model", _texts) or ()
    artifact = _read(either, "ts_artifact", lambda where, value: _path(config, where, value))
    if artifact and len(models) != 1:
        raise PolicyError(f"--ts-artifact is {str(artifact)!r}; give it with one --ts-model, the model that it exports")
    return Settings(
        command_line=_effort(config, command_line, names, flags=True),
        ini=_effort(config, ini, names, flags=False),
        backends=backends,
        skip_unavailable=_read(either, "ts_on_unavailable", lambda w, v: valid_names(w, str(v), ON_UNAVAILABLE))
        == ("skip",),
        models=models,
        artifact=artifact,
        counterexamples=_read(either, "ts_counterexamples", lambda where, value: _path(config, where, value)),
        configured=any(value is not None for value in (*command_line.values(), *ini.values())),
        typed=_typed(command_line),
    )


def _effort(config: pytest.Config, values: Mapping[str, object], backends: Sequence[str], *, flags: bool) -> Effort:
    named = {key: (flag(key) if flags else key, value) for key, value in values.items()}
    seed = _read(named, "ts_seed", _whole)
    return Effort(
        backends=_read(named, "ts_backend", lambda where, value: valid_names(where, _texts(where, value), backends)),
        checks=_read(named, "ts_checks", lambda where, value: valid_checks(where, _texts(where, value))),
        max_examples=_read(named, "ts_max_examples", lambda where, value: valid_count(where, _number(value))),
        budget=_read(named, "ts_budget", valid_seconds),
        timeout=_read(named, "ts_timeout", valid_seconds),
        neuron_args=_read(named, "ts_neuron_args", valid_arguments),
        seed=_hypothesis_seed(config) if seed is None and flags else seed,
        export_dir=_read(named, "ts_export_dir", lambda where, value: _folder(config, where, value)),
        baseline=_read(named, "ts_baseline", lambda where, value: _baseline(config, where, value)),
    )


def _read(values: Mapping[str, tuple[str, object]], key: str, valid: Callable[[str, object], T]) -> T | None:
    where, value = values[key]
    return None if value is None else valid(where, value)


def _stronger(key: str, command_line: object, ini: object) -> tuple[str, object]:
    return (key, ini) if command_line is None else (flag(key), command_line)


def _from_command_line(config: pytest.Config, option: Option) -> object:
    value: object = config.getoption(option.key)
    return value


def _from_ini(config: pytest.Config, option: Option) -> object:
    try:
        value: object = config.getini(option.key)
    except (TypeError, ValueError, pytest.UsageError) as error:
        # The ini itself is typed, and pytest's sentence does not always name the option.
        raise PolicyError(
            f"{option.key} in the ini is not valid ({error}); give {INI_TYPES[option.ini_type]}"
        ) from None
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else [value]
    texts = tuple(text.strip() for part in parts for text in str(part).split(",") if text.strip())
    if not texts:
        raise PolicyError(f"{where} is empty; give one name, or a list split by commas")
    return texts


def _number(value: object) -> object:
    """A whole number where the text is one; else the text, for the error's sentence to name."""
    try:
        return int(str(value))
    except ValueError:
        return value


def _whole(where: str, value: object) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise PolicyError(f"{where} is {value!r}; give a whole number")
    return number


def _path(config: pytest.Config, where: str, value: object) -> Path:
    """Relative to the working folder on the command line, and to the ini's folder in the ini."""
    if not value:
        raise PolicyError(f"{where} is empty; give a path")
    from_ini = not where.startswith("--") and config.inipath is not None
    base = config.inipath.parent if from_ini and config.inipath else config.invocation_params.dir
    return base / str(value)


def _folder(config: pytest.Config, where: str, value: object) -> Path:
    """A folder that is there, or is made now: later it would look like the model's fault."""
    folder = _path(config, where, value)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PolicyError(f"{where} is {str(value)!r}, where no folder can be made ({error.strerror})") from None
    return folder


def _baseline(config: pytest.Config, where: str, value: object) -> Baseline:
    """The option writes, so its file must be one that can be written over; the ini compares."""
    path = _path(config, where, value)
    writes = where.startswith("--")
    baseline = Baseline(path, typed=os.path.relpath(path, config.invocation_params.dir), writes=writes)
    if writes:
        _folder(config, where, path.parent)
        baseline.read()
    return baseline


def _hypothesis_seed(config: pytest.Config) -> int | None:
    """`--hypothesis-seed`, which may be any text; the option is not there with `-p no:hypothesispytest`."""
    text = config.getoption("hypothesis_seed", None)
    if text is None:
        return None
    number = _number(text)
    return number if isinstance(number, int) else crc32(str(text).encode())


def _typed(command_line: Mapping[str, object]) -> tuple[str, ...]:
    """The options of the command line that decide what a search meets, as they can be typed again."""
    deciding = ("ts_backend", "ts_max_examples", "ts_budget", "ts_neuron_args")
    return tuple(f"{flag(key)}={_as_typed(command_line[key])}" for key in deciding if command_line[key] is not None)


def _as_typed(value: object) -> str:
    return shlex.quote(",".join(map(str, value)) if isinstance(value, list) else str(value))


def _backends(config: pytest.Config) -> Mapping[str, object]:
    """The backends by name: those that ship, and those of `pytest_ts_backends`."""
    found: dict[str, object] = {name: name for name in BACKENDS}
    for given in config.hook.pytest_ts_backends():
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise PolicyError(f"pytest_ts_backends returned {given!r}; return {{name: 'module:Class' or a backend}}")
        found.update(given)
    return found
