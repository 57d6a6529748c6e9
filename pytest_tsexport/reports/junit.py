"""verdict -> property: one JSON text that JUnit and other readers of pytest's reports can take apart."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pytest_tsexport.config.policy import CHECKS, SIMULATIONS
from pytest_tsexport.verdict import Verdict

PROPERTY = "tsexport"
"""The name of the property: `<property name="tsexport" value="{...}"/>`."""


def to_property(verdict: Verdict) -> tuple[str, str]:
    """The verdict, with the question that it answers, as a pair for `user_properties`.

    The value is plain ASCII, since XML has no place for control characters, and JSON that every reader
    takes: differences that are not finite are the texts "nan" and "inf".
    """
    fields = {"question": CHECKS.get(verdict.check, ""), **verdict.to_dict()}
    if verdict.backend in SIMULATIONS:
        fields["simulation"] = f"{verdict.backend} is {SIMULATIONS[verdict.backend]}"
    return PROPERTY, json.dumps(fields, allow_nan=False)


def with_verdict(properties: Iterable[tuple[str, object]], verdict: Verdict) -> list[tuple[str, object]]:
    """`user_properties` with this verdict in the place of an earlier one: a rerun appends to the same list."""
    return [*(pair for pair in properties if pair[0] != PROPERTY), to_property(verdict)]
