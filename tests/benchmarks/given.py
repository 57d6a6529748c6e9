"""specimen, seed -> given: what every peer is handed, and the file that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import bind
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.testing import Specimen

Inputs = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What every peer is handed: a specimen's subject, and inputs drawn for it.

    `drawn` are other values at the traced size, `other` values at another size that eager accepts (every axis one
    larger, else twice as large), None where it accepts none.
    """

    specimen: Specimen
    subject: Subject
    drawn: Inputs
    other: Inputs | None

    @property
    def bound(self) -> nn.Module:
        """The model as a function of tensors in order."""
        return bind(self.subject.model, tuple(self.subject.inputs), self.subject.constants).eval()


def given_for(specimen: Specimen, seed: int) -> Given:
    """The specimen in evaluation mode, with the values that `seed` draws."""
    subject = build(specimen.model().eval(), Meaning(inputs=specimen.inputs()), name=specimen.title)
    drawn = _drawn(subject, subject.sizes, seed)
    for factor, more in ((1, 1), (2, 0)):
        other = _drawn(subject, {name: factor * size + more for name, size in subject.sizes.items()}, seed)
        if subject.axes and Reference(subject.model, subject.constants).case(other)[0].leaves is not None:
            return Given(specimen=specimen, subject=subject, drawn=drawn, other=other)
    return Given(specimen=specimen, subject=subject, drawn=drawn, other=None)


def _drawn(subject: Subject, sizes: Mapping[str, int], seed: int) -> Inputs:
    """Values of the kind that each input takes; masks are padded, as in optimum's dummy inputs."""
    return {one.name: one.draw(sizes, seed, one.domain.pattern("uniform", "right")) for one in subject.fields}


def write(given: Given, path: Path, trace: Callable[[], Any]) -> None:
    """The file: made earlier, by the exporter, or of `trace`."""
    model, inputs = given.subject.model, detached(given.subject.inputs)
    writer = given.specimen.file or given.specimen.keywords.get("export")
    with torch_jit_allowed():
        if writer is None:
            torch.jit.save(trace(), str(path))
        else:
            writer(model, inputs, path)
