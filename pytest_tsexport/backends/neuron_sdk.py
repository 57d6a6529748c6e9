"""Finds the installed Neuron SDK, calls it, and says whether the machine has a Neuron device.

A module is an SDK if it has `trace` and a version of 1.13 or newer: empty placeholder packages have both names too.
(See docs/explanation/neuron-sdk.md#inf1-signature, docs/explanation/neuron-sdk.md#inf2-signature and
docs/explanation/neuron-sdk.md#devices.)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from pytest_tsexport.backends.casting import Casting, argument
from pytest_tsexport.errors import ExportError

NAMES = ("torch_neuronx", "torch_neuron", "torch.neuron")
"""The SDK of Inf2, Trn1 and Trn2; that of Inf1; and the second name of Inf1's once it is imported."""

OLDEST = (1, 13)
DEVICES = Path("/proc/devices")
TARGET = "inf2"
"""The target to compile for if there is no device and the user names none."""

Calls = Callable[..., Any]


@dataclass(frozen=True)
class Sdk:
    """One SDK: its module, and the version that it reports."""

    name: str
    version: str
    module: ModuleType

    @property
    def is_inf1(self) -> bool:
        """Whether it is the SDK of the first chip, which traces by other keywords."""
        return self.name != "torch_neuronx"

    @property
    def prologue(self) -> str:
        """Python code that imports it in a new process."""
        return f"import {self.name}"

    def default_casting(self, args: Sequence[str]) -> Casting:
        """What it casts if `--auto-cast` is not given: matmult up to 2.26, nothing from 2.27 on.

        Inf1's compiler casts everything; with `--fast-math none`, only products. (See
        docs/explanation/neuron-sdk.md#inf1-behaviour.)
        """
        if self.is_inf1:
            return Casting(scope="matmult" if argument(args, "--fast-math") == "none" else "all")
        release = re.match(r"\d+\.\d+\.\d+\.2\.(\d+)\.", self.version)
        # 2.8.0.2.10 came with SDK 2.26 and 2.9.0.2.15 with 2.31: the fifth number runs 16 behind. (See
        # docs/explanation/neuron-sdk.md#versions.)
        return Casting(scope="matmult") if release is not None and int(release[1]) + 16 < 27 else Casting()

    def trace(self, func: Calls, inputs: tuple[torch.Tensor, ...], args: Sequence[str], *, batch: bool) -> Any:
        """`func` compiled by the documented call; with `batch`, dimension 0 may vary. Raises what the SDK raises."""
        trace: Calls = self.module.trace
        if self.is_inf1:
            wanted = {"compiler_args": list(args)} if args else {}
            return trace(func, inputs, **wanted, **({"dynamic_batch_size": True} if batch else {}))
        here = has_device() or "cpu_backend" not in inspect.signature(trace).parameters
        compiler_args = [*args, *self.target(args)]
        keywords: dict[str, Any] = {"compiler_args": compiler_args} if compiler_args else {}
        made = trace(func, inputs, **keywords, **({} if here else {"cpu_backend": True}))
        return self.module.dynamic_batch(made) if batch else made

    def target(self, args: Sequence[str]) -> tuple[str, ...]:
        """The compiler arguments that name the chip, if the user does not name one and there is no device."""
        if self.is_inf1 or has_device() or argument(args, "--target") is not None:
            return ()
        return "--target", TARGET


def find() -> Sdk | str:
    """The installed SDK; or why it cannot be used, in half a sentence."""
    reasons = []
    for name in NAMES:
        found = _look(name)
        if isinstance(found, Sdk):
            return found
        reasons.append(found)
    return next(filter(None, reasons), f"{', '.join(NAMES[:-1])} and {NAMES[-1]} cannot be imported")


def the_sdk() -> Sdk:
    """The installed SDK. Raises `ExportError` if it cannot be used."""
    sdk = find()
    if isinstance(sdk, str):
        raise ExportError(sdk)
    return sdk


def has_device() -> bool:
    """Whether the kernel knows a Neuron device: this explains why an artifact does not run, and never decides it."""
    try:
        return re.search(r"^\s*\d+\s+neuron\s*$", DEVICES.read_text(), re.MULTILINE) is not None
    except OSError:
        return False


def _look(name: str) -> Sdk | str:
    """The SDK of that name; else why it is not one, empty if no package has that name."""
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        return "" if error.name in (name, "torch.neuron") else f"{name} cannot be imported: {error}"
    except Exception as error:  # the vendor's library may raise anything on a machine that it does not support
        return f"{name} cannot be imported: {error}"
    version = _version(name, module)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if not callable(getattr(module, "trace", None)):
        # SDK 2.33 ships another product under this name: 2.13.3.0, and no trace. The placeholders are 1.0.
        is_native = name == "torch_neuronx" and numbers >= OLDEST
        what = "it is the native TorchNeuron, which compiles by torch.compile and saves no file"
        return f"{name} {version or '(no version)'} has no trace(); {what if is_native else 'it is a placeholder'}"
    if numbers < OLDEST:
        found = f"version {version}" if version else "no version"
        return f"{name} has {found}; {'.'.join(map(str, OLDEST))} or newer is needed"
    return Sdk(name, version, module)


def _version(name: str, module: ModuleType) -> str:
    own = getattr(module, "__version__", None)
    if isinstance(own, str):
        return own
    try:
        return metadata.version(name.replace("_", "-").replace("torch.", "torch-"))
    except metadata.PackageNotFoundError:
        return ""
