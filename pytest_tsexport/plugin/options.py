"""options -> pytest: what may be asked on the command line and in the ini, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest


@dataclass(frozen=True, slots=True)
class Option:
    """`--ts-{name}` and its ini twin `ts_{name}`; `many` may be repeated and holds lists split by commas."""

    name: str
    metavar: str
    help: str
    many: bool = False
    ini_type: Literal["string", "linelist", "int"] = "string"

    @property
    def key(self) -> str:
        """As written in the ini, and as stored by pytest."""
        return f"ts_{self.name.replace('-', '_')}"


def flag(key: str) -> str:
    """The option whose ini twin is `key`, as typed on the command line."""
    return f"--{key.replace('_', '-')}"


OPTIONS = (
    Option(
        "backend",
        "NAME",
        "backends to export with: jit (the default), neuron, neuron-sim (a simulation)",
        many=True,
        ini_type="linelist",
    ),
    Option("checks", "NAME", "checks to run; -NAME leaves one out", many=True, ini_type="linelist"),
    Option("max-examples", "N", "cases per check, 1 or more", ini_type="int"),
    Option("budget", "SECONDS", "seconds that one subject may take (60)"),
    Option("seed", "N", "the seed of every search, a whole number", ini_type="int"),
    Option("timeout", "SECONDS", "seconds that a compiler may take for one export (1800)"),
    Option("neuron-args", "ARGS", "arguments of the Neuron compiler, as '--auto-cast matmult --auto-cast-type bf16'"),
    Option("export-dir", "DIR", "keep the artifacts in this folder"),
    Option("counterexamples", "FILE", "look first at the counterexamples in this file, and add those that are found"),
    Option(
        "baseline",
        "FILE",
        "write what each export takes and gives into this file; in the ini, compare with it (ts-baseline.json)",
    ),
    Option("on-unavailable", "fail|skip", "what becomes of an item whose backend cannot work here (fail)"),
    Option(
        "model",
        "MODEL",
        "validate this model with no test file: a checkpoint folder, a cached hub id, or module:callable",
        many=True,
        ini_type="linelist",
    ),
    Option("artifact", "FILE", "judge this file as the export of --ts-model"),
)


def add_options(parser: pytest.Parser) -> None:
    """Each option with its ini twin; values stay texts, so that they cross to pytest-xdist's workers."""
    group = parser.getgroup("tsexport", "torchscript export")
    for option in OPTIONS:
        action = "append" if option.many else "store"
        typed = flag(option.key)
        group.addoption(typed, action=action, dest=option.key, metavar=option.metavar, help=option.help)
        parser.addini(option.key, f"{option.help}; as {typed}", type=option.ini_type, default=None)
