"""The settings of a run: the options of the command line and of the ini, read once, validated and frozen."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from pytest_tsexport.config.given_models import check_together
from pytest_tsexport.config.names import BACKENDS
from pytest_tsexport.config.options import OPTIONS, Option, RunOptions
from pytest_tsexport.config.shown import raised_by, shown
from pytest_tsexport.config.validators import Given, validated
from pytest_tsexport.errors import PolicyError, ends_the_run

SUITE = "pytest_tsexport.suite"
SUITE_FOLDER = Path(__file__).parents[1] / "suite"

INI_TYPES = {"string": "a text", "linelist": "a list of texts", "int": "a whole number"}

Values = Mapping[str, Any]
"""The value given for each option, by the field that it sets; None if no value was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a run. A marker is weaker than `command_line` and stronger than `ini`.

    `backends` are all known backends by name. `configured` says whether any `--ts-` option or `ts_` ini value is given.
    `rerun_flags` are the options that the `rerun` command of a failure repeats.
    """

    command_line: RunOptions = field(default_factory=RunOptions)
    ini: RunOptions = field(default_factory=RunOptions)
    backends: Mapping[str, object] = field(default_factory=lambda: {name: name for name in BACKENDS})
    configured: bool = False
    rerun_flags: tuple[str, ...] = ()

    @property
    def options(self) -> RunOptions:
        """The options of a test whose markers give none."""
        return self.command_line.over(self.ini)


SETTINGS = pytest.StashKey[Settings]()


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this run. Raises `pytest.UsageError`, one sentence, which is exit code 4."""
    command_line: Values = {name: config.getoption(option.ini) for name, option in OPTIONS.items()}
    try:
        _validate_suite(config, command_line)
        ini = {name: _from_ini(config, option) for name, option in OPTIONS.items()}
        backends = _backends(config)
        settings = Settings(
            command_line=_command_line_options(config, command_line, backends),
            ini=_ini_options(config, ini, backends),
            backends=backends,
            configured=any(value is not None for value in (*command_line.values(), *ini.values())),
            rerun_flags=_rerun_flags(command_line),
        )
        _validate_together(settings)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from None
    return settings


def _command_line_options(config: pytest.Config, values: Values, backends: Mapping[str, object]) -> RunOptions:
    cwd = config.invocation_params.dir
    given = {
        name: Given(where=OPTIONS[name].flag, value=value, backends=tuple(backends), folder=cwd, cwd=cwd)
        for name, value in values.items()
        if value is not None
    }
    options = _options(given)
    return options if options.seed is not None else replace(options, seed=_hypothesis_seed(config))


def _ini_options(config: pytest.Config, values: Values, backends: Mapping[str, object]) -> RunOptions:
    cwd = config.invocation_params.dir
    folder = cwd if config.inipath is None else config.inipath.parent
    given = {
        name: Given(where=OPTIONS[name].ini, value=value, backends=tuple(backends), folder=folder, cwd=cwd)
        for name, value in values.items()
        if value is not None
    }
    return _options(given)


def _options(given: Mapping[str, Given]) -> RunOptions:
    """The given values, parsed and validated."""
    return RunOptions(
        **{name: validated(OPTIONS[name].valid, _parsed(OPTIONS[name], one)) for name, one in given.items()}
    )


def _parsed(option: Option, given: Given) -> Given:
    if option.many:
        return replace(given, value=_texts(given))
    return replace(given, value=_number(given.value)) if option.number else given


def _texts(given: Given) -> tuple[str, ...]:
    parts = given.value if isinstance(given.value, list) else [given.value]
    texts = tuple(text.strip() for part in parts for text in str(part).split(",") if text.strip())
    if not texts:
        raise PolicyError(f"{given.where} is empty; give one name, or a list separated by commas")
    return texts


def _number(value: object) -> object:
    """The text as a whole number; if it is not one, the text itself, so that the validator can name it."""
    try:
        return int(str(value))
    except ValueError:
        return value


def _from_ini(config: pytest.Config, option: Option) -> object:
    try:
        value: object = config.getini(option.ini)
    except (TypeError, ValueError, pytest.UsageError) as error:
        # Pytest converts an ini value by its type, and its message does not always name the option.
        literal = re.fullmatch(r"invalid literal for int\(\) with base 10: (.*)", str(error), re.DOTALL)
        what = f"is {literal[1]}" if literal else f"in the ini is not valid ({error})"
        raise PolicyError(f"{option.ini} {what}; give {INI_TYPES[option.ini_type]}") from None
    file = option.in_root and config.rootpath / option.in_root
    return str(file) if value is None and isinstance(file, Path) and file.is_file() else value


def _hypothesis_seed(config: pytest.Config) -> int | None:
    """`--hypothesis-seed`, which may be any text; the option does not exist with `-p no:hypothesispytest`."""
    text = config.getoption("hypothesis_seed", None)
    if text is None:
        return None
    number = _number(text)
    return number if isinstance(number, int) else crc32(str(text).encode())


def _rerun_flags(command_line: Values) -> tuple[str, ...]:
    """The options of the command line that a rerun needs to find the same failure, quoted for a shell."""
    return tuple(
        f"{option.flag}={_as_typed(command_line[name])}"
        for name, option in OPTIONS.items()
        if option.is_repeated and command_line[name] is not None
    )


def _as_typed(value: object) -> str:
    return shlex.quote(",".join(map(str, value)) if isinstance(value, list) else str(value))


def _backends(config: pytest.Config) -> Mapping[str, object]:
    """The backends by name: those of this package, and those of the hook `pytest_ts_backends`."""
    found: dict[str, object] = {name: name for name in BACKENDS}
    returns = "return a mapping of names to 'module:Class' or to a backend"
    try:
        answers = config.hook.pytest_ts_backends()
    except Exception as error:  # the user's own code
        if ends_the_run(error):
            raise
        raise PolicyError(f"pytest_ts_backends raised {raised_by(error)}; {returns}") from None
    for given in answers:
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise PolicyError(f"pytest_ts_backends returned {shown(given)}; {returns}")
        found.update(given)
    return found


def _validate_suite(config: pytest.Config, command_line: Values) -> None:
    """The options of the validation suite say something only if the run collects it.

    Asked before their values are, which loads Transformers.
    """
    name = next((name for name in ("architectures", "heads") if command_line[name] is not None), None)
    if name is not None and not any(_collects_suite(config, str(argument)) for argument in config.args):
        value = command_line[name]
        text = ",".join(value) if isinstance(value, list) else str(value)
        sentence = f"{OPTIONS[name].flag} is {text!r}, and this run has no validation suite"
        raise PolicyError(f"{sentence}; add --pyargs pytest_tsexport.suite")


def _collects_suite(config: pytest.Config, argument: str) -> bool:
    path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    return (
        argument.startswith(SUITE)
        or path == SUITE_FOLDER
        or path in SUITE_FOLDER.parents
        or SUITE_FOLDER in path.parents
    )


def _validate_together(settings: Settings) -> None:
    options = settings.options
    arguments = settings.command_line.neuron_args
    if arguments is not None and options.backends == ("jit",):  # if none is named here, a marker may name neuron
        sentence = f"--ts-neuron-args is {shlex.join(arguments)!r}, and the backend jit takes no arguments"
        raise PolicyError(f"{sentence}; give it with --ts-backend=neuron or --ts-backend=neuron-sim")
    check_together(options, settings.command_line)
    if options.artifact is not None and len(options.models or ()) != 1:
        raise PolicyError(
            f"--ts-artifact is {str(options.artifact)!r}; give it with one --ts-model, the model that it exports"
        )
