"""The line of pytest's header that says which versions the verdicts of a run are about."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata


def header(backends: Iterable[str]) -> str:
    """`torchscript export: torch 2.13.0, transformers 5.23.0; backend jit`. Reads metadata, and imports neither."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("torch", "transformers"))
    return f"torchscript export: {versions}; backend {', '.join(backends)}"


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
