"""keywords, options -> policy: what the user typed, checked; one sentence names what is not valid, and what is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pytest_tsexport.errors import PolicyError
from pytest_tsexport.policy import BACKENDS, CHECKS, CONTRACTS, METRICS, Effort, Meaning, Policy, selected

MEANING_KEYWORDS = tuple(f.name for f in fields(Meaning))
EFFORT_KEYWORDS = ("backends", "checks", "max_examples", "budget")
KEYWORDS = (*MEANING_KEYWORDS, *EFFORT_KEYWORDS)


def from_keywords(keywords: Mapping[str, Any], backends: Sequence[str] = BACKENDS) -> Policy:
    """The policy that the keywords of one marker (or of `ts_export`) ask for.

    Raises `PolicyError`, one sentence, for a keyword or a value that is not valid.
    """
    for name in keywords:
        if name not in KEYWORDS:
            raise PolicyError(f"unknown keyword {name!r}; use one of {_listed(KEYWORDS)}")
    given = {name: value for name, value in keywords.items() if value is not None}
    for name, value in given.items():
        _VALIDATORS[name](name, value)
    _validate_together(given)
    effort = {name: given[name] for name in EFFORT_KEYWORDS if name in given}
    if "backends" in effort:
        effort["backends"] = valid_names("backends", effort["backends"], backends)
    if "checks" in effort:
        effort["checks"] = valid_checks("checks", effort["checks"])
    if "budget" in effort:
        effort["budget"] = valid_seconds("budget", effort["budget"])
    meaning = {name: given[name] for name in MEANING_KEYWORDS if name in given}
    return Policy(meaning=Meaning(**meaning), effort=Effort(**effort))


def valid_names(where: str, names: object, valid: Sequence[str]) -> tuple[str, ...]:
    """`names` (one, or a list) as a tuple, each one of `valid`; `where` opens the sentence."""
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence) or not listed:
        raise PolicyError(f"{where} is {names!r}; give one or a list of {_listed(valid)}")
    for name in listed:
        if name not in valid:
            raise PolicyError(f"{where} names {name!r}; use one of {_listed(valid)}")
    return tuple(dict.fromkeys(listed))


def valid_checks(where: str, names: object) -> tuple[str, ...]:
    """Like `valid_names` for checks, where `-name` leaves one out; nothing left is an error."""
    either = (*CHECKS, *(f"-{name}" for name in CHECKS))
    try:
        listed = valid_names(where, names, either)
    except PolicyError as error:
        sentence = str(error).split("; ", maxsplit=1)[0]
        raise PolicyError(f"{sentence}; use one of {_listed(CHECKS)}, or -name to leave one out") from None
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


def _validate_together(given: Mapping[str, Any]) -> None:
    if ("rtol" in given) != ("atol" in given):
        one, other = ("rtol", "atol") if "rtol" in given else ("atol", "rtol")
        raise PolicyError(f"{one} is given without {other}; give both, or neither")
    if "export" in given and "artifact" in given:
        raise PolicyError("export and artifact are both given; give the one that makes the file to judge")
    if given.get("guard"):
        _validate_guarded(given)


def _validate_guarded(given: Mapping[str, Any]) -> None:
    for name in ("export", "artifact"):
        if name in given:
            raise PolicyError(
                f"guard and {name} are both given; guard that file where it is made: pytest_tsexport.guard"
            )
    shapes = given.get("shapes", "fixed")
    for contract in shapes.values() if isinstance(shapes, Mapping) else (shapes,):
        if contract == "dynamic":
            raise PolicyError("guard raises at any other size, and shapes asks for 'dynamic'; give one of the two")


def _validate_shapes(name: str, value: object) -> None:
    contracts = value.values() if isinstance(value, Mapping) else (value,)
    for contract in contracts:
        if contract not in CONTRACTS:
            raise PolicyError(
                f"{name} is {contract!r}; use one of {_listed(CONTRACTS)}, or a mapping of axis names to them"
            )


def _validate_xfail(name: str, value: object) -> None:
    _validate_mapping(name, value)
    assert isinstance(value, Mapping)
    for check, reason in value.items():
        valid_names(name, (check,), tuple(CHECKS))
        if not isinstance(reason, str) or not reason:
            raise PolicyError(f"{name}[{check!r}] is {reason!r}; give the reason as text")


def _validate_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{name} is {value!r}; give a mapping of names")


def _validate_callable(name: str, value: object) -> None:
    if not callable(value):
        raise PolicyError(f"{name} is {value!r}; give a callable (model, inputs, path) -> None")


def _validate_path(name: str, value: object) -> None:
    if not isinstance(value, (str, os.PathLike)):
        raise PolicyError(f"{name} is {value!r}; give the path of a TorchScript file")


def _validate_sequence(name: str, value: object) -> None:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise PolicyError(f"{name} is {value!r}; give a list")


def _validate_tolerance(name: str, value: object) -> None:
    numbers = value.values() if isinstance(value, Mapping) else (value,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
            raise PolicyError(
                f"{name} is {number!r}; give a number, 0 or more, or a mapping of output names to numbers"
            )


def _validate_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise PolicyError(f"{name} is {value!r}; give True or False")


def _validate_metric(name: str, value: object) -> None:
    for metric in value.values() if isinstance(value, Mapping) else (value,):
        if metric not in METRICS:
            raise PolicyError(
                f"{name} is {metric!r}; use one of {_listed(METRICS)}, or a mapping of output names to them"
            )


def _validate_anything(name: str, value: object) -> None:
    """Judged where the model is known, or with the names of backends."""


_VALIDATORS: Mapping[str, Callable[[str, Any], object]] = {
    "inputs": _validate_mapping,
    "dynamic_shapes": _validate_mapping,
    "shapes": _validate_shapes,
    "export": _validate_callable,
    "artifact": _validate_path,
    "reference": _validate_anything,
    "examples": _validate_sequence,
    "strategies": _validate_mapping,
    "rtol": _validate_tolerance,
    "atol": _validate_tolerance,
    "metric": _validate_metric,
    "guard": _validate_switch,
    "xfail": _validate_xfail,
    "backends": _validate_anything,
    "checks": _validate_anything,
    "max_examples": valid_count,
    "budget": valid_seconds,
}


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(names)
