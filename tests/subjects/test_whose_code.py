"""Proves whose code a file holds, wherever it is installed."""

from __future__ import annotations

import contextlib
import json.decoder
from pathlib import Path
from types import ModuleType

import hypothesis.core
import pytest
import torch.nn.functional

from pytest_tsexport import errors
from pytest_tsexport.subjects import reference
from pytest_tsexport.subjects.whose_code import owner
from pytest_tsexport.testing import wrong_axes

PYTHON = Path(contextlib.__file__).parent


@pytest.mark.parametrize(
    ("module", "whose"),
    [
        (torch.nn.functional, "library"),
        (contextlib, "library"),
        (json.decoder, "library"),
        (reference, "ours"),
        (hypothesis.core, "ours"),
        (wrong_axes, "model"),
        (pytest, "model"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_the_file_of_a_module_says_whose_code_it_is(module: ModuleType, whose: str) -> None:
    assert owner(str(module.__file__)) == whose


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        (__file__, "model"),
        (str(PYTHON / "site-packages" / "timm" / "layers.py"), "model"),
        (str(PYTHON / "dist-packages" / "modeling.py"), "model"),
        (str(PYTHON.with_name("python_models") / "modeling.py"), "model"),
        (str(Path(torch.__file__).parents[1] / "torchvision" / "ops.py"), "model"),
        (str(Path(errors.__file__).parents[1] / "pytest_tsexport_other" / "modeling.py"), "model"),
        ("<frozen importlib._bootstrap>", "library"),
        ("<string>", "model"),
        ("<ipython-input-1-0a>", "model"),
    ],
)
def test_what_is_nobody_elses_is_a_models(file: str, whose: str) -> None:
    assert owner(file) == whose
