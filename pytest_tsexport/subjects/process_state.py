"""The state of the process that a model, an exporter or a marked function may change for whatever runs after it.

Where random numbers stand is not here: every export draws. They are put back without a word, see `seeding`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.backends import cuda

from pytest_tsexport.subjects.float32_precision import Float32Precision
from pytest_tsexport.subjects.new_imports import set_by_imports, variable_set_by_imports

Setting = tuple[Callable[[], Any], Callable[[Any], object]]


def _working_directory() -> str:
    """Empty if it was removed."""
    with suppress(OSError):
        return str(Path.cwd())
    return ""


def _enter(path: str) -> None:
    with suppress(OSError):  # it may have been removed meanwhile
        os.chdir(path)


def _device(device: torch.device) -> torch.device | None:
    """None switches torch's own handling of the default device off."""
    return None if device == torch.device("cpu") else device


TOO_SMALL = sys.float_info.min / 4
"""A number that has not all of its digits."""

GLOBAL_HOOKS = (
    "_global_forward_pre_hooks",
    "_global_forward_hooks",
    "_global_backward_pre_hooks",
    "_global_backward_hooks",
)
"""Where torch keeps the hooks of all modules (`torch.nn.modules.module.register_module_forward_hook`)."""


@dataclass(frozen=True, slots=True)
class GlobalHooks:
    """The hooks that every module has; in a report, their number."""

    hooks: tuple[tuple[str, int, object], ...]

    @classmethod
    def now(cls) -> GlobalHooks:
        """As they are now."""
        return cls(tuple((kind, key, hook) for kind in GLOBAL_HOOKS for key, hook in _global_hooks(kind).items()))

    def put_back(self) -> None:
        """Remove those that came since, and add those that are gone."""
        for kind in GLOBAL_HOOKS:
            _global_hooks(kind).clear()
            _global_hooks(kind).update({key: hook for one, key, hook in self.hooks if one == kind})

    def __str__(self) -> str:
        return str(len(self.hooks))


def _global_hooks(kind: str) -> dict[int, object]:
    found: dict[int, object] = getattr(torch.nn.modules.module, kind, {})
    return found


def _flushes_denormal() -> bool:
    """Whether numbers that are too small for full precision count as 0; torch can be told, and not asked.

    The processor is told, so that Python's own numbers show it, and no tensor is computed with.
    """
    return sum((TOO_SMALL, TOO_SMALL)) == 0


ANSWERS: Mapping[str, Setting] = {
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (torch.get_default_device, lambda device: torch.set_default_device(_device(device))),
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "autocast on the CPU": (
        lambda: torch.is_autocast_enabled("cpu"),
        lambda is_on: torch.set_autocast_enabled("cpu", is_on),
    ),
    "the debug mode of deterministic algorithms": (
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
    ),
    "torch's float32 precision": (Float32Precision.now, Float32Precision.put_back),
    "flushing of denormal numbers": (_flushes_denormal, torch.set_flush_denormal),
    "anomaly detection of autograd": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "the number of global hooks of modules": (GlobalHooks.now, GlobalHooks.put_back),
    "torch.backends.mkldnn.enabled": (
        lambda: torch.backends.mkldnn.enabled,
        lambda is_on: setattr(torch.backends.mkldnn, "enabled", is_on),
    ),
    "torch.backends.cudnn.enabled": (
        lambda: torch.backends.cudnn.enabled,
        lambda is_on: setattr(torch.backends.cudnn, "enabled", is_on),
    ),
    "flash attention": (cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
    "memory-efficient attention": (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
    "math attention": (cuda.math_sdp_enabled, cuda.enable_math_sdp),
}
"""Settings on which answers or gradients depend: what each is called, how it is read and how it is set."""

THREADS = "the number of torch's threads"
"""Answers depend on it, but by rounding alone."""

DIRECTORY, ARGV = "the working directory", "sys.argv"

UNTOLD = (DIRECTORY, ARGV)
"""Their values are not told: a path of this machine, and arguments that may be secret."""

SURROUNDINGS: Mapping[str, Setting] = {
    THREADS: (torch.get_num_threads, torch.set_num_threads),
    DIRECTORY: (_working_directory, _enter),
    ARGV: (lambda: tuple(sys.argv), lambda given: setattr(sys, "argv", list(given))),
}
"""What the rest of the run relies on, and an answer hardly ever does; one that does is found by asking the model."""

SETTINGS: Mapping[str, Setting] = {**ANSWERS, **SURROUNDINGS}

VARIABLE = "the environment variable "

OF_PYTEST = "PYTEST_CURRENT_TEST"
"""The variable that pytest sets for every phase of every test."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that has changed, in a few words, and how it is read and set.

    `decides`: answers may depend on it. Its values may be secret, so they are not in its repr, which tracebacks show.
    """

    name: str
    text: str
    was: object = field(repr=False)
    now: object = field(repr=False)
    setting: Setting
    decides: bool = False

    def undo(self) -> None:
        """Set it back; unless it has changed again, because then somebody else has set it."""
        read, write = self.setting
        if read() == self.now:
            write(self.was)


@dataclass(frozen=True, slots=True, eq=False)
class ProcessState:
    """The settings and the environment variables of the process at one moment; its repr tells neither."""

    values: Mapping[str, object] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def now(cls) -> ProcessState:
        """As they are now."""
        return cls(_values(SETTINGS), _environment())

    def changes(self) -> tuple[Change, ...]:
        """What differs from them now."""
        return (*_changed(self.values), *self._variables())

    def _variables(self) -> Iterator[Change]:
        """Their values may be secret, so they are not told."""
        now = _environment()
        if now == self.environment:
            return
        for name in sorted(now.keys() | self.environment.keys()):
            before, after = self.environment.get(name), now.get(name)
            if before != after:
                what = "was set" if before is None else "was removed" if after is None else "was changed"
                yield Change(f"{VARIABLE}{name}", f"{VARIABLE}{name} {what}", before, after, _variable(name))


@contextmanager
def answers_put_back() -> Iterator[list[Change]]:
    """Puts back what changes in this block if answers depend on it; the list holds it after the block.

    It costs 0.03 ms, so that it can be done for every call: the next one, and our own arithmetic, depend on it.
    """
    before, modules = _values(ANSWERS), len(sys.modules)
    found: list[Change] = []
    try:
        yield found
    finally:
        changes = tuple(_changed(before))
        if changes:  # the modules are in the order in which they were imported
            found.extend(not_of_imports(changes, list(sys.modules)[modules:]))
        for change in found:
            change.undo()


def not_of_imports(changes: tuple[Change, ...], modules: Sequence[str]) -> tuple[Change, ...]:
    """Those that no module sets when it is imported; `modules` were imported meanwhile."""
    return tuple(change for change in changes if not _is_of_imports(change.name, modules))


def _is_of_imports(name: str, modules: Sequence[str]) -> bool:
    if name.startswith(VARIABLE):
        return variable_set_by_imports(modules, name.removeprefix(VARIABLE))
    return set_by_imports(modules, name)


def _values(settings: Mapping[str, Setting]) -> dict[str, object]:
    return {name: read() for name, (read, _) in settings.items()}


def _changed(before: Mapping[str, object]) -> Iterator[Change]:
    for name, was in before.items():
        now = SETTINGS[name][0]()
        if was != now:
            text = f"{name} was changed" if name in UNTOLD else f"{name}: {was} became {now}"
            yield Change(name, text, was, now, SETTINGS[name], decides=name in ANSWERS)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != OF_PYTEST}


def _variable(name: str) -> Setting:
    def write(value: str | None) -> None:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

    return (lambda: os.environ.get(name)), write
