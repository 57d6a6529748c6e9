"""What the options about models say together: `--ts-model`, how a checkpoint is loaded, `--ts-inputs`, and the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tsexport.config.shown import shown
from pytest_tsexport.config.validators import Given, path, valid_names
from pytest_tsexport.errors import PolicyError

if TYPE_CHECKING:
    from pytest_tsexport.config.options import RunOptions

SUFFIX = ".safetensors"

CONFIG = "config.json"
"""The file of a checkpoint folder that says which model it is."""


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


def is_checkpoint(model: str) -> bool:
    """Whether a `--ts-model` is a folder or a hub id, and not `module:callable`."""
    return ":" not in model or Path(model).exists()


def own_class(named: object, auto_map: object) -> str | None:
    """The class of Transformers that loads a checkpoint's own class of this name; None if it brings none.

    `auto_map` is that of its config, which may be anything.
    """
    targets = auto_map.items() if isinstance(auto_map, Mapping) else ()
    return next((name for name, target in targets if str(target).endswith(f".{named}")), None)


def demo(given: Given) -> str:
    """`on` or `off`, on the command line alone."""
    return valid_names(_this_run(given).where, str(given.value), ("on", "off"))[0]


def init_folder(given: Given) -> Path:
    """A folder, on the command line alone."""
    return path(_this_run(given))


def check_together(options: RunOptions, command_line: RunOptions) -> None:
    """Raise `PolicyError`, one sentence, if an option about models has no model to be about."""
    models = options.models or ()
    _check_loading(models, command_line)
    files = options.input_files or ()
    for number, one in enumerate(files):
        what = f"--ts-inputs is {shown(f'{one.model}={one.file.name}' if one.model else one.file.name)}"
        if not models:
            raise PolicyError(f"{what}; give it with --ts-model, the model that takes these inputs")
        if not one.model and len(models) > 1:
            sentence = f"{what}, and there are {len(models)} models"
            raise PolicyError(f"{sentence}; give NAME=FILE, as {models[0]}={one.file.name}")
        if one.model and one.model not in models:
            raise PolicyError(f"{what}, and no --ts-model is {one.model!r}; the models are {', '.join(models)}")
        if any((other.model or models[0]) == (one.model or models[0]) for other in files[:number]):
            raise PolicyError(f"{what}, and this model has a file of inputs already; give one")


def loading_options(command_line: RunOptions) -> Mapping[str, str]:
    """The options that say how a checkpoint is loaded, as they were given."""
    given = {
        "--ts-model-dtype": command_line.model_dtype,
        "--ts-model-revision": command_line.model_revision,
        "--ts-trust-remote-code": command_line.trust_remote_code,
    }
    return {flag: value for flag, value in given.items() if value is not None}


def _check_loading(models: Sequence[str], command_line: RunOptions) -> None:
    for flag, value in loading_options(command_line).items():
        if not any(map(is_checkpoint, models)):
            raise PolicyError(f"{flag} is {value!r}; give it with a --ts-model that is a checkpoint")


def _this_run(given: Given) -> Given:
    """An option that takes the place of all tests: in an ini it would hide them in every run."""
    if not given.where.startswith("--"):
        raise given.refusal(f"give it on the command line, as --{given.where.replace('_', '-')}")
    return given


def _one(given: Given) -> GivenInputs:
    model, equals, name = given.value.rpartition("=")
    named = replace(given, value=name if equals and not path(given).is_file() else given.value)
    file = path(named)
    if file.suffix != SUFFIX:
        raise given.refusal(f"give a file that ends in {SUFFIX}, which safetensors.torch.save_file writes")
    if not file.is_file():
        raise given.refusal("there is no such file")
    return GivenInputs(model if named.value == name else "", file)
