"""What an exporter may leave changed in the whole process: torch's settings, and functions of torch that it replaced.

Only settings are here on which answers or gradients depend. Where random numbers stand is not one: every export draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any

import torch
from torch.backends import cuda

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodDescriptorType)

OWNERS: Mapping[str, Any] = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn.functional": torch.nn.functional,
    "torch.nn.Module": torch.nn.Module,
}
"""Where models find the functions that they call."""

OWN = ("torch._dynamo", "torch._compile")
"""The modules of torch that put their own functions there, when torch compiles for the first time."""

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
    """Whether numbers that are too small for full precision count as 0; torch can be told, and not asked."""
    return not bool(torch.full((1,), 1e-40, dtype=torch.float32, device="cpu") * 1.0)


Setting = tuple[Callable[[], Any], Callable[[Any], object]]

SETTINGS: Mapping[str, Setting] = {
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
    "torch's float32 matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
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
"""What a setting is called, how it is read and how it is set."""


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The settings of the process at one moment, the functions of torch, and the modules that were imported."""

    values: Mapping[str, object]
    functions: Mapping[tuple[str, str], object]
    imported: frozenset[str]

    @classmethod
    def now(cls) -> Settings:
        """As they are now."""
        functions = {(owner, name): one for owner, holder in OWNERS.items() for name, one in _functions(holder)}
        return cls({name: read() for name, (read, _) in SETTINGS.items()}, functions, frozenset(sys.modules))

    def changes(self) -> tuple[str, ...]:
        """What differs from them now, each in a few words."""
        now = {name: SETTINGS[name][0]() for name in self.values}
        values = (f"{name}: {was} became {now[name]}" for name, was in self.values.items() if was != now[name])
        return (*values, *(f"{owner}.{name} was replaced" for owner, name in self._replaced()))

    def restore(self) -> None:
        """Set what differs back to what it was, so that it changes neither another verdict nor another test."""
        for name, was in self.values.items():
            read, write = SETTINGS[name]
            if read() != was:
                write(was)
        for owner, name in list(self._replaced()):
            was = self.functions[owner, name]
            if was is None:
                delattr(OWNERS[owner], name)
            else:
                setattr(OWNERS[owner], name, was)

    def _replaced(self) -> Iterator[tuple[str, str]]:
        """Functions with another in their place; packages put their own there when they are imported."""
        for (owner, name), was in self.functions.items():
            now = vars(OWNERS[owner]).get(name)
            if now is not was and not self._is_from_new_import(now):
                yield owner, name

    def _is_from_new_import(self, function: object) -> bool:
        home = getattr(function, "__globals__", {}).get("__name__", "")  # `functools.wraps` changes `__module__`
        return home.startswith(OWN) or (home in sys.modules and home not in self.imported)


def _functions(holder: Any) -> Iterator[tuple[str, object]]:
    """The functions of a module or a class; None for a method that a class inherits, and may be given itself."""
    bases = [base for base in getattr(holder, "__mro__", ())[1:] if base is not object]
    yield from ((name, None) for base in bases for name, one in vars(base).items() if isinstance(one, FUNCTIONS))
    yield from ((name, one) for name, one in vars(holder).items() if isinstance(one, FUNCTIONS))


def _device(device: torch.device) -> torch.device | None:
    """None switches torch's own handling of the default device off."""
    return None if device == torch.device("cpu") else device
