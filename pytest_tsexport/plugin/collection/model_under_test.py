"""The marked function that validates the models of `--ts-model`, for which there is no test file.

pytest collects this module when `--ts-model` is given, so that its items are ordinary ones: `--lf`, `-k` and workers
know them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from pytest_tsexport.errors import InputsError, TsExportError
from pytest_tsexport.plugin.settings import SETTINGS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One subject for each `--ts-model`."""
    options = metafunc.config.stash[SETTINGS].options
    marks = [pytest.mark.torchscript(artifact=options.artifact)] if options.artifact else []
    models = [pytest.param(name, id=_short(name), marks=marks) for name in options.models or ()]
    metafunc.parametrize("ts_model", models)


@pytest.mark.torchscript
def test_model(ts_model: str) -> object:
    """The model that the command line names."""
    try:
        return load(ts_model)
    except TsExportError as error:
        sentence = f"--ts-model: {error}"
    return pytest.fail(sentence, pytrace=False)


def load(name: str) -> object:
    """The model of that name: `module:callable` is called, anything else is a checkpoint.

    Raises `TsExportError`, one sentence.
    """
    module, colon, attribute = name.partition(":")
    if not colon or Path(name).exists():
        from pytest_tsexport.subjects.transformers import checkpoint

        return checkpoint.load(name)
    try:
        made: object = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise InputsError(f"{name!r} cannot be called: {error}; give module:callable, or a checkpoint") from error
    return made


def _short(name: str) -> str:
    """The last part of a path, by which a reader distinguishes two checkpoints."""
    return Path(name).name if Path(name).exists() else name
