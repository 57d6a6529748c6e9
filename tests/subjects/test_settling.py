"""Proves that eager says how an axis varies of which nothing but the traced size is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.tail_masks import TailMask
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.inquiry import MOST, Inquiry
from pytest_tsexport.subjects.settling import settled

PICTURE = Field("pixels", ("batch", "height", "width"), Floats(dtype=torch.float32))
STEPS = (1, 4, 8)


class Takes(nn.Module):
    """Refuses pictures that `fits` says no of."""

    def __init__(self, fits: Callable[[int, int], bool]) -> None:
        super().__init__()
        self.fits = fits

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if not self.fits(*pixels.shape[1:]):
            raise ValueError(f"no picture of {pixels.shape[1]} by {pixels.shape[2]}")
        return pixels.mean((1, 2))


def described(height: int, width: int) -> Description:
    sizes = {"batch": 2, "height": height, "width": width}
    axes = tuple(Axis(name=name, size=size) for name, size in sizes.items())
    return Description(fields=(PICTURE,), axes=axes, unsure={"batch": (), "height": STEPS, "width": STEPS})


def asked(fits: Callable[[int, int], bool], height: int = 8, width: int = 12) -> tuple[Description, Inquiry]:
    description = described(height, width)
    inquiry = Inquiry.about(Takes(fits), description)
    return settled(description, inquiry), inquiry


def axes_of(description: Description) -> dict[str, tuple[int, int | None, int, str | None]]:
    return {one.name: (one.low, one.high, one.step, str(one.rule) if one.rule else None) for one in description.axes}


FREE = (1, None, 1, None)


@pytest.mark.parametrize(
    ("fits", "axes"),
    [
        (lambda h, w: True, {"batch": FREE, "height": FREE, "width": FREE}),
        (lambda h, w: h % 4 == 0, {"batch": FREE, "height": (4, None, 4, None), "width": FREE}),
        (lambda h, w: h >= 2 and w < 20, {"batch": FREE, "height": (2, None, 1, None), "width": (1, 16, 1, None)}),
        (lambda h, w: 8 <= h <= 11, {"batch": FREE, "height": (8, 10, 1, None), "width": FREE}),
        (lambda h, w: w <= 12, {"batch": FREE, "height": FREE, "width": (1, 12, 1, None)}),
    ],
    ids=["any", "every fourth", "bounds", "within one patch", "up to the traced size"],
)
def test_steps_and_bounds(fits: Callable[[int, int], bool], axes: Mapping[str, object]) -> None:
    found, inquiry = asked(fits)
    assert axes_of(found) == axes
    assert (found.given_up, found.unsure) == ({}, {})
    assert len(inquiry.answers) < MOST / 8


def test_squares() -> None:
    found, _ = asked(lambda h, w: h == w and h % 4 == 0, 8, 8)
    assert axes_of(found) == {"batch": FREE, "height": (4, None, 4, None), "width": (1, None, 1, "height")}


def test_an_axis_that_eager_fixes_becomes_a_number_and_is_told() -> None:
    found, _ = asked(lambda h, w: h == 8)
    assert axes_of(found) == {"batch": FREE, "width": FREE}
    assert found.fields[0].dims == ("batch", 8, "width")
    assert found.given_up == {"height": "height (8): eager refuses 9: ValueError: no picture of 9 by 12"}


class Samples(nn.Module):
    """Takes blocks of 700 samples, as many as there are."""

    def forward(self, samples: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return (samples * mask).reshape(samples.shape[0], -1, 700).mean(1)


def test_a_step_may_be_the_traced_size_itself_and_a_mask_follows() -> None:
    fields = (
        Field("samples", ("batch", "samples"), Floats(dtype=torch.float32)),
        Field("mask", ("batch", "samples"), TailMask(dtype=torch.int64)),
    )
    axes = (Axis(name="batch", size=2), Axis(name="samples", size=700))
    description = Description(fields=fields, axes=axes, unsure={"batch": (), "samples": ()})
    found = settled(description, Inquiry.about(Samples(), description))
    assert axes_of(found)["samples"] == (700, None, 700, None)


def test_what_is_known_is_not_asked() -> None:
    description = Description(fields=(PICTURE,), axes=described(8, 12).axes)
    inquiry = Inquiry.about(Takes(lambda h, w: False), description)
    assert settled(description, inquiry) is description
    assert not inquiry.answers
