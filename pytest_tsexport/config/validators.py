"""The validators that rows of options and keywords name: each returns the valid value, or says what would be valid."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tsexport.config.baseline import Baseline
from pytest_tsexport.config.names import BACKENDS, CHECKS, CONTRACTS, METRICS, imported, selected
from pytest_tsexport.config.shown import shown
from pytest_tsexport.errors import PolicyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value, where it was given (`--ts-budget`, `ts_budget` or `budget`), and what it may refer to.

    `backends` are the names that are known in this run. A path is relative to `folder`, and is shown relative to
    `cwd`, where pytest was started.
    """

    where: str
    value: Any
    backends: Sequence[str] = BACKENDS
    folder: Path = Path()
    cwd: Path = Path()

    def refusal(self, valid: str) -> PolicyError:
        """The error to raise: one sentence that names the value and what would be valid."""
        return PolicyError(f"{self.where} is {shown(self.value)}; {valid}")


def validated(valid: str | tuple[str, ...], given: Given) -> Any:
    """The valid value; `valid` is that of a row, which may be `module:function`. Raises `PolicyError`, one sentence."""
    if isinstance(valid, tuple):
        return valid_names(given.where, str(given.value), valid)[0]
    return (imported(valid) if ":" in valid else globals()[valid])(given)


def backends(given: Given) -> tuple[str, ...]:
    """Names of backends, known to this package or to a conftest."""
    return valid_names(given.where, given.value, given.backends)


def checks(given: Given) -> tuple[str, ...]:
    """Names of checks, where `-name` leaves one out."""
    return valid_checks(given.where, given.value)


def texts(given: Given) -> tuple[str, ...]:
    """Any texts, one or more."""
    return tuple(given.value)


def text(given: Given) -> str:
    """One text that is not empty."""
    if not str(given.value).strip():
        raise PolicyError(f"{given.where} is empty; give a text")
    return str(given.value)


def count(given: Given) -> int:
    """A whole number of cases, 1 or more."""
    if isinstance(given.value, bool) or not isinstance(given.value, int) or given.value < 1:
        raise given.refusal("give a whole number of cases, 1 or more")
    return given.value


def whole_number(given: Given) -> int:
    """A whole number, negative ones too."""
    if isinstance(given.value, bool) or not isinstance(given.value, int):
        raise given.refusal("give a whole number")
    return given.value


def seconds(given: Given) -> float:
    """A positive, finite number of seconds, as a number or as text."""
    value = given.value
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else 0.0
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise given.refusal("give a number of seconds above 0")
    return number


def arguments(given: Given) -> tuple[str, ...]:
    """Arguments of a compiler: one text, or a list of texts, each split as a shell would."""
    value = given.value
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value):
        value = " ".join(value)
    try:
        if not isinstance(value, str):
            raise ValueError("it is not a text")
        return tuple(shlex.split(value))
    except ValueError as error:
        sentence = f"{given.where} is {shown(value)} ({error}); give compiler arguments, as '--auto-cast none'"
        raise PolicyError(sentence) from None


def path(given: Given) -> Path:
    """A path, relative to the folder where it was given."""
    if not given.value:
        raise PolicyError(f"{given.where} is empty; give a path")
    return given.folder / str(given.value)


def folder(given: Given) -> Path:
    """A folder. It is made now if it does not exist: later, an error would look like the model's fault."""
    made = path(given)
    try:
        made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"{given.where} is {str(given.value)!r}, where no folder can be made ({error.strerror})"
        raise PolicyError(sentence) from None
    return made


def interface_baseline(given: Given) -> Baseline:
    """The option writes the file, so the file must be readable and its folder must exist; the ini compares with it."""
    file = path(given)
    writes = given.where.startswith("--")
    baseline = Baseline(file, typed=os.path.relpath(file, given.cwd), writes=writes)
    if writes:
        folder(Given(where=given.where, value=file.parent))
        baseline.read()
    return baseline


def contracts(given: Given) -> object:
    """A contract, or one for each axis."""
    return _known_words(given, CONTRACTS, "axis")


def metric(given: Given) -> object:
    """A metric, or one for each output."""
    return _known_words(given, METRICS, "output")


def tolerance(given: Given) -> object:
    """A number, or one for each output."""
    for number in _each(given.value):
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
            valid = "give a number, 0 or more, or a mapping of output names to numbers"
            raise Given(where=given.where, value=number).refusal(valid)
    return given.value


def reasons(given: Given) -> object:
    """Reasons by check."""
    for check, reason in mapping(given).items():
        valid_names(given.where, (check,), tuple(CHECKS))
        if not isinstance(reason, str) or not reason:
            raise PolicyError(f"{given.where}[{check!r}] is {shown(reason)}; give the reason as text")
    return given.value


def mapping(given: Given) -> Mapping[str, Any]:
    """A mapping of names."""
    if not isinstance(given.value, Mapping):
        raise given.refusal("give a mapping of names")
    return given.value


def exporter(given: Given) -> object:
    """A function that exports."""
    if not callable(given.value):
        raise given.refusal("give a callable (model, inputs, path) -> None")
    return given.value


def artifact(given: Given) -> object:
    """The path of a file that was exported earlier."""
    if not isinstance(given.value, (str, os.PathLike)) or not os.fspath(given.value):
        raise given.refusal("give the path of a TorchScript file")
    return given.value


def sequence(given: Given) -> Sequence[Any]:
    """A list."""
    if isinstance(given.value, (str, Mapping)) or not isinstance(given.value, Sequence):
        raise given.refusal("give a list")
    return given.value


def switch(given: Given) -> bool:
    """True or False."""
    if not isinstance(given.value, bool):
        raise given.refusal("give True or False")
    return given.value


def anything(given: Given) -> object:
    """Any value; it is checked where the model is known."""
    return given.value


def valid_names(where: str, names: object, valid: Sequence[str]) -> tuple[str, ...]:
    """`names` (one, or a list) as a tuple, each one of `valid`. Raises `PolicyError`; `where` opens its sentence."""
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence) or not listed:
        raise PolicyError(f"{where} is {shown(names)}; give one or a list of {names_in(valid)}")
    for name in listed:
        if name not in valid:
            raise PolicyError(f"{where} names {shown(name)}; use one of {names_in(valid)}")
    return tuple(dict.fromkeys(listed))


def valid_checks(where: str, names: object) -> tuple[str, ...]:
    """Like `valid_names` for checks, where `-name` leaves one out. It is an error if no check is left."""
    either = (*CHECKS, *(f"-{name}" for name in CHECKS))
    try:
        listed = valid_names(where, names, either)
    except PolicyError as error:
        sentence = str(error).split("; ", maxsplit=1)[0]
        raise PolicyError(f"{sentence}; use one of {names_in(CHECKS)}, or -name to leave one out") from None
    if not selected(listed):
        raise PolicyError(f"{where} is {list(listed)!r}, which leaves no check to run")
    return listed


def names_in(names: Sequence[str] | Mapping[str, Any]) -> str:
    """`jit, neuron`."""
    return ", ".join(names)


def _known_words(given: Given, known: Sequence[str], owner: str) -> object:
    """One of the known words, or one for each `owner`."""
    for word in _each(given.value):
        if word not in known:
            valid = f"use one of {names_in(known)}, or a mapping of {owner} names to them"
            raise Given(where=given.where, value=word).refusal(valid)
    return given.value


def _each(value: object) -> Sequence[object]:
    """The values of a mapping, or the one value."""
    return tuple(value.values()) if isinstance(value, Mapping) else (value,)
