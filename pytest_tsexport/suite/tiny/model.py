"""model type -> tiny model: the default config made small, and built with seeded weights."""

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
from pytest_tsexport.suite.model_types import class_name
from pytest_tsexport.suite.tiny.levels import LADDER
from pytest_tsexport.suite.tiny.missing import default_config, filled_in
from pytest_tsexport.suite.tiny.parts import parts_of
from pytest_tsexport.suite.tiny.shrink import shrink
from pytest_tsexport.suite.tiny.trial import inputs_of, measure_statistics
from pytest_tsexport.suite.tiny.values import SCALE

MOST_PARAMETERS = 3_000_000
_MOST_OF_ALL = 10_000_000
_TRIES = 12


def tiny_model(model_type: str, head: str | None = None, *, seed: int = 0) -> nn.Module:
    """A tiny model of an architecture, in evaluation mode: the bare model, or one with a head (`CausalLM`).

    The config is the default one of the installed Transformers, made small by rules about the names of its attributes.
    The first level of the ladder is taken that builds, has at most three million parameters and runs on the inputs that
    are derived for it; else a larger one that runs; else the first that builds. The weights depend on `seed` alone, and
    torch's own generator is left as it was.

    Raises `InputsError` if there is no such model type or head, or if no level builds, with the error of the last;
    `UnavailableError` if a package is needed that is not installed.
    """
    built = _Class(class_name(model_type, head))
    first = None
    for config in _small_configs(built, model_type):
        model = _seeded(built, config, seed)
        with torch.random.fork_rng(devices=[]), _quiet():
            inputs = inputs_of(model)
            if inputs is not None:
                measure_statistics(model, inputs)
                return model
        first = first or model
    if first is None:
        raise InputsError(f"{model_type!r} has no level that builds")
    return first


def _small_configs(built: _Class, model_type: str) -> Iterator[Any]:
    """The different configs of the levels that build: the small ones in their order, then larger ones by size.

    Raises `InputsError` if there is none, with the error of the first level.
    """
    errors: list[str] = []
    larger: list[tuple[int, int, Any]] = []
    seen: list[dict[str, Any]] = []
    for place, level in enumerate(LADDER):
        config = _default_config(model_type)
        shrink(config, level)
        try:
            count = _completed(built, config)
        except _NotBuiltError as error:
            errors.append(str(error))
            continue
        settings = config.to_dict()
        if settings not in seen:
            seen.append(settings)
            if count <= MOST_PARAMETERS:
                yield from _variants(config)
            else:
                larger.append((count, place, config))
    for count, _, config in sorted(larger, key=lambda one: one[:2]):
        if count <= _MOST_OF_ALL:
            yield config
    if not seen:
        raise InputsError(f"{model_type!r} cannot be built small: {errors[0]}")
    fewest = min((one[0] for one in larger), default=0)
    if len(larger) == len(seen) and fewest > _MOST_OF_ALL:
        raise InputsError(f"{model_type!r} cannot be built small: it has {fewest:,} parameters at least")


def _variants(config: Any) -> Iterator[Any]:
    """The config, and then one without the settings that are None: a model may read them only when it runs."""
    yield config
    filled = copy.deepcopy(config)
    if filled_in(filled, _NotBuiltError()):
        yield filled


class _NotBuiltError(Exception):
    """A config does not build."""


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
            model: nn.Module = self._class(self._own(config))
        except ImportError as error:
            raise UnavailableError(f"{self.name} needs {_package(str(error))}, which is not installed") from error
        return model

    def _own(self, config: Any) -> Any:
        """The config, or the part of it that this class takes: a head for text is built from the part for text."""
        kind = getattr(self._class, "config_class", None)
        if not isinstance(kind, type) or isinstance(config, kind):
            return config
        return next((part for part in parts_of(config) if isinstance(part, kind)), config)


def _package(text: str) -> str:
    """The package that the error of an import asks for."""
    found = re.search(r"requires the (.+?) library|No module named '([^'.]+)", text)
    names = [name for name in found.groups() if name] if found else []
    return names[0].strip("`'") if names else text.strip().splitlines()[0]


def _default_config(model_type: str) -> Any:
    from transformers import CONFIG_MAPPING

    return copy.deepcopy(default_config(CONFIG_MAPPING[model_type]))


def _completed(built: _Class, config: Any) -> int:
    """Gives the config what the model reads and the config lacks; the number of parameters of the model.

    The model is built without memory for its weights, so that a large one costs nothing.
    """
    for _ in range(_TRIES):
        try:
            with torch.device("meta"), _quiet():
                return sum(one.numel() for one in built(copy.deepcopy(config)).parameters())
        except UnavailableError:
            raise
        except Exception as error:  # a config that does not fit may raise anything
            if not filled_in(config, error):
                raise _NotBuiltError(_in_one_line(error)) from error
    raise _NotBuiltError("its config lacks too many attributes")


def _in_one_line(error: Exception) -> str:
    text = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {text}"


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
        for buffer in model.buffers():
            # A table that training fills, such as a codebook. Of zeros, no answer would depend on what was looked up.
            if buffer.is_floating_point() and buffer.dim() == 2 and buffer.numel() and not bool(buffer.any()):
                buffer.normal_()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _uninitialised_as_nan() -> Iterator[None]:
    """Memory that nobody fills is NaN here, and not what the process left there before."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
