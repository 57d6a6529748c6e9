"""model type -> tiny model: its default config made small, built with seeded weights of a scale that means something."""

from __future__ import annotations

import contextlib
import copy
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from pytest_tsexport.errors import InputsError, UnavailableError
from pytest_tsexport.suite.model_types import class_name, known
from pytest_tsexport.suite.tiny.levels import LADDER
from pytest_tsexport.suite.tiny.missing import filled_in
from pytest_tsexport.suite.tiny.shrink import shrink
from pytest_tsexport.suite.tiny.values import SCALE

MOST_PARAMETERS = 3_000_000
_TRIES = 12


def tiny_model(model_type: str, head: str | None = None, *, seed: int = 0) -> nn.Module:
    """A tiny model of an architecture, in evaluation mode: the bare model, or one with a head (`CausalLM`).

    The config is the default one of the installed Transformers, made small by rules about the names of its attributes.
    The first level of the ladder that builds and has at most three million parameters is taken. The weights depend on
    `seed` alone, and torch's own generator is left as it was.

    Raises `InputsError` if there is no such model type or head, or if no level builds, with the error of the last;
    `UnavailableError` if a package is needed that is not installed.
    """
    known(model_type)
    built = _Class(class_name(model_type, head))
    errors: list[str] = []
    for level in LADDER:
        config = _default_config(model_type)
        shrink(config, level)
        try:
            config = _completed(built, config)
        except _NotBuiltError as error:
            errors.append(str(error))
            continue
        return _seeded(built, config, seed)
    raise InputsError(f"{model_type!r} cannot be built small: {errors[0]}")


class _NotBuiltError(Exception):
    """A config does not build, or builds a model that is not small."""


class _Class:
    """The class of a model by its name. Asking for it imports its module."""

    def __init__(self, name: str) -> None:
        import transformers

        self.name = name
        self._class: Any = getattr(transformers, name, None)
        if self._class is None:
            raise InputsError(f"{name}, which an auto class of transformers names, is not in transformers")

    def __call__(self, config: Any) -> nn.Module:
        try:
            model: nn.Module = self._class(config)
        except ImportError as error:
            raise UnavailableError(f"{self.name} needs {_package(str(error))}, which is not installed") from error
        return model


def _package(text: str) -> str:
    """The package that the error of an import asks for."""
    found = re.search(r"requires the (.+?) library|No module named '([^'.]+)|install (\\S+)", text)
    names = [name for name in found.groups() if name] if found else []
    return names[0].strip("`'") if names else text.strip().splitlines()[0]


def _default_config(model_type: str) -> Any:
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[model_type]()


def _completed(built: _Class, config: Any) -> Any:
    """The config with what the model reads and the config lacks; it builds a small model.

    The model is built without memory for its weights, so that a large one costs nothing.
    """
    for _ in range(_TRIES):
        try:
            with torch.device("meta"), _quiet():
                count = sum(one.numel() for one in built(copy.deepcopy(config)).parameters())
        except UnavailableError:
            raise
        except Exception as error:  # a config that does not fit may raise anything
            if filled_in(config, error):
                continue
            raise _NotBuiltError(
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            ) from error
        if count > MOST_PARAMETERS:
            raise _NotBuiltError(f"it has {count:,} parameters")
        return config
    raise _NotBuiltError("its config lacks too many attributes")


def _seeded(built: _Class, config: Any, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]), _quiet(), _uninitialised_as_nan():
        torch.manual_seed(seed)
        model = built(config)
        _spread(model)
    return model.eval()


def _spread(model: nn.Module) -> None:
    """Adds noise to weights that are all alike (zeros, ones) or were never set, so that each of them shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.is_floating_point() or not parameter.numel():
                continue
            if not torch.isfinite(parameter).all():
                parameter.normal_(0.0, SCALE)
            elif bool((parameter == parameter.flatten()[0]).all()):
                parameter.add_(torch.randn_like(parameter) * SCALE)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _uninitialised_as_nan() -> Iterator[None]:
    """Memory that nobody fills is NaN here, and not what the process left there before."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
