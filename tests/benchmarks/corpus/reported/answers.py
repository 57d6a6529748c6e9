"""A specimen of a public report: where it was reported, and an input that shows by torch alone what it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.testing import Specimen
from pytest_tsexport.testing.files import quiet
from pytest_tsexport.testing.specimen import Inputs
from tests.benchmarks.corpus.graphs import loaded, save
from tests.benchmarks.corpus.noise import Leaves
from tests.benchmarks.corpus.truth import leaves, run

ROUNDING = 1e-6
"""What freezing may change, where it folds a batch norm into a convolution; nothing else changes any bit."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What was reported (`owner/repository#number`), in a few lines, and an input that shows the fault.

    For a right one the input is one at which somebody expected a fault, or met one with an older torch.
    """

    source: str
    specimen: Specimen
    shows: Callable[[], Inputs]


def answers(one: Reported) -> tuple[Leaves, Leaves | None]:
    """What eager and the file answer to the input, by torch alone; None for the file if it raises."""
    specimen = one.specimen
    model, inputs = specimen.model().eval(), specimen.inputs()
    with tempfile.TemporaryDirectory(prefix="reported-") as folder, quiet():
        path = Path(folder) / "reported.pt"
        write(specimen, model, inputs, path)
        file = loaded(path)
    with torch.no_grad():
        eager = leaves(model(**{name: tensor.clone() for name, tensor in one.shows().items()}))
    try:
        return eager, run(file, dict(one.shows()))
    except Exception:  # a file may raise anything that its operators raise
        return eager, None


def agree(eager: Leaves, file: Leaves) -> bool:
    """Whether they have the same shapes and dtypes, and values that differ by no more than rounding."""
    return [(leaf.shape, leaf.dtype) for leaf in eager] == [(leaf.shape, leaf.dtype) for leaf in file] and all(
        torch.allclose(one.float(), two.float(), rtol=0, atol=ROUNDING) for one, two in zip(eager, file, strict=True)
    )


def write(specimen: Specimen, model: Any, inputs: Inputs, path: Path) -> None:
    """The file of a specimen: by its own exporter, else the trace as torch makes it."""
    export = specimen.keywords.get("export")
    if export is not None:
        export(model, inputs, path)
    else:
        save(torch.jit.trace(model, example_kwarg_inputs=dict(inputs), check_trace=False, strict=False), path)
