"""settings -> header: which versions the verdicts of this run are about."""

from __future__ import annotations

from importlib import metadata

from pytest_tsexport.config.policy import SIMULATIONS
from pytest_tsexport.plugin.settings import Settings


def header(settings: Settings) -> str:
    """`torchscript export: torch 2.13.0, transformers 5.23.0; backend jit`; asks the installer, and imports nothing."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("torch", "transformers"))
    backends = settings.command_line.backends or settings.ini.backends or ("jit",)
    named = (f"{name} (a simulation)" if name in SIMULATIONS else name for name in backends)
    return f"torchscript export: {versions}; backend {', '.join(named)}"


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
