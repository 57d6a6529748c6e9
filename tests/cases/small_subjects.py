"""axes -> subject: a subject with one input of floats and a mask, for tests that never run its model."""

from __future__ import annotations

import torch

from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing.wrong_exports import Plain

BATCH, LENGTH = Axis(name="batch", size=2), Axis(name="length", size=7)
FLOATS = Floats(dtype=torch.float32)
MASK = Mask(dtype=torch.int64)


def subject(*axes: Axis, **values: object) -> Subject:
    model = Plain()
    fields = (Field("x", ("batch", "length"), FLOATS), Field("mask", ("batch", "length"), MASK))
    given = {"name": "it", "model": model, "reference": model, "inputs": {}, "fields": fields, "axes": axes, **values}
    return Subject(**given)  # type: ignore[arg-type]


BOTH = subject(BATCH, LENGTH)
