"""The marked function that validates the models of `--ts-model`, for which there is no test file.

pytest collects this module when `--ts-model` is given, so that its items are ordinary ones: `--lf`, `-k` and workers
know them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from pytest_tsexport.config.given_models import inputs_of, is_checkpoint
from pytest_tsexport.config.options import RunOptions
from pytest_tsexport.errors import InputsError, TsExportError
from pytest_tsexport.plugin.settings import SETTINGS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One subject for each `--ts-model`."""
    options = metafunc.config.stash[SETTINGS].options
    marks = [pytest.mark.torchscript(artifact=options.artifact)] if options.artifact else []
    models = [pytest.param(name, id=_short(name), marks=marks) for name in options.models or ()]
    metafunc.parametrize("ts_model", models)


@pytest.mark.torchscript
def test_model(ts_model: str, pytestconfig: pytest.Config) -> object:
    """The model that the command line names, and its inputs if a file has them."""
    options = pytestconfig.stash[SETTINGS].options
    file = inputs_of(ts_model, options.models or (), options.input_files or ())
    try:
        made = load(ts_model, options)
    except TsExportError as error:
        return pytest.fail(f"--ts-model: {error}", pytrace=False)
    if file is None:
        return made
    try:
        return (made[0] if isinstance(made, tuple) and made else made), read(file)
    except TsExportError as error:
        return pytest.fail(f"--ts-inputs: {error}", pytrace=False)


def load(name: str, options: RunOptions) -> object:
    """The model of that name: `module:callable` is called, anything else is a checkpoint.

    Raises `TsExportError`, one sentence.
    """
    module, _, attribute = name.partition(":")
    if is_checkpoint(name):
        from pytest_tsexport.subjects.transformers import checkpoint

        loading = checkpoint.Loading(
            revision=options.model_revision,
            dtype=options.model_dtype,
            trusts_remote_code=options.trust_remote_code == "on",
        )
        return checkpoint.load(name, loading)
    try:
        made: object = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise InputsError(f"{name!r} cannot be called: {error}; give module:callable, or a checkpoint") from error
    return made


def read(file: Path) -> dict[str, object]:
    """The inputs in a safetensors file, by name. Raises `InputsError`, one sentence."""
    from pytest_tsexport.tensors.safetensors_file import tensors_in

    try:
        found = dict[str, object](tensors_in(file))
    except InputsError as error:
        raise InputsError(f"{str(file)!r} {error}") from error
    if not found:
        raise InputsError(f"{str(file)!r} holds no tensor; give one for each input of the model, by name")
    return found


def _short(name: str) -> str:
    """The last part of a path, by which a reader distinguishes two checkpoints."""
    return Path(name).name if Path(name).exists() else name
