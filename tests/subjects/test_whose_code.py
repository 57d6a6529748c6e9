"""Proves whose code a frame runs, by the name of its module."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from pytest_tsexport.subjects.whose_code import owner


def frame_of(module: str) -> FrameType:
    scope = {"__name__": module, "sys": sys}
    exec("frame = sys._getframe()", scope)
    frame = scope["frame"]
    assert isinstance(frame, FrameType)
    return frame


@pytest.mark.parametrize(
    ("module", "whose"),
    [
        ("transformers.models.bert.modeling_bert", "model"),
        ("__main__", "model"),
        ("torchaudio.models", "model"),
        ("torch.nn.functional", "library"),
        ("contextlib", "library"),
        ("pytest_tsexport.subjects.reference", "ours"),
        ("pytest_tsexport.testing.wrong_axes", "model"),
        ("pytest_tsexport_other", "model"),
    ],
)
def test_the_module_says_whose_code_it_is(module: str, whose: str) -> None:
    assert owner(frame_of(module)) == whose
