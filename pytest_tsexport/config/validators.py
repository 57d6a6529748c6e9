"""value -> the same value, checked: one sentence names what is not valid, and what is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tsexport.config.policy import CHECKS, CONTRACTS, METRICS, selected
from pytest_tsexport.errors import PolicyError


def valid_names(where: str, names: object, valid: Sequence[str]) -> tuple[str, ...]:
    """`names` (one, or a list) as a tuple, each one of `valid`; `where` opens the sentence."""
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence) or not listed:
        raise PolicyError(f"{where} is {names!r}; give one or a list of {names_in(valid)}")
    for name in listed:
        if name not in valid:
            raise PolicyError(f"{where} names {name!r}; use one of {names_in(valid)}")
    return tuple(dict.fromkeys(listed))


def valid_checks(where: str, names: object) -> tuple[str, ...]:
    """Like `valid_names` for checks, where `-name` leaves one out; nothing left is an error."""
    either = (*CHECKS, *(f"-{name}" for name in CHECKS))
    try:
        listed = valid_names(where, names, either)
    except PolicyError as error:
        sentence = str(error).split("; ", maxsplit=1)[0]
        raise PolicyError(f"{sentence}; use one of {names_in(CHECKS)}, or -name to leave one out") from None
    if not selected(listed):
        raise PolicyError(f"{where} is {list(listed)!r}, which leaves no check to run")
    return listed


def valid_count(where: str, value: object) -> int:
    """A whole number of cases, 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PolicyError(f"{where} is {value!r}; give a whole number of cases, 1 or more")
    return value


def valid_seconds(where: str, value: object) -> float:
    """A positive, finite number of seconds, as a number or in text."""
    try:
        seconds = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise PolicyError(f"{where} is {value!r}; give a number of seconds above 0")
    return seconds


def valid_arguments(where: str, value: object) -> tuple[str, ...]:
    """Arguments of a compiler as texts: one text, or each of a list, is split as a shell would."""
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value):
        value = " ".join(value)
    try:
        if not isinstance(value, str):
            raise ValueError("it is no text")
        return tuple(shlex.split(value))
    except ValueError as error:
        raise PolicyError(f"{where} is {value!r} ({error}); give compiler arguments, as '--auto-cast none'") from None


def validate_shapes(name: str, value: object) -> None:
    """A contract, or one for each axis. Raises `PolicyError` for anything else."""
    contracts = value.values() if isinstance(value, Mapping) else (value,)
    for contract in contracts:
        if contract not in CONTRACTS:
            raise PolicyError(
                f"{name} is {contract!r}; use one of {names_in(CONTRACTS)}, or a mapping of axis names to them"
            )


def validate_xfail(name: str, value: object) -> None:
    """Reasons by check. Raises `PolicyError` for anything else."""
    validate_mapping(name, value)
    assert isinstance(value, Mapping)
    for check, reason in value.items():
        valid_names(name, (check,), tuple(CHECKS))
        if not isinstance(reason, str) or not reason:
            raise PolicyError(f"{name}[{check!r}] is {reason!r}; give the reason as text")


def validate_mapping(name: str, value: object) -> None:
    """A mapping of names. Raises `PolicyError` for anything else."""
    if not isinstance(value, Mapping):
        raise PolicyError(f"{name} is {value!r}; give a mapping of names")


def validate_callable(name: str, value: object) -> None:
    """An exporter. Raises `PolicyError` for anything else."""
    if not callable(value):
        raise PolicyError(f"{name} is {value!r}; give a callable (model, inputs, path) -> None")


def validate_path(name: str, value: object) -> None:
    """The path of a file. Raises `PolicyError` for anything else."""
    if not isinstance(value, (str, os.PathLike)):
        raise PolicyError(f"{name} is {value!r}; give the path of a TorchScript file")


def validate_sequence(name: str, value: object) -> None:
    """A list. Raises `PolicyError` for anything else."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise PolicyError(f"{name} is {value!r}; give a list")


def validate_tolerance(name: str, value: object) -> None:
    """A number, or one for each output. Raises `PolicyError` for anything else."""
    numbers = value.values() if isinstance(value, Mapping) else (value,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
            raise PolicyError(
                f"{name} is {number!r}; give a number, 0 or more, or a mapping of output names to numbers"
            )


def validate_switch(name: str, value: object) -> None:
    """True or False. Raises `PolicyError` for anything else."""
    if not isinstance(value, bool):
        raise PolicyError(f"{name} is {value!r}; give True or False")


def validate_metric(name: str, value: object) -> None:
    """A metric, or one for each output. Raises `PolicyError` for anything else."""
    for metric in value.values() if isinstance(value, Mapping) else (value,):
        if metric not in METRICS:
            raise PolicyError(
                f"{name} is {metric!r}; use one of {names_in(METRICS)}, or a mapping of output names to them"
            )


def validate_anything(name: str, value: object) -> None:
    """Judged where the model is known, or with the names of backends."""


def names_in(names: Sequence[str] | Mapping[str, Any]) -> str:
    """`jit, neuron`."""
    return ", ".join(names)
