"""document -> text of a statement: canonical, with its own digest inside, so that a change of one byte shows.

This says nothing of who wrote it; a signature does. `verify` loads this module and no more of the package than it must.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"

SEAL = "this statement"
"""The name of the resource, in `configuration`, whose digest is that of the statement without it."""

REASON = ": "
"""Stands between the name of a test and the reason why it did not pass."""


def sealed(document: Mapping[str, Any]) -> str:
    """The text of a statement, with its own digest as the last resource of its configuration."""
    predicate = document["predicate"]
    configuration = [*predicate["configuration"], named_digest(SEAL, _sha256(document))]
    return canonical({**document, "predicate": {**predicate, "configuration": configuration}})


def canonical(document: object) -> str:
    """The only text of this document that counts as unchanged."""
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"


def resource(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A resource that stands in the statement: its values, and the digest of their canonical text."""
    return {**named_digest(name, _sha256(values)), "annotations": values}


def named_digest(name: str, sha256: str) -> dict[str, Any]:
    """A resource descriptor of in-toto: a name, and the digest of what it names."""
    return {"name": name, "digest": {"sha256": sha256}}


def _sha256(document: object) -> str:
    return hashlib.sha256(canonical(document).encode()).hexdigest()
