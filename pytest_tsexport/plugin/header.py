"""The line of pytest's header that says which versions the verdicts of a run are about."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib import metadata

PACKAGES = ("pytest-tsexport", "torch", "transformers")


def header(backends: Iterable[str]) -> str:
    """`torchscript export: torch 2.13.0, transformers 5.23.0; backend jit`. Reads metadata, and imports neither."""
    shown = ", ".join(f"{name} {_version(name)}" for name in ("torch", "transformers"))
    return f"torchscript export: {shown}; backend {', '.join(backends)}"


def versions() -> Mapping[str, str]:
    """Python and the packages that a verdict depends on, by name."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
