"""A verdict as a property of a JUnit report: one JSON text."""

from __future__ import annotations

import json

from pytest_tsexport.config.names import CHECKS, SIMULATIONS
from pytest_tsexport.verdict import Verdict

PROPERTY = "tsexport"
"""The name of the property: `<property name="tsexport" value="{...}"/>`."""


def to_property(verdict: Verdict) -> tuple[str, str]:
    """The verdict, with the question that it answers, as a pair for `user_properties`.

    The value is plain ASCII, since XML has no control characters, and strict JSON: a difference that is not finite is
    the text "nan" or "inf". What happened at each size, and the contract, are left out: they are long, and
    `--ts-report=x.json` has them.
    """
    fields = {"question": CHECKS.get(verdict.check, ""), **verdict.to_dict()}
    del fields["visits"], fields["contract"]
    if verdict.backend in SIMULATIONS:
        fields["simulation"] = f"{verdict.backend} is {SIMULATIONS[verdict.backend]}"
    return PROPERTY, json.dumps(fields, allow_nan=False)
