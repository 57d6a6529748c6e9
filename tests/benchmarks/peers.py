"""specimen, seed -> accusation: what other tools say of a specimen, each given its best chance.

All of them are given the model in evaluation mode, bound so that it takes its inputs in order and answers a flat tuple
of tensors: what each one's own manual tells users to write around a model with named inputs or nested outputs. To raise
is to accuse, whatever is raised. No warning but the one named below accuses: exact models are warned about, too.
"""

from __future__ import annotations

import copy
import importlib
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import nn

from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.tensors.tree import detached, flatten
from pytest_tsexport.testing import Specimen
from pytest_tsexport.testing.files import quiet
from tests.benchmarks.given import Given, Inputs, given_for, write

FOLDER = Path(__file__).parents[2] / ".peers"
"""Where `make detection` puts pytest-torch: apart, because every pytest that sees it loads it as a plugin."""

DIFFERS = "of the traced function does not match"
"""How torch warns that the trace differs from Python; for a different graph it raises."""

ATOL = 1e-5
"""`ATOL_FOR_VALIDATION` of a model that optimum-neuron has no number for; most of those it knows have 1e-3."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A rule: `judge` gives the reason of its accusation, None where it has nothing to say, and may raise."""

    judge: Callable[[Given], str | None]
    cases: Callable[[Given], int] = lambda _given: 1


@dataclass(frozen=True, slots=True)
class Said:
    """What a peer made of a specimen: why it accuses, None where it does not, and the cases it looked at."""

    accusation: str | None
    cases: int


def ask(peer: Peer, specimen: Specimen, seed: int) -> Said:
    """Put one specimen to one peer; `seed` draws the values, and what the model itself draws."""
    with torch.random.fork_rng(devices=[]), quiet():
        given = given_for(specimen, seed)
        torch.manual_seed(seed)
        try:
            accusation = peer.judge(given)
        except Exception as error:  # raising is how most of them accuse, and torch raises anything at all
            accusation = f"{type(error).__name__}: {error}"
    return Said(accusation, peer.cases(given))


def check_trace(given: Given) -> str | None:
    """`torch.jit.trace(check_trace=True)`: what it traced against Python, and against a second trace.

    Whatever makes the file makes it with the check on: the exporter's own call of `torch.jit.trace` too, and that of
    a file made earlier. It never reads a file, so it does not notice a damaged one.
    """
    return _traced(given, None)


def check_inputs(given: Given) -> str | None:
    """The same with `check_inputs`: the traced inputs and one other size."""
    return _traced(given, given.other)


def allclose(given: Given) -> str | None:
    """optimum-neuron's `validate_model_outputs`: one input at the traced size, drawn anew, file against eager.

    The number of outputs, their shapes, and `torch.allclose` with its relative tolerance left at 1e-5; both sides are
    given the same tensors, eager a deep copy of the model as the export left it. Values out of tolerance are only
    logged there: here that is an accusation. The file is what ships: the exporter's, the one made earlier, or ours. A
    tolerance that the specimen's user gives takes the place of the default.
    """
    with tempfile.TemporaryDirectory(prefix="tsexport-") as folder:
        path = Path(folder, "exported.pt")
        write(given, path, lambda: Jit().trace(given.subject))
        loaded = torch.jit.load(str(path))
        with torch.no_grad():
            expected = list(flatten(copy.deepcopy(given.subject.model).eval()(**given.drawn)).values())
            answered = list(flatten(loaded(*given.drawn.values())).values())
    if len(expected) != len(answered):
        return f"{len(answered)} outputs while {len(expected)} are expected"
    atol = given.specimen.keywords.get("atol", ATOL)
    for number, (one, other) in enumerate(zip(expected, answered, strict=True)):
        if one.shape != other.shape:
            return f"output {number}: {tuple(other.shape)} doesn't match {tuple(one.shape)}"
        if not torch.allclose(one, other.to(one.dtype), atol=atol):
            return f"output {number}: values not close enough"
    return None


def torchscript_parity(given: Given) -> str | None:
    """pytest-torch's `assert_torchscript_parity`: its own trace of the model against the model, at the traced inputs.

    It traces a module itself, so a file or an exporter cannot be handed to it: it is given their model.
    """
    tolerance = {name: given.specimen.keywords.get(name) for name in ("rtol", "atol")}
    inputs = tuple(detached(given.subject.inputs).values())
    _pytest_torch().assert_torchscript_parity(given.bound, inputs, **tolerance)
    return None


PEERS: Mapping[str, Peer] = {
    "check_trace": Peer(check_trace),
    "check_inputs": Peer(check_inputs, lambda given: 1 if given.other is None else 2),
    "optimum-neuron": Peer(allclose),
    "pytest-torch": Peer(torchscript_parity),
}


def why_missing(name: str) -> str | None:
    """Why a peer cannot be asked, None where it can."""
    if name != "pytest-torch":
        return None
    try:
        _pytest_torch()
    except ImportError:
        return "pytest-torch is not installed: `make detection` does that"
    return None


def _pytest_torch() -> Any:
    """Its module of parity checks. The path is taken back: whoever finds its metadata there loads it as a plugin."""
    with mock.patch.object(sys, "path", [*sys.path, str(FOLDER)]):
        return importlib.import_module("pytest_torch.parity")


def _traced(given: Given, other: Inputs | None) -> str | None:
    heard: list[str] = []
    more = [] if other is None else [tuple(other.values())]
    inputs = tuple(detached(given.subject.inputs).values())
    with tempfile.TemporaryDirectory(prefix="tsexport-") as folder, _checking(more, heard):
        write(given, Path(folder, "exported.pt"), lambda: torch.jit.trace(given.bound, inputs))
    return heard[0] if heard else None


@contextmanager
def _checking(more: Sequence[tuple[torch.Tensor, ...]], heard: list[str]) -> Iterator[None]:
    """Every `torch.jit.trace` checks what it traced; what it warns of goes to `heard`."""
    real: Any = torch.jit.trace

    def trace(model: nn.Module, inputs: tuple[torch.Tensor, ...], **options: Any) -> Any:
        checks = {"check_trace": True, "check_inputs": [inputs, *more]}
        with mock.patch.object(torch.jit, "trace", real), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            traced = real(model, inputs, **{**options, **checks})
        heard.extend(str(one.message) for one in caught if DIFFERS in str(one.message))
        return traced

    with mock.patch.object(torch.jit, "trace", trace):
        yield
