"""The validator of `--ts-inputs`: a file of inputs for the model of `--ts-model`, or one for each of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tsexport.config.shown import shown
from pytest_tsexport.config.validators import Given, path
from pytest_tsexport.errors import PolicyError

SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class GivenInputs:
    """A file of inputs. `model` is the name of the model as `--ts-model` gives it; empty if it is the only one."""

    model: str
    file: Path


def given_inputs(given: Given) -> tuple[GivenInputs, ...]:
    """`FILE`, or `NAME=FILE` for each of several models. The files must exist."""
    return tuple(_one(replace(given, value=text)) for text in given.value)


def inputs_of(model: str, models: Sequence[str], files: Sequence[GivenInputs]) -> Path | None:
    """The file of inputs of a model; None if there is none. `check_together` has found that they fit."""
    return next((one.file for one in files if one.model == model or (not one.model and len(models) == 1)), None)


def check_together(models: Sequence[str], files: Sequence[GivenInputs]) -> None:
    """Raise `PolicyError` unless each file of inputs belongs to one of the models, and none has two."""
    for number, one in enumerate(files):
        what = f"--ts-inputs is {shown(f'{one.model}={one.file.name}' if one.model else one.file.name)}"
        if not models:
            raise PolicyError(f"{what}; give it with --ts-model, the model that takes these inputs")
        if not one.model and len(models) > 1:
            raise PolicyError(
                f"{what}, and there are {len(models)} models; give NAME=FILE, as {models[0]}={one.file.name}"
            )
        if one.model and one.model not in models:
            raise PolicyError(f"{what}, and no --ts-model is {one.model!r}; the models are {', '.join(models)}")
        if any((other.model or models[0]) == (one.model or models[0]) for other in files[:number]):
            raise PolicyError(f"{what}, and this model has a file of inputs already; give one")


def _one(given: Given) -> GivenInputs:
    model, equals, name = given.value.rpartition("=")
    named = replace(given, value=name if equals and not path(given).is_file() else given.value)
    file = path(named)
    if file.suffix != SUFFIX:
        raise given.refusal(f"give a file that ends in {SUFFIX}, which safetensors.torch.save_file writes")
    if not file.is_file():
        raise given.refusal("there is no such file")
    return GivenInputs(model if named.value == name else "", file)
