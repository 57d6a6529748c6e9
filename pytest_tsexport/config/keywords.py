"""keywords -> policy: what a marker says, checked one by one and together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pytest_tsexport.config.policy import BACKENDS, Effort, Meaning, Policy
from pytest_tsexport.config.validators import (
    names_in,
    valid_arguments,
    valid_checks,
    valid_count,
    valid_names,
    valid_seconds,
    validate_anything,
    validate_callable,
    validate_mapping,
    validate_metric,
    validate_path,
    validate_sequence,
    validate_shapes,
    validate_switch,
    validate_tolerance,
    validate_xfail,
)
from pytest_tsexport.errors import PolicyError

MEANING_KEYWORDS = tuple(f.name for f in fields(Meaning))
EFFORT_KEYWORDS = ("backends", "checks", "max_examples", "budget", "neuron_args")
KEYWORDS = (*MEANING_KEYWORDS, *EFFORT_KEYWORDS)


def from_keywords(keywords: Mapping[str, Any], backends: Sequence[str] = BACKENDS) -> Policy:
    """The policy that the keywords of one marker (or of `ts_export`) ask for.

    Raises `PolicyError`, one sentence, for a keyword or a value that is not valid.
    """
    for name in keywords:
        if name not in KEYWORDS:
            raise PolicyError(f"unknown keyword {name!r}; use one of {names_in(KEYWORDS)}")
    given = {name: value for name, value in keywords.items() if value is not None}
    for name, value in given.items():
        _VALIDATORS[name](name, value)
    _validate_together(given)
    effort = {name: given[name] for name in EFFORT_KEYWORDS if name in given}
    if "backends" in effort:
        effort["backends"] = valid_names("backends", effort["backends"], backends)
    if "checks" in effort:
        effort["checks"] = valid_checks("checks", effort["checks"])
    if "neuron_args" in effort:
        effort["neuron_args"] = valid_arguments("neuron_args", effort["neuron_args"])
    if "budget" in effort:
        effort["budget"] = valid_seconds("budget", effort["budget"])
    meaning = {name: given[name] for name in MEANING_KEYWORDS if name in given}
    return Policy(meaning=Meaning(**meaning), effort=Effort(**effort))


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


_VALIDATORS: Mapping[str, Callable[[str, Any], object]] = {
    "inputs": validate_mapping,
    "dynamic_shapes": validate_mapping,
    "shapes": validate_shapes,
    "export": validate_callable,
    "artifact": validate_path,
    "reference": validate_anything,
    "examples": validate_sequence,
    "strategies": validate_mapping,
    "rtol": validate_tolerance,
    "atol": validate_tolerance,
    "metric": validate_metric,
    "guard": validate_switch,
    "xfail": validate_xfail,
    "backends": validate_anything,
    "checks": validate_anything,
    "max_examples": valid_count,
    "budget": valid_seconds,
    "neuron_args": valid_arguments,
}
