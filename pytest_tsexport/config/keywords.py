"""Turns the keywords of a marker, or of `ts_export`, into a policy. They are validated one by one, then together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tsexport.config.marker import KEYWORDS, MEANING, OVERRIDABLE, Meaning
from pytest_tsexport.config.names import BACKENDS
from pytest_tsexport.config.options import RunOptions
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.config.validators import Given, names_in, validated
from pytest_tsexport.errors import PolicyError


def from_keywords(keywords: Mapping[str, Any], backends: Sequence[str] = BACKENDS) -> Policy:
    """The policy that the keywords of one marker (or of `ts_export`) ask for.

    Raises `PolicyError`, one sentence, for a keyword or a value that is not valid.
    """
    for name in keywords:
        if name not in KEYWORDS:
            raise PolicyError(f"unknown keyword {name!r}; use one of {names_in(KEYWORDS)}")
    valid = {
        name: validated(KEYWORDS[name].valid, Given(where=name, value=value, backends=backends))
        for name, value in keywords.items()
        if value is not None
    }
    _validate_together(valid)
    return Policy(
        meaning=Meaning(**{name: value for name, value in valid.items() if name in MEANING}),
        options=RunOptions(**{name: value for name, value in valid.items() if name in OVERRIDABLE}),
    )


def _validate_together(given: Mapping[str, Any]) -> None:
    if ("rtol" in given) != ("atol" in given):
        one, other = ("rtol", "atol") if "rtol" in given else ("atol", "rtol")
        raise PolicyError(f"{one} is given without {other}; give both, or neither")
    if "export" in given and "artifact" in given:
        raise PolicyError("export and artifact are both given; give only one of them")
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
