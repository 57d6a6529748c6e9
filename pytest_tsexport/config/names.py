"""The names that a policy may use: checks with their questions, contracts, metrics and backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

CHECKS: Mapping[str, str] = {
    "trace": "Does the model export, and does exporting leave it alone?",
    "tied_weights": "Is every tied weight cloned in the artifact?",
    "parity": "At the traced size, does the saved and loaded artifact equal eager?",
    "shapes": "At any other size, does it keep the contract?",
    "padding": "Can shorter inputs be padded up to the traced size?",
    "interface": "Are names, order, dtypes and ranks of inputs and outputs those that callers were promised?",
    "round_trip": "Does the file run where Transformers is not?",
}
"""Every check by name, in the order in which they run, with the question it asks."""

OPT_IN = ("interface",)
"""Checks that run only if they are named, or if the file that they compare with exists."""

METRICS = ("close", "argmax", "cosine")
"""Compared are: every value; the index of the largest value along the last dimension; the direction along it."""

CONTRACTS = ("dynamic", "safe", "fixed")
"""What an export promises at other sizes: it equals eager; it equals eager or raises; it raises."""

BUILT_IN: Mapping[str, str] = {
    "jit": "pytest_tsexport.backends.jit:Jit",
    "neuron": "pytest_tsexport.backends.neuron:Neuron",
    "neuron-sim": "pytest_tsexport.backends.neuron_sim:NeuronSim",
}
"""The backends of this package by name, as `module:Class`. The class is imported when it is first used."""

BACKENDS = tuple(BUILT_IN)

SIMULATIONS: Mapping[str, str] = {
    "neuron-sim": "a simulation on the CPU: it keeps Neuron's rules of shapes, dtypes and casting, and says nothing of "
    "its compiler, its operators, its arithmetic or its speed; nothing here is a pass on Neuron",
}
"""The backends that simulate another one, and what the simulation covers. Every report that names one says so."""

REPORTS: Mapping[str, str] = {
    ".json": "pytest_tsexport.reports.json_report:text",
    ".intoto.json": "pytest_tsexport.reports.statement:text",
    ".md": "pytest_tsexport.reports.markdown_report:text",
    ".html": "pytest_tsexport.reports.html_report:text",
}
"""The kinds of report files by suffix, as `module:function`. The function makes the text of a run."""


def imported(where: str) -> Any:
    """What `module:name` stands for; the module is imported."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def selected(names: Sequence[str] | None, opted_in: Sequence[str] = ()) -> tuple[str, ...]:
    """The checks that `names` asks for, in the order in which they run; `-name` leaves a check out.

    If no check is named, all run, except the opt-in checks that are not in `opted_in`.
    """
    names = tuple(names or ())
    default = [name for name in CHECKS if name not in OPT_IN or name in opted_in]
    wanted = [name for name in names if not name.startswith("-")] or default
    return tuple(name for name in CHECKS if name in wanted and f"-{name}" not in names)
